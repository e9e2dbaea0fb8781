"""Ties a bounce or complaint to the email whose reply it is about, in the index of messages."""

from mailstep.aws import threads
from mailstep.aws.ledger_table import table_name
from mailstep.aws.message_index import MessageIndex
from mailstep.feedback.suppression import FeedbackEvent
from mailstep.index_entry import Feedback


def tie(index: MessageIndex, found: FeedbackEvent) -> str | None:
    """Write the bounce or complaint into the entry of its email; return the email_id, or None if there is no email.

    The reply's own header names the email. Where SES left it out of the event, the ledger finds the email by the id
    that SES gave the reply.

    Raises:
        TransientError: DynamoDB is unavailable.
    """
    if found.kind not in ("Bounce", "Complaint") or not found.is_ours:
        return None
    email_id = found.email_id
    if not email_id and found.ses_message_id:
        email_id = threads.email_of_reply(found.ses_message_id, table_name())
    if email_id:
        feedback = Feedback(kind=found.kind, detail=found.detail, at=found.at, ses_message_id=found.ses_message_id)
        index.change(email_id, lambda before: before.with_feedback(feedback))
    return email_id
