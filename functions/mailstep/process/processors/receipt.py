"""The default processor: says what was received."""

from mailstep.contracts import Digest, Message
from mailstep.process.processors import OpenAttachment
from mailstep.rendering import render


def process(message: Message, _open_attachment: OpenAttachment) -> Digest:
    """Answer with what arrived: size and attachments."""
    return Digest(text=render("receipt.txt.j2", message=message), html=render("receipt.html.j2", message=message))
