"""Derives names of executions from objects, which makes a repeated event harmless (docs/architecture.md)."""

import hashlib
import re
from datetime import datetime

from mailstep import keys
from mailstep.contracts import ANSWER_NAME, EMAIL_ID, LaterAnswer, StoredEmail

SETUP_NOTIFICATION = "AMAZON_SES_SETUP_NOTIFICATION"
"""The object that SES writes when a receipt rule is created; it is not mail."""

_LATER = re.compile(rf"({EMAIL_ID})/({ANSWER_NAME})\.json")
_SLUG_LENGTH = 43  # with "-" and 32 hex digits: 76, which leaves "-r99" of a replay within the 80 of a name


def stored_email(
    bucket: str, key: str, version_id: str | None = None, stored: datetime | None = None
) -> StoredEmail | None:
    """The email at `key`, or None if the key cannot belong to a route.

    SES never uses a key twice, so the key alone identifies the email. If the same object is stored again (a copy in
    place, a new encryption key, a restore), it has another version and time, but the same id.

    The id starts with the SES message id, so that an operator can search for it, and ends with a hash of bucket and
    key. It is a valid name of an execution: 1 to 80 of `[A-Za-z0-9_-]` (AWS Step Functions API reference,
    StartExecution).
    """
    parts = key.split("/")
    if not key.startswith(keys.INBOUND) or len(parts) != 3 or not all(parts) or parts[2] == SETUP_NOTIFICATION:
        return None
    email_id = _name(parts[2], bucket, key)
    return StoredEmail(
        email_id=email_id, route=keys.route(key), bucket=bucket, key=key, version_id=version_id, stored=stored
    )


def later_answer(bucket: str, key: str) -> LaterAnswer | None:
    """The later answer at `key`, or None if the key is not `answers/<email_id>/<name>.json`."""
    found = _LATER.fullmatch(key.removeprefix(keys.ANSWERS))
    if found is None or not key.startswith(keys.ANSWERS):
        return None
    return LaterAnswer(email_id=found[1], name=found[2], bucket=bucket, key=key)


def execution_name(answer: LaterAnswer) -> str:
    """The name of the execution that sends a later answer, the same for each event of its key.

    It begins as the email's own does, with the SES message id.
    """
    return _name(answer.email_id.rpartition("-")[0] or answer.email_id, answer.bucket, answer.key)


def _name(words: str, bucket: str, key: str) -> str:
    slug = re.sub(r"[^A-Za-z0-9_-]", "-", words)[:_SLUG_LENGTH]
    return f"{slug}-{hashlib.sha256(f'{bucket}\n{key}'.encode()).hexdigest()[:32]}"
