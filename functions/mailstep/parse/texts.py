"""Joins the text parts of a message."""

from functools import partial

from mailstep import limits
from mailstep.mime.bodies import disposition
from mailstep.mime.charsets import decode
from mailstep.mime.defects import Defect
from mailstep.mime.structure import Part
from mailstep.parse.attachment_parts import Attachments, decoded_content
from mailstep.parse.budget import Budget


def read_text(raw: bytes, parts: list[Part], attachments: Attachments, defects: set[Defect], budget: Budget) -> str:
    """The text of the parts, in order, with LF line ends and without NUL characters.

    A part that is too long or cannot be decoded also becomes an attachment.
    """
    texts: list[str] = []
    room = limits.TEXT
    for part in parts:
        octets = decoded_content(raw, part, defects, budget)
        charset = part.parameters.get("charset", "")
        read = budget.attempt(
            partial(decode, octets[:room], charset, cut=len(octets) > room, guess=True),
            None,
            defects,
            Defect.TEXT_NOT_DECODED,
        )
        if read is None or len(octets) > room:
            attachments.add(octets, disposition(part)[1], part.media_type)
        if read is None:
            continue
        if len(octets) > room:
            defects.add(Defect.TEXT_TRUNCATED)
        text, is_in_charset = read
        room = max(0, room - len(octets))
        if not is_in_charset:
            defects.add(Defect.CHARSET_WRONG)
        if "\0" in text:
            defects.add(Defect.NUL_REMOVED)
            text = text.replace("\0", "")
        texts.append(text.replace("\r\n", "\n").replace("\r", "\n"))
    return "\n".join(texts)
