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


def record_message(index: MessageIndex, entry: IndexEntry) -> bool:
    """Write what the message of an email says into its entry, if it is parsed; return whether the entry changed.

    An email that waits for an application is parsed long before its execution ends.

    Raises:
        TransientError: DynamoDB or S3 is unavailable, or others change the entry at the same moment.
    """
    message = mail_bucket.find_message(entry.bucket, entry.email_id) if entry.bucket else None
    if message is None:
        return False
    # If the entry was erased meanwhile, it must not come back.
    return index.change(entry.email_id, lambda latest: latest.with_message(message) if latest.executions else latest)


def _with(entry: IndexEntry, seen: Seen, message: Message | None) -> IndexEntry:
    entry = entry.with_email(seen.email).with_execution(seen.execution)
    return entry.with_message(message) if message else entry
