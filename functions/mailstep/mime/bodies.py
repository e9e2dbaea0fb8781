"""Which parts are the text to read, and which are attachments (RFC 8621 section 4.1.4, "bodyStructure")."""

from dataclasses import dataclass, field

from mailstep.mime.fields import decode_words, parse_parameters, unfold
from mailstep.mime.structure import Part

_TEXT = ("text/plain", "text/html")


@dataclass
class Bodies:
    """The parts in order: `text` and `html` are read, `files` are all others that hold content."""

    text: list[Part] = field(default_factory=list)
    html: list[Part] = field(default_factory=list)
    files: list[Part] = field(default_factory=list)


def bodies(root: Part) -> Bodies:
    """Sort the leaves of a message."""
    found = Bodies()
    _walk([root], "mixed", in_alternative=False, found=found)
    # Of a message that has only the one kind, a part stands in both lists.
    found.html = [part for part in found.html if part.media_type == "text/html"]
    found.text = [part for part in found.text if part.media_type == "text/plain"]
    read = {id(part) for part in (*found.text, *found.html)}
    found.files = [part for part in _leaves(root) if id(part) not in read]
    return found


def disposition(part: Part) -> tuple[str, str | None]:
    """`attachment`, `inline` or empty, and the declared file name (RFC 2183; RFC 2047, which is common)."""
    kind, values = parse_parameters(unfold(part.first("content-disposition") or b"", part.hints), part.hints)
    name = values.get("filename") or part.parameters.get("name")
    return kind, decode_words(name, part.hints) if name else None


def _walk(parts: list[Part], multipart: str, *, in_alternative: bool, found: Bodies) -> None:
    text_before, html_before = len(found.text), len(found.html)
    for number, part in enumerate(parts):
        if part.media_type.startswith("multipart/"):
            subtype = part.media_type.partition("/")[2]
            _walk(part.children, subtype, in_alternative=in_alternative or subtype == "alternative", found=found)
        elif _is_read(part, number, multipart):
            _read(part, multipart, in_alternative=in_alternative, found=found)
    if multipart == "alternative":
        # An alternative without one of the kinds stands for both.
        if len(found.text) == text_before and len(found.html) > html_before:
            found.text += found.html[html_before:]
        elif len(found.html) == html_before and len(found.text) > text_before:
            found.html += found.text[text_before:]


def _is_read(part: Part, number: int, multipart: str) -> bool:
    kind, name = disposition(part)
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


def _leaves(root: Part) -> list[Part]:
    leaves, waiting = [], [root]
    while waiting:
        part = waiting.pop(0)
        if part.children:
            waiting = [*part.children, *waiting]
        elif part.start < part.end or not part.media_type.startswith("multipart/"):
            leaves.append(part)
    return leaves
