"""The text to read, put together from its parts."""

from functools import partial

from mailstep import limits
from mailstep.mime.bodies import disposition
from mailstep.mime.charsets import decode
from mailstep.mime.defects import Defect
from mailstep.mime.structure import Part
from mailstep.parse.attachments import Attachments, decoded_content
from mailstep.parse.budget import Budget


def read_text(raw: bytes, parts: list[Part], attachments: Attachments, defects: set[Defect], budget: Budget) -> str:
    """The parts to read, one after the other; line ends LF, without the NULs that some systems leave in.

    A part that is too long, or that cannot be decoded, becomes one of the attachments.
    """
    texts: list[str] = []
    room = limits.TEXT
    for part in parts:
        octets = decoded_content(raw, part, defects, budget)
        read = budget.attempt(
            partial(
                decode,
                octets[:room],
                declared=part.parameters.get("charset"),
                hints=part.hints,
                cut=len(octets) > room,
            ),
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
        text = read.text
        room = max(0, room - len(octets))
        if read.guessed:
            defects.add(Defect.CHARSET_WRONG)
        if read.damaged:
            defects.add(Defect.CHARACTERS_REPLACED)
        if "\0" in text:
            defects.add(Defect.NUL_REMOVED)
            text = text.replace("\0", "")
        texts.append(text.replace("\r\n", "\n").replace("\r", "\n"))
    return "\n".join(texts)
