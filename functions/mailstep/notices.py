"""The notices that Mailstep itself sends: a message was refused, is delayed, failed, or is done."""

from mailstep.contracts import Answer, Message
from mailstep.rendering import render


def notice(kind: str, message: Message, explanation: str = "") -> Answer:
    """The notice of one kind: `refusal`, `delay`, `failure` or `completion`. Only a refusal has an explanation."""
    return Answer(text=render("notice.txt.j2", kind=kind, explanation=explanation, email_id=message.email_id))
