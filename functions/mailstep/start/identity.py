"""Derives the id of an email from its object, which makes a repeated event harmless (docs/architecture.md)."""

import hashlib
import re
from datetime import datetime

from mailstep import keys
from mailstep.contracts import StoredEmail

SETUP_NOTIFICATION = "AMAZON_SES_SETUP_NOTIFICATION"
"""The object that SES writes when a receipt rule is created; it is not mail."""

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
    slug = re.sub(r"[^A-Za-z0-9_-]", "-", parts[2])[:_SLUG_LENGTH]
    digest = hashlib.sha256(f"{bucket}\n{key}".encode()).hexdigest()[:32]
    return StoredEmail(
        email_id=f"{slug}-{digest}", route=keys.route(key), bucket=bucket, key=key, version_id=version_id, stored=stored
    )
