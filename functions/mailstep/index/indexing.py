"""Writes what was seen of an execution, and what its message says, into the index."""

from mailstep.aws import mail_bucket
from mailstep.aws.message_index import MessageIndex
from mailstep.contracts import Message
from mailstep.index.status_events import Seen
from mailstep.index_entry import IndexEntry


def record(index: MessageIndex, seen: Seen) -> bool:
    """Write the execution into the entry of its email; return whether the entry changed.

    An execution that ended has parsed its message, so the entry then has the sender, the subject and the rest.

    Raises:
        TransientError: DynamoDB or S3 is unavailable, or others change the entry at the same moment.
    """
    email = seen.email
    message = mail_bucket.find_message(email.bucket, email.email_id) if seen.execution.ended else None
    return index.change(email.email_id, lambda entry: _with(entry, seen, message))


def _with(entry: IndexEntry, seen: Seen, message: Message | None) -> IndexEntry:
    entry = entry.with_email(seen.email).with_execution(seen.execution)
    return entry.with_message(message) if message else entry
