"""The default processor: replies with a list of what arrived."""

from mailstep.process.processors import Answer, Message, OpenAttachment
from mailstep.rendering import render


def process(message: Message, _open_attachment: OpenAttachment) -> Answer:
    """Answer with the size of the message and its attachments."""
    return Answer(text=render("receipt.txt.j2", message=message), html=render("receipt.html.j2", message=message))
