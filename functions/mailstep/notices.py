"""What Mailstep itself tells a sender: that a message is refused, takes long, failed, or is done."""

from mailstep.contracts import Answer, Message
from mailstep.rendering import render


def notice(kind: str, message: Message, explanation: str = "") -> Answer:
    """What a sender hears whose message was refused, or takes long (`delay`), or failed: the message is kept."""
    return Answer(text=render("notice.txt.j2", kind=kind, explanation=explanation, reference=message.email_id))
