"""The text and the HTML to read, put together from their parts."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

from mailstep import limits
from mailstep.mime.bodies import disposition
from mailstep.mime.charsets import decode
from mailstep.mime.defects import Defect
from mailstep.mime.structure import Part
from mailstep.parse.attachments import Attachments, decoded_content
from mailstep.parse.budget import Budget
from mailstep.parse.html_text import HtmlText, html_text
from mailstep.parse.replies.marks import Hint

_WORD = re.compile(r"\w+")

Read = Mapping[int, str]
"""What was read of parts, by their `id`, in order."""


@dataclass(frozen=True, slots=True)
class TextBody:
    """The text to read; `hints` is what the HTML that it was made from says of its lines, by their index."""

    text: str
    from_html: bool
    hints: dict[int, Hint] = field(default_factory=dict)


def text_body(parts: Iterable[Part], plain: Read, html: Read, defects: set[Defect], budget: Budget) -> TextBody:
    """The text of parts, one after the other; HTML is written as text if nothing stands in its place.

    If there are texts and all are empty, all HTML is written as text.
    """
    order = [id(part) for part in parts]
    if not any(text.strip() for text in plain.values()):
        order += [part for part in html if part not in order]
    said = {_words(text) for text in plain.values()} - {""} if any(part in html for part in order) else set()
    lines: list[str] = []
    hints: dict[int, Hint] = {}
    from_html = False
    for part in order:
        if part in html:
            made = budget.attempt(partial(html_text, html[part]), HtmlText(""), defects, Defect.HTML_NOT_READ)
            # Some programs declare as `mixed` what is `alternative`: the same words twice.
            if _words(made.text) in said:
                continue
            from_html = from_html or bool(made.text)
        else:
            made = HtmlText(plain.get(part, ""))
        if made.text or part in plain:
            hints |= {len(lines) + at: hint for at, hint in made.hints.items()}
            lines += made.text.split("\n")
    return TextBody("\n".join(lines), from_html, hints)


def _words(text: str) -> str:
    return " ".join(_WORD.findall(text))


def read_text(
    raw: bytes, parts: Iterable[Part], attachments: Attachments, defects: set[Defect], budget: Budget
) -> Read:
    """The text of each part; line ends LF, without the NULs that some systems leave in.

    A part that is too long, or that cannot be decoded, becomes one of the attachments.
    """
    texts: dict[int, str] = {}
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
        texts[id(part)] = text.replace("\r\n", "\n").replace("\r", "\n")
    return texts
