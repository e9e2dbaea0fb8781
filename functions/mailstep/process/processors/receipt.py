"""The default processor: says what was received."""

from mailstep.process.processors import Answer, Message, OpenAttachment
from mailstep.rendering import render


def process(message: Message, _open_attachment: OpenAttachment) -> Answer:
    """Answer with what arrived: size and attachments."""
    return Answer(text=render("receipt.txt.j2", message=message), html=render("receipt.html.j2", message=message))
