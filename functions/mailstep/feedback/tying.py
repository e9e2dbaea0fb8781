"""Ties a bounce or complaint to the email whose reply it is about, in the index of messages."""

from mailstep.aws.message_index import By, MessageIndex
from mailstep.feedback.suppression import Feedback
from mailstep.index_entry import Feedback as Entry


def tie(index: MessageIndex, found: Feedback) -> str | None:
    """Write the bounce or complaint into the entry of its email; return the email_id, or None if there is no email.

    The reply's own header names the email. Where SES left it out of the event, its id of the reply finds the email.

    Raises:
        TransientError: DynamoDB is unavailable.
    """
    if found.kind not in ("Bounce", "Complaint") or not found.is_ours:
        return None
    email_id = found.email_id or _by_reply(index, found.ses_message_id)
    if email_id:
        entry = Entry(kind=found.kind, detail=found.detail, at=found.at, ses_message_id=found.ses_message_id)
        index.change(email_id, lambda before: before.with_feedback(entry))
    return email_id


def _by_reply(index: MessageIndex, ses_message_id: str | None) -> str | None:
    entries = index.named(By.REPLY, ses_message_id, most=1) if ses_message_id else []
    return entries[0].email_id if entries else None
