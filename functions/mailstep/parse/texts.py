"""Joins the text parts of a message, and its HTML parts."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

from mailstep import limits
from mailstep.budget import Budget
from mailstep.mime.bodies import Bodies
from mailstep.mime.charsets import decode
from mailstep.mime.defects import Defect
from mailstep.mime.flowed import unflowed
from mailstep.mime.structure import Part
from mailstep.mime.tnef import Body
from mailstep.parse.attachment_parts import Attachments, decoded_content
from mailstep.parse.html_text import HtmlText, html_text
from mailstep.parse.replies.marks import Hint

_WORD = re.compile(r"\w+")
_SEEN = re.compile(r"[^\s\u00ad\u200b-\u200f\u2060\ufeff]")  # neither white space nor a character of no width

Read = Mapping[int, str]
"""The texts that were read, by the `id` of their part, in order."""


@dataclass(frozen=True, slots=True)
class TextBody:
    """The text to read; `hints` is what the HTML that it was made from says of its lines, by their index."""

    text: str
    from_html: bool
    hints: dict[int, Hint] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Texts:
    """What the text parts and the HTML parts of a message say."""

    body: TextBody
    html: str

    @property
    def is_empty(self) -> bool:
        """Whether they say nothing."""
        return not (_SEEN.search(self.body.text) or _SEEN.search(self.html))


def read_texts(
    root: Part, found: Bodies, attachments: Attachments, defects: set[Defect], budget: Budget, room: int = limits.TEXT
) -> Texts:
    """The texts of a message, or of an attached one, each kind in at most `room` octets.

    Attachments that are added next are judged by what the HTML shows of them.
    """
    plain_parts = [part for part in found.text if part.media_type == "text/plain"]
    plain = _read_parts(plain_parts, attachments, defects, budget, room)
    html = _read_parts(found.html, attachments, defects, budget, room)
    texts = Texts(_body(found.text, plain, html, defects, budget, room), "\n".join(html.values()))
    attachments.shown_in(root, texts.html)
    return texts


def unpacked_texts(packed: Body, defects: set[Defect], budget: Budget) -> Texts:
    """The texts that are only in a winmail.dat."""
    if packed.text:
        return Texts(TextBody(packed.text, from_html=False), packed.html or "")
    html = {0: packed.html} if packed.html else {}
    return Texts(_body((), {}, html, defects, budget, limits.TEXT), packed.html or "")


def _body(
    parts: Iterable[Part],
    plain: Read,
    html: Read,
    defects: set[Defect],
    budget: Budget,
    room: int,
) -> TextBody:
    """The text of parts, one after the other; HTML is written as text if nothing stands in its place.

    If there are texts and all are empty, all HTML is written as text. What is made of HTML has at most `room` octets:
    deep quotes and lists put up to 80 characters before a letter.
    """
    order = [id(part) for part in parts]
    if not any(map(_SEEN.search, plain.values())):
        order = [*html] or order
    written = any(part in html for part in order)
    said = {_words(text) for text in plain.values()} - {""} if written else set()
    lines: list[str] = []
    hints: dict[int, Hint] = {}
    from_html = False
    for part in order:
        if part in html:
            made = budget.attempt(partial(html_text, html[part]), HtmlText(""), defects, Defect.HTML_NOT_READ)
            # Some programs declare as `mixed` what is `alternative`: the same words twice.
            if said and _words(made.text) in said:
                continue
            octets = made.text.encode()
            if len(octets) > room:
                defects.add(Defect.TEXT_TRUNCATED)
                made = _cut(octets[:room].decode(errors="ignore"), made.hints)
            room -= min(room, len(octets))
            from_html = from_html or bool(made.text)
        else:
            made = HtmlText(plain.get(part, ""))
        if made.text or part in plain:
            hints |= {len(lines) + at: hint for at, hint in made.hints.items()}
            lines += made.text.split("\n")
    return TextBody("\n".join(lines), from_html, hints)


def _cut(text: str, hints: Mapping[int, Hint]) -> HtmlText:
    """The beginning of a text, with the tags of its lines."""
    lines = text.count("\n") + 1
    return HtmlText(text, {at: hint for at, hint in hints.items() if at < lines})


def _words(text: str) -> str:
    return " ".join(_WORD.findall(text))


def _read_parts(
    parts: Iterable[Part], attachments: Attachments, defects: set[Defect], budget: Budget, room: int
) -> Read:
    """The text of each part, in at most `room` octets together, with LF line ends and without NUL characters.

    A part that is too long or cannot be decoded also becomes an attachment.
    """
    texts: dict[int, str] = {}
    for part in parts:
        octets = decoded_content(part, defects, budget)
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
            charset = part.parameters.get("charset")
            attachments.add(octets, part.disposition[1], part.media_type, charset=charset, attached=False)
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
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        if part.media_type == "text/plain" and part.parameters.get("format", "").lower() == "flowed":
            text = unflowed(text, delete_space=part.parameters.get("delsp", "").lower() == "yes")
        texts[id(part)] = text
    return texts
