"""Reads the files and the text in Outlook's winmail.dat (TNEF, [MS-OXTNEF]), and whether it holds anything else.

The file is hostile: the reader compares every length and count with the octets that are left. It copies nothing: each
file is a span of the one buffer. It does not open an embedded message, as it opens no nested message elsewhere.

Over 300 lines, because it is the reader of one format.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from mailstep.mime.charsets import decode
from mailstep.mime.defects import Defect
from mailstep.mime.options import DEFAULTS, Options

# [MS-OXTNEF] section 2.1.3.1: level, id and type, length, data, checksum.
_SIGNATURE = 0x223E9F78
_LEVELS = {1, 2}
_LEAST_ATTRIBUTE = 11

# Attributes ([MS-OXTNEF] section 2.1.3.2), by the lower half of their id.
_BODY, _ATTACH_DATA, _ATTACH_TITLE = 0x800C, 0x800F, 0x8010
_ATTACH_REND_DATA, _MESSAGE_PROPERTIES, _ATTACHMENT, _OEM_CODEPAGE = 0x9002, 0x9003, 0x9005, 0x9007

# Properties ([MS-OXPROPS]): PidTagBody, PidTagRtfCompressed, PidTagHtml, PidTagDisplayName, PidTagAttachDataBinary and
# PidTagAttachDataObject, PidTagAttachFilename, PidTagAttachLongFilename. PidTagInternetCodepage is that of the HTML.
_PR_BODY, _PR_RTF, _PR_HTML, _PR_DISPLAY_NAME = 0x1000, 0x1009, 0x1013, 0x3001
_PR_ATTACH_DATA, _PR_ATTACH_FILENAME, _PR_ATTACH_LONG_FILENAME = 0x3701, 0x3704, 0x3707
# PidTagAttachContentId, PidTagAttachFlags with attRenderedInBody, PidTagAttachmentHidden ([MS-OXCMSG] section 2.2.2).
_PR_ATTACH_CONTENT_ID, _PR_ATTACH_FLAGS, _PR_ATTACHMENT_HIDDEN, _RENDERED_IN_BODY = 0x3712, 0x3714, 0x7FFE, 0x4
_BODIES = (_PR_BODY, _PR_RTF, _PR_HTML)
_PR_INTERNET_CODEPAGE = 0x3FDE

# Property types ([MS-OXCDATA] section 2.11.1), and the octets that a value takes, padded to four.
_FIXED = {0x0001: 0, 0x0002: 4, 0x0003: 4, 0x0004: 4, 0x0005: 8, 0x0006: 8, 0x0007: 8, 0x000A: 4, 0x000B: 4, 0x0014: 8,
          0x0040: 8, 0x0048: 16}  # fmt: skip
_UNICODE, _OBJECT = 0x001F, 0x000D
_VARIABLE = {0x0000, _OBJECT, 0x001E, _UNICODE, 0x0102}
_MULTIVALUED, _NAMED = 0x1000, 0x8000

_IID = 16
_IID_MESSAGE = bytes.fromhex("0703020000000000c000000000000046")  # 00020307-0000-0000-C000-000000000046
_NO_TEXT = b"\0 \t\r\n"


class _Broken(ValueError):
    """A length or a count exceeds the octets that are left, or the file is not TNEF."""


class _TooMuch(ValueError):
    """There are more attributes and values than `Options.tnef_values`."""


@dataclass(slots=True)
class _Value:
    """The type of a property, and its first value, undecoded."""

    type: int
    octets: memoryview


@dataclass(slots=True)
class _Attachment:
    """The attributes and properties of one attachment, as spans of the buffer."""

    title: memoryview | None = None
    data: memoryview | None = None
    properties: dict[int, _Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class File:
    """A file in a winmail.dat."""

    name: str
    content: memoryview
    content_id: str | None = None
    """As in a MIME part: the HTML may refer to it (RFC 2392)."""
    is_rendered: bool = False
    """Whether its flags say that the text shows it, or that it is hidden among the attachments."""


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a message in a winmail.dat: line ends LF, and without NULs."""

    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Unpacked:
    """The content of a winmail.dat."""

    files: list[File] = field(default_factory=list)
    body: Body | None = None
    """The text or HTML, if it has one that is read whole."""
    has_body: bool = False
    """Whether it has a body, in RTF or too long ones included."""
    is_read: bool = False
    """Whether it could be read to its end, and holds no message that is not unpacked."""


class Unpacker:
    """Unpacks every winmail.dat of one message. The limits count over all of them together."""

    def __init__(self, options: Options = DEFAULTS) -> None:
        self._options, self._room = options, options.tnef_values

    def unpack(self, octets: bytes, defects: set[Defect]) -> Unpacked:
        """The content of a winmail.dat."""
        packed = _Packed(self._options)
        try:
            self._read(_Cursor(memoryview(octets)), packed)
        except _TooMuch:
            defects.add(Defect.TNEF_TOO_LARGE)
            return Unpacked()
        except _Broken:
            packed.broken = True
        files = packed.files()
        if packed.broken:
            defects.add(Defect.TNEF_UNREADABLE)
        elif packed.has_message:
            defects.add(Defect.TNEF_HOLDS_MESSAGE)
        is_read = not (packed.broken or packed.has_message)
        return Unpacked(files, packed.body(), packed.has_body, is_read)

    def _read(self, at: "_Cursor", packed: "_Packed") -> None:
        if at.number(4) != _SIGNATURE:
            raise _Broken
        at.number(2)  # the key
        while at.left >= _LEAST_ATTRIBUTE:
            self._spend()
            if at.number(1) not in _LEVELS:
                raise _Broken
            attribute = at.number(4) & 0xFFFF
            data = at.take(at.number(4))
            # The checksum is ignored: some programs write 0.
            at.number(2)
            if attribute in {_MESSAGE_PROPERTIES, _ATTACHMENT}:
                try:
                    for number, value in self._properties(_Cursor(data)):
                        packed.add_property(attribute, number, value)
                except _Broken:
                    packed.broken = True  # the length of the attribute is valid, so reading goes on after it
            else:
                packed.add(attribute, data)

    def _properties(self, at: "_Cursor") -> Iterator[tuple[int, _Value]]:
        """The tagged properties of a list ([MS-OXTNEF] section 2.1.3.4) with a value, each with its first value."""
        for _ in range(at.count(least=4)):
            self._spend()
            kind, number = at.number(2), at.number(2)
            if number >= _NAMED:
                at.take(16)  # the namespace
                is_string = at.number(4)
                _ = at.padded() if is_string else at.take(4)
            first = self._values(at, kind & ~_MULTIVALUED, is_multivalued=bool(kind & _MULTIVALUED))
            if first is not None and number < _NAMED:
                yield number, first

    def _values(self, at: "_Cursor", kind: int, *, is_multivalued: bool) -> _Value | None:
        if kind in _FIXED:
            size = _FIXED[kind]
            return _Value(kind, at.take(at.count(least=size) * size if is_multivalued else size)[:size])
        if kind not in _VARIABLE:
            raise _Broken
        first: _Value | None = None
        for _ in range(at.count(least=4)):
            self._spend()
            octets = at.padded()
            first = first or _Value(kind, octets)
        return first

    def _spend(self) -> None:
        self._room -= 1
        if self._room < 0:
            raise _TooMuch


class _Cursor:
    """Reads little-endian numbers and octets in order, never past the end."""

    def __init__(self, octets: memoryview) -> None:
        self._octets, self._at = octets, 0

    @property
    def left(self) -> int:
        return len(self._octets) - self._at

    def take(self, length: int) -> memoryview:
        if length > self.left:
            raise _Broken
        self._at += length
        return self._octets[self._at - length : self._at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def count(self, *, least: int) -> int:
        """The count of items that follow. Each takes at least `least` octets."""
        count = self.number(4)
        if count * least > self.left:
            raise _Broken
        return count

    def padded(self) -> memoryview:
        """The octets after a length, without their padding. At the end the padding may be missing."""
        octets = self.take(self.number(4))
        self.take(min(-len(octets) % 4, self.left))
        return octets


class _Packed:
    """The content of one winmail.dat."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self.broken = self.has_message = self.has_body = False
        self._codepage, self._html_codepage = 1252, 0
        self._text: _Value | None = None
        self._html: _Value | None = None
        self._attachments: list[_Attachment] = []

    def add(self, attribute: int, data: memoryview) -> None:
        if attribute == _ATTACH_REND_DATA:
            self._attachments.append(_Attachment())
        elif attribute == _ATTACH_TITLE:
            self._attachment().title = data
        elif attribute == _ATTACH_DATA:
            self._attachment().data = data
        elif attribute == _BODY:
            self._add_body(_PR_BODY, _Value(0x001E, data))
        elif attribute == _OEM_CODEPAGE:
            self._codepage = int.from_bytes(data[:4], "little")

    def add_property(self, attribute: int, number: int, value: _Value) -> None:
        if attribute == _ATTACHMENT:
            self._attachment().properties[number] = value
        elif number in _BODIES:
            self._add_body(number, value)
        elif number == _PR_INTERNET_CODEPAGE:
            self._html_codepage = int.from_bytes(value.octets[:4], "little")

    def files(self) -> list[File]:
        """Each attachment that has content. An embedded message only sets `has_message`."""
        found = []
        for attachment in self._attachments:
            data = attachment.data
            value = attachment.properties.get(_PR_ATTACH_DATA)
            if value and value.octets:
                data = value.octets
                if value.type == _OBJECT:
                    self.has_message = self.has_message or data[:_IID] == _IID_MESSAGE
                    data = None if data[:_IID] == _IID_MESSAGE else data[_IID:]
            if data:
                name, content_id = self._name(attachment), self._text_of(attachment, _PR_ATTACH_CONTENT_ID)
                found.append(File(name, data, content_id.strip("<> ") or None, _is_rendered(attachment)))
        return found

    def body(self) -> Body | None:
        """The text and the HTML; None if both are missing, or one is longer than `Options.tnef_text`."""
        values = [value for value in (self._text, self._html) if value]
        if not values or any(len(value.octets) > self._options.tnef_text for value in values):
            return None
        text = self._decoded(self._text, self._codepage) if self._text else ""
        html = self._decoded(self._html, self._html_codepage) if self._html else ""
        return Body(*(one.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n") for one in (text, html)))

    def _add_body(self, number: int, value: _Value) -> None:
        if not bytes(value.octets[: self._options.tnef_text]).strip(_NO_TEXT):
            return
        self.has_body = True
        if number == _PR_BODY:
            self._text = self._text or value
        elif number == _PR_HTML:
            self._html = self._html or value

    def _decoded(self, value: _Value, codepage: int) -> str:
        declared = "utf-16le" if value.type == _UNICODE else f"cp{codepage}" if codepage else None
        return decode(bytes(value.octets), declared=declared).text

    def _attachment(self) -> _Attachment:
        """The current attachment: attAttachRendData begins each one ([MS-OXTNEF] section 2.1.3.3.15)."""
        if not self._attachments:
            self._attachments.append(_Attachment())
        return self._attachments[-1]

    def _name(self, attachment: _Attachment) -> str:
        said = attachment.properties
        values = [said.get(_PR_ATTACH_LONG_FILENAME), said.get(_PR_ATTACH_FILENAME)]
        title = _Value(0x001E, attachment.title) if attachment.title else None
        names = (self._name_of(value) for value in (*values, title, said.get(_PR_DISPLAY_NAME)) if value)
        return next((name for name in names if name), "")

    def _text_of(self, attachment: _Attachment, number: int) -> str:
        value = attachment.properties.get(number)
        return self._name_of(value) if value else ""

    def _name_of(self, value: _Value) -> str:
        octets = value.octets[: self._options.tnef_name]
        if value.type != _UNICODE:
            octets = memoryview(bytes(octets).partition(b"\0")[0])
        return self._decoded(_Value(value.type, octets), self._codepage).partition("\0")[0].strip()


def _is_rendered(attachment: _Attachment) -> bool:
    flags, hidden = (attachment.properties.get(number) for number in (_PR_ATTACH_FLAGS, _PR_ATTACHMENT_HIDDEN))
    rendered = flags is not None and bool(int.from_bytes(flags.octets[:4], "little") & _RENDERED_IN_BODY)
    return rendered or (hidden is not None and any(hidden.octets[:2]))
