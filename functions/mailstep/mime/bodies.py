"""Sorts parts into text and attachments (RFC 8621 section 4.1.4, "bodyStructure")."""

from dataclasses import dataclass, field

from mailstep.mime.structure import Part, leaves

_TEXT = ("text/plain", "text/html")


@dataclass
class Bodies:
    """The parts in order: `text` and `html` are the body, `files` are all others with content."""

    text: list[Part] = field(default_factory=list)
    html: list[Part] = field(default_factory=list)
    files: list[Part] = field(default_factory=list)


def bodies(root: Part) -> Bodies:
    """Sort the leaves of a message."""
    found = Bodies()
    _walk([root], "mixed", in_alternative=False, found=found)
    # A part stands in both lists if the other kind has nothing in its place: HTML can be written as text, but not the
    # other way round.
    found.html = [part for part in found.html if part.media_type == "text/html"]
    read = {id(part) for part in (*found.text, *found.html)}
    found.files = [part for part in leaves(root) if id(part) not in read]
    return found


def _walk(parts: list[Part], multipart: str, *, in_alternative: bool, found: Bodies) -> None:
    text_before, html_before = len(found.text), len(found.html)
    for number, part in enumerate(parts):
        if part.children or part.media_type.startswith("multipart/"):
            kind, _, subtype = part.media_type.partition("/")
            subtype = subtype if kind == "multipart" else "mixed"
            _walk(part.children, subtype, in_alternative=in_alternative or subtype == "alternative", found=found)
        elif _is_read(part, number, multipart):
            _read(part, multipart, in_alternative=in_alternative, found=found)
    if multipart == "alternative":
        # If an alternative lacks one kind, the other one takes its place.
        if len(found.text) == text_before and len(found.html) > html_before:
            found.text += found.html[html_before:]
        elif len(found.html) == html_before and len(found.text) > text_before:
            found.html += found.text[text_before:]


def _is_read(part: Part, number: int, multipart: str) -> bool:
    kind, name = part.disposition
    return (
        part.media_type in _TEXT and kind != "attachment" and (number == 0 or (multipart != "related" and name is None))
    )


def _read(part: Part, multipart: str, *, in_alternative: bool, found: Bodies) -> None:
    if multipart == "alternative":
        (found.text if part.media_type == "text/plain" else found.html).append(part)
        return
    if part.media_type == "text/plain" or not in_alternative:
        found.text.append(part)
    if part.media_type == "text/html" or not in_alternative:
        found.html.append(part)
