"""Makes the index of messages again, from the executions and the mail bucket."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import batched

import boto3
from botocore.exceptions import ClientError

from mailstep import keys
from mailstep.aws import mail_bucket
from mailstep.aws.message_index import MessageIndex
from mailstep.contracts import StoredEmail
from mailstep.errors import TransientError
from mailstep.index.sweep import gaps
from mailstep.index_entry import IndexEntry
from mailstep.outcomes import Outcome
from mailstep_cli.home_stack import HomeStack
from mailstep_cli.stored_mail import routes_with_mail, stored

_PAGE = 100
_PATIENCE = 8
"""Times that a throttled page is asked for again, each time after a longer wait."""


@dataclass(frozen=True)
class Rebuilt:
    """What was compared with the index, and how many entries it lacked or had wrong."""

    executions: int
    stored_emails: int
    filled: int


def rebuild(home: HomeStack, since: datetime, progress: Callable[[int, int | None], None]) -> Rebuilt:
    """Add what the index lacks of the executions and of the stored mail since a time. It deletes nothing.

    What is older than ParsedRetentionDays is left out: its entry would have expired. Step Functions keeps an execution
    for 90 days; how an older email ended is `unknown`.

    Raises:
        TransientError: AWS throttled a request too often.
    """
    index = home.index
    since = max(since, home.asked - timedelta(days=index.retention_days))
    compared = filled = 0

    def go_on(done: int) -> bool:
        progress(done, None)
        return True

    for attempt in range(_PATIENCE):
        try:
            swept = gaps.sweep(home.workflow, index, since, datetime.now(UTC), go_on=go_on)
            filled += swept.filled
            break
        except TransientError:
            # What was filled stays filled: the next attempt compares again and goes on from there.
            if attempt == _PATIENCE - 1:
                raise
            time.sleep(2**attempt)
    for some in batched(_stored_since(home, since), _PAGE, strict=False):
        known = index.get_many(email.email_id for email in some)
        filled += sum(_add(home, index, email) for email in some if email.email_id not in known)
        compared += len(some)
        progress(swept.compared + compared, None)
    return Rebuilt(swept.compared, compared, filled)


def _stored_since(home: HomeStack, since: datetime) -> Iterator[StoredEmail]:
    s3 = boto3.client("s3")
    for route in routes_with_mail(s3, home.bucket):
        yield from (email for email in stored(s3, home.bucket, route) if email.stored and email.stored >= since)


def _add(home: HomeStack, index: MessageIndex, email: StoredEmail) -> bool:
    """Add an email that no execution says anything of."""
    message = mail_bucket.find_message(home.bucket, email.email_id)

    def change(entry: IndexEntry) -> IndexEntry:
        entry = entry.with_email(email)
        if message:
            return entry.with_message(message)
        if _is_quarantined(home.bucket, email.email_id):
            return entry.model_copy(update={"outcome": Outcome.QUARANTINED})
        return entry

    return index.change(email.email_id, change)


def _is_quarantined(bucket: str, email_id: str) -> bool:
    try:
        boto3.client("s3").head_object(Bucket=bucket, Key=keys.quarantined(email_id))
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return False
        raise
    return True
