"""Outlook's winmail.dat (TNEF, [MS-OXTNEF]): the files in it, and whether there is more in it than files.

Nothing in it is believed: every length and count is held against the octets that are left, what is read is spans of
the one buffer, and a message within (an embedded TNEF) is not looked into, as no nested message is.
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
# PidTagAttachDataObject, PidTagAttachFilename, PidTagAttachLongFilename.
_PR_BODY, _PR_RTF, _PR_HTML, _PR_DISPLAY_NAME = 0x1000, 0x1009, 0x1013, 0x3001
_PR_ATTACH_DATA, _PR_ATTACH_FILENAME, _PR_ATTACH_LONG_FILENAME = 0x3701, 0x3704, 0x3707
_BODIES = (_PR_BODY, _PR_RTF, _PR_HTML)

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
    """A length or a count that goes beyond what is left, or something that is not TNEF."""


class _TooMuch(ValueError):
    """More attributes and values than are read of one message."""


@dataclass(slots=True)
class _Value:
    """A property's type and first value, an octet string or characters that are not yet decoded."""

    type: int
    octets: memoryview


@dataclass(slots=True)
class _Attachment:
    """What was said of an attachment: its data are spans of the buffer."""

    title: memoryview | None = None
    data: memoryview | None = None
    properties: dict[int, _Value] = field(default_factory=dict)


class Unpacker:
    """Unpacks every winmail.dat of one message: what may be read is bounded for all of them together."""

    def __init__(self, options: Options = DEFAULTS) -> None:
        self._options, self._room = options, options.tnef_values

    def unpack(self, octets: bytes, defects: set[Defect]) -> tuple[list[tuple[str, memoryview]], bool]:
        """The files in a winmail.dat as (name, content), and whether that is all that is in it.

        Where it is not (it has a text or a message of its own, or cannot be read to its end) it is to be kept whole.
        """
        packed = _Packed(self._options)
        try:
            self._read(_Cursor(memoryview(octets)), packed)
        except _TooMuch:
            defects.add(Defect.TNEF_TOO_LARGE)
            return [], False
        except _Broken:
            packed.broken = True
        files = packed.files()
        if packed.broken:
            defects.add(Defect.TNEF_UNREADABLE)
        elif packed.has_message:
            defects.add(Defect.TNEF_HOLDS_MESSAGE)
        is_all = bool(files) and not (packed.broken or packed.has_message or packed.has_body)
        return files, is_all

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
            # The checksum is not looked at: writers leave it 0, and what carried the mail has its own.
            at.number(2)
            if attribute in {_MESSAGE_PROPERTIES, _ATTACHMENT}:
                try:
                    for number, value in self._properties(_Cursor(data)):
                        packed.add_property(attribute, number, value)
                except _Broken:
                    packed.broken = True  # the attribute's own length holds: what comes after it can be read
            else:
                packed.add(attribute, data)

    def _properties(self, at: "_Cursor") -> Iterator[tuple[int, _Value]]:
        """The tagged properties of a list that have a value ([MS-OXTNEF] section 2.1.3.4), each with its first one."""
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
    """Reads numbers and octets one after the other, little-endian, and never beyond the end."""

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
        """How many things follow, each of which takes so many octets at least."""
        count = self.number(4)
        if count * least > self.left:
            raise _Broken
        return count

    def padded(self) -> memoryview:
        """Octets after their length; the last one's padding may be missing."""
        octets = self.take(self.number(4))
        self.take(min(-len(octets) % 4, self.left))
        return octets


class _Packed:
    """What was found in one winmail.dat."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self.broken = self.has_message = self.has_body = False
        self._codepage = 1252
        self._attachments: list[_Attachment] = []

    def add(self, attribute: int, data: memoryview) -> None:
        if attribute == _ATTACH_REND_DATA:
            self._attachments.append(_Attachment())
        elif attribute == _ATTACH_TITLE:
            self._attachment().title = data
        elif attribute == _ATTACH_DATA:
            self._attachment().data = data
        elif attribute == _BODY:
            self._add_body(data)
        elif attribute == _OEM_CODEPAGE:
            self._codepage = int.from_bytes(data[:4], "little")

    def add_property(self, attribute: int, number: int, value: _Value) -> None:
        if attribute == _ATTACHMENT:
            self._attachment().properties[number] = value
        elif number in _BODIES:
            self._add_body(value.octets)

    def files(self) -> list[tuple[str, memoryview]]:
        """Name and content of each attachment that has content; messages among them are counted instead."""
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
                found.append((self._name(attachment), data))
        return found

    def _add_body(self, octets: memoryview) -> None:
        self.has_body = self.has_body or bool(bytes(octets[: self._options.tnef_text]).strip(_NO_TEXT))

    def _attachment(self) -> _Attachment:
        """The attachment that attributes speak of: attAttachRendData begins each ([MS-OXTNEF] section 2.1.3.3.15)."""
        if not self._attachments:
            self._attachments.append(_Attachment())
        return self._attachments[-1]

    def _name(self, attachment: _Attachment) -> str:
        said = attachment.properties
        values = [said.get(_PR_ATTACH_LONG_FILENAME), said.get(_PR_ATTACH_FILENAME)]
        title = _Value(0x001E, attachment.title) if attachment.title else None
        names = (self._text(value) for value in (*values, title, said.get(_PR_DISPLAY_NAME)) if value)
        return next((name for name in names if name), "")

    def _text(self, value: _Value) -> str:
        octets = bytes(value.octets[: self._options.tnef_name])
        if value.type == _UNICODE:
            text = octets.decode("utf-16-le", errors="replace")
        else:
            text = decode(octets.partition(b"\0")[0], declared=f"cp{self._codepage}", detect=False).text
        return text.partition("\0")[0].strip()
