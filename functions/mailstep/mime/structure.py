"""Finds the fields and parts of a message (RFC 5322, RFC 2046), as spans of the raw octets, without a copy.

A careful reader's parser: it never raises, takes any line end, lets an outer boundary end what an inner one left
open, and finds the boundary that was meant where the declared one is missing or wrong.
"""

import re
from dataclasses import dataclass, field

from mailstep.mime.charsets import hints_in
from mailstep.mime.defects import Defect
from mailstep.mime.fields import Parameters, decode_words, parse_parameters, unfold
from mailstep.mime.options import DEFAULTS, Options

# A field name is printable US-ASCII except ":" (RFC 5322 section 2.2). Some mail has white space before the colon.
_NAME = re.compile(rb"([!-9;-~]+)[ \t]*:")
# A field with its folded lines, as nearly all are. It says the same as _NAME and _FIELD_END in a tenth of the time.
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:([^\r\n]*+(?:\r?\n[ \t]++[^ \t\r\n][^\r\n]*+)*+)\r?\n(?=[^ \t]|\Z)")
_END = rb"(?:\r\n|\n|\r(?!\n))"
# A field continues on a line that begins with white space and has more after it (RFC 5322 section 2.2.3). Lines of
# white space alone may come between (section 4.2, obs-FWS). Then a field must follow, because bodies are indented too.
_FIELD_END = re.compile(
    _END + rb"(?![ \t]++[^ \t\r\n])"
    rb"(?!(?:[ \t]++" + _END + rb"){1,3}(?:[ \t]++[^ \t\r\n][^\r\n]*+" + _END + rb"){1,5}[!-9;-~]++[ \t]*+:)"
)
_EMPTY_LINE = re.compile(rb"(?:\r\n|\n|\r(?!\n))[ \t]*(?:\r\n|\n|\r)")
_BLANK = re.compile(rb"[ \t]*(?:\r\n|\n|\r)")
_ENVELOPE = re.compile(rb">?From (?![ \t]*:)[^\r\n]*(?:\r\n|\n|\r)")
_KNOWN = (
    rb"(?:return-path|received|from|to|cc|bcc|sender|reply-to|subject|date|message-id|in-reply-to|references|mime-version"
    rb"|content-[a-z-]+|x-[a-z0-9-]+|list-[a-z-]+|dkim-signature|arc-[a-z-]+|user-agent|delivered-to)[ \t]*:"
)
_KNOWN_NAME = re.compile(_KNOWN, re.IGNORECASE)
# Fields that no mail client repeats in a body, above what it quotes or forwards.
_OF_SYSTEMS = re.compile(
    rb"(?:return-path|received|message-id|in-reply-to|references|mime-version|content-[a-z-]+|x-[a-z0-9-]+|list-[a-z-]+"
    rb"|dkim-signature|arc-[a-z-]+|user-agent|delivered-to)[ \t]*:",
    re.IGNORECASE,
)
_WHITE_LINES = re.compile(rb"(?:[ \t]++" + _END + rb"){1,3}(?=" + _KNOWN + rb")", re.IGNORECASE)
_KNOWN_FIELD = re.compile(rb"[\r\n](?=" + _KNOWN + rb")", re.IGNORECASE)
_BEFORE_HEADER = 500  # octets; some systems store the SMTP conversation before the message
_LEADING = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\r\n]+|\xef\xbb\xbf")
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\n|\r|\Z)")
_DELIMITER_END = re.compile(rb"(--)?[ \t]*(?:\r\n|\n|\r|\Z)")
# How a part begins if no boundary is declared: a line of two dashes and a token, then a Content- field.
_UNDECLARED = re.compile(rb"(?:\A|[\r\n])--([^\s-][^\r\n]{0,300})(?:\r\n|\n|\r)(?=[Cc]ontent-)")

_MEDIA_TYPE = re.compile(r"[^\s/;,]{1,63}/[^\s/;,]{1,127}")  # RFC 6838 section 4.2
# Lines that are no field, before a field that any mail has, and before one that only mail systems write.
_LOOK_AHEAD, _LOOK_FAR_AHEAD = 3, 50
_EPILOGUE = 1_000

Field = tuple[str, bytes]


@dataclass(slots=True)
class Part:
    """A part, and where its body is in `raw`. A multipart that could be split and signed data have `children`."""

    raw: bytes = field(repr=False)
    fields: list[Field]
    start: int
    end: int
    media_type: str
    parameters: Parameters
    children: list["Part"] = field(default_factory=list)
    hints: tuple[str, ...] = ()
    """Charsets to try for a text that declares none (`charsets.hints_in`)."""
    _by_name: dict[str, list[bytes]] | None = field(default=None, repr=False)
    _disposition: tuple[str, str | None] | None = field(default=None, repr=False)

    def values(self, name: str) -> list[bytes]:
        """The raw values of all fields of that name, given in lower case, topmost first."""
        if self._by_name is None:
            self._by_name = {}
            for written, value in self.fields:
                self._by_name.setdefault(written.lower(), []).append(value)
        return self._by_name.get(name, [])

    def first(self, name: str) -> bytes | None:
        """The raw value of the first field of that name, given in lower case."""
        return next(iter(self.values(name)), None)

    @property
    def disposition(self) -> tuple[str, str | None]:
        """`attachment`, `inline` or empty, and the declared file name (RFC 2183; RFC 2047, which is common)."""
        if self._disposition is None:
            written = self.first("content-disposition")
            kind, declared = parse_parameters(unfold(written, self.hints), self.hints) if written else ("", {})
            name = declared.get("filename") or self.parameters.get("name")
            self._disposition = kind, decode_words(name, self.hints) if name else None
        return self._disposition


def structure(raw: bytes, defects: set[Defect], options: Options = DEFAULTS, *, top: bool = True) -> Part:
    """The tree of parts of a message. Adds what is wrong to `defects`. `top` is false within another message."""
    hints = hints_in(raw, options)
    root = _part(raw, 0, len(raw), "text/plain", defects, options, hints, top=top)
    waiting, parts = [(root, 0)], 1
    while waiting:
        part, depth = waiting.pop()
        if not part.media_type.startswith("multipart/"):
            continue
        if depth >= options.depth or parts >= options.parts:
            defects.add(Defect.TOO_MANY_PARTS)
            continue
        default = "message/rfc822" if part.media_type == "multipart/digest" else "text/plain"
        spans = _split(raw, part, options.parts - parts, defects)
        part.children = [_part(raw, start, end, default, defects, options, hints) for start, end in spans]
        parts += len(part.children)
        waiting += [(child, depth + 1) for child in part.children]
    return root


def leaves(root: Part) -> list[Part]:
    """The parts without parts of their own, in order; a multipart that could not be split is one if it is not empty."""
    found, waiting = [], [root]
    while waiting:
        part = waiting.pop()
        if part.children:
            waiting += reversed(part.children)
        elif part.start < part.end or not part.media_type.startswith("multipart/"):
            found.append(part)
    return found


def header(
    raw: bytes, start: int, end: int, defects: set[Defect], options: Options = DEFAULTS, *, top: bool = False
) -> tuple[list[Field], int]:
    """The header fields from `start`, and where the body begins. `top` means a message's header, not a part's."""
    fields: list[Field] = []
    at = _skip_what_is_before(raw, start, end, defects) if top else start
    room, most = options.header_octets, options.header_fields
    if not top:
        room, most = options.part_header_octets, options.part_header_fields
    while at < end:
        if found := _field(raw, at, end):
            name, value_start, value_end, following = found
            length = min(value_end - value_start, options.field_value)
            room -= following - at
            kept = len(fields) < most and room >= 0
            if kept:
                fields.append((name.decode("ascii"), raw[value_start : value_start + length]))
            if not kept or length < value_end - value_start:
                defects.add(Defect.HEADER_TRUNCATED)
            if not kept:
                # The limit is reached: look only for the end of the header.
                blank = _EMPTY_LINE.search(raw, value_end, end)
                return fields, blank.end() if blank else end
            at = following
            continue
        if white := _WHITE_LINES.match(raw, at, end):
            at = white.end()
            continue
        if blank := _BLANK.match(raw, at, end):
            return fields, blank.end()
        next_field = _next_field(raw, at, end) if fields else None
        if next_field is None:
            defects.add(Defect.HEADER_NOT_ENDED if fields else Defect.HEADER_MISSING)
            break
        defects.add(Defect.HEADER_LINE_SKIPPED)
        at = next_field
    return fields, at


def _field(raw: bytes, at: int, end: int) -> tuple[bytes, int, int, int] | None:
    """The field that begins at an octet: its name, where its value begins and ends, and where the next line begins."""
    if whole := _FIELD.match(raw, at, end):
        return whole[1], whole.start(2), whole.end(2), whole.end()
    name = _NAME.match(raw, at, end)
    if name is None:
        return None
    found = _FIELD_END.search(raw, name.end(), end)
    value_end, following = found.span() if found else (end, end)
    return name[1], name.end(), value_end, following


def _skip_what_is_before(raw: bytes, start: int, end: int, defects: set[Defect]) -> int:
    """Where the first field begins: after white space, an mbox envelope, or an SMTP conversation."""
    at = start
    if leading := _LEADING.match(raw, at, end):
        at = leading.end()
        if leading[0].strip(b"\xef\xbb\xbf"):
            defects.add(Defect.WHITE_SPACE_BEFORE_HEADER)
    if envelope := _ENVELOPE.match(raw, at, end):
        return envelope.end()
    if _NAME.match(raw, at, end) is None and (known := _KNOWN_FIELD.search(raw, at, min(end, at + _BEFORE_HEADER))):
        defects.add(Defect.LINES_BEFORE_HEADER)
        return known.end()
    return at


def _next_field(raw: bytes, at: int, end: int) -> int | None:
    """Where the next field begins, if a known one follows within some lines and before an empty line."""
    first: int | None = None
    for skipped in range(_LOOK_FAR_AHEAD):
        line = _LINE.match(raw, at, end)
        if line is None or line.end() >= end or _BLANK.match(raw, line.end(), end):
            return None
        at = line.end()
        if first is None and _KNOWN_NAME.match(raw, at, end):
            first = at
            if skipped < _LOOK_AHEAD:
                return first
        if first is not None and _OF_SYSTEMS.match(raw, at, end):
            return first
    return None


def _part(
    raw: bytes,
    start: int,
    end: int,
    default: str,
    defects: set[Defect],
    options: Options,
    hints: tuple[str, ...],
    *,
    top: bool = False,
) -> Part:
    fields, body = header(raw, start, end, defects, options, top=top)
    part = Part(raw, fields, body, end, default, {}, hints=hints)
    declared = part.first("content-type")
    if declared is None:
        return part
    part.media_type, part.parameters = parse_parameters(unfold(declared, hints)[: options.field_value], hints)
    if not _MEDIA_TYPE.fullmatch(part.media_type):
        defects.add(Defect.CONTENT_TYPE_UNREADABLE)
        part.media_type = "application/octet-stream" if "/" in part.media_type else "text/plain"
    return part


def _split(raw: bytes, part: Part, room: int, defects: set[Defect]) -> list[tuple[int, int]]:
    """The spans of a multipart's parts (RFC 2046 section 5.1.1)."""
    boundary = part.parameters.get("boundary", "").rstrip().encode("utf-8", errors="replace")
    spans = _between(raw, part, boundary, room, defects) if boundary else []
    if spans:
        return spans
    meant = _UNDECLARED.search(raw, max(0, part.start - 1), part.end)
    if meant is None:
        defects.add(Defect.PARTS_MISSING if boundary else Defect.BOUNDARY_MISSING)
        return []
    defects.add(Defect.BOUNDARY_WRONG)
    return _between(raw, part, meant[1].rstrip(), room, defects)


def _between(raw: bytes, part: Part, boundary: bytes, room: int, defects: set[Defect]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    begun: int | None = None
    token = b"--" + boundary
    # A delimiter begins a line. Only mail whose lines end with CR alone is searched for CR.
    line_end = b"\n" if raw.find(b"\n", part.start, part.end) >= 0 else b"\r"
    at = part.start if raw.startswith(token, part.start, part.end) else _after(raw, line_end + token, part)
    closed, epilogue = False, part.end
    while at >= 0:
        delimiter = _DELIMITER_END.match(raw, at + len(token), part.end)
        if delimiter:
            if begun is not None:
                spans.append((begun, _before_line_end(raw, begun, at)))
            if closed:
                defects.add(Defect.PARTS_AFTER_END)
            closed = bool(delimiter[1])
            begun = None if closed else delimiter.end()
            epilogue = delimiter.end()
            if len(spans) >= room:
                defects.add(Defect.TOO_MANY_PARTS)
                break
        at = _after(raw, line_end + token, part, at)
    if begun is not None:
        spans.append((begun, part.end))
        if at < 0:  # no delimiter is left, and the last one began a part
            defects.add(Defect.MULTIPART_NOT_CLOSED)
    elif spans and raw[epilogue : min(part.end, epilogue + _EPILOGUE)].strip():
        defects.add(Defect.TEXT_AFTER_END)
    return spans


def _after(raw: bytes, line: bytes, part: Part, at: int | None = None) -> int:
    """The start of the next line that begins with these octets, or -1."""
    found = raw.find(line, part.start if at is None else at, part.end)
    return found if found < 0 else found + 1


def _before_line_end(raw: bytes, start: int, at: int) -> int:
    """The line end before a delimiter belongs to it (RFC 2046 section 5.1.1)."""
    for line_end in (b"\r\n", b"\n", b"\r"):
        if raw.endswith(line_end, start, at):
            return at - len(line_end)
    return at
