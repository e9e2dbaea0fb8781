"""Writes winmail.dat ([MS-OXTNEF]) with known content."""

import struct

BODY, ATTACH_DATA, ATTACH_TITLE = 0x0002800C, 0x0006800F, 0x00018010
ATTACH_REND_DATA, MESSAGE_PROPERTIES, ATTACHMENT, OEM_CODEPAGE = 0x00069002, 0x00069003, 0x00069005, 0x00069007

SHORT, LONG, SYSTIME, OBJECT, STRING8, UNICODE, BINARY = 0x0002, 0x0003, 0x0040, 0x000D, 0x001E, 0x001F, 0x0102
MULTIVALUED = 0x1000
_FIXED = {SHORT: "<hxx", LONG: "<i", SYSTIME: "<q", 0x000B: "<hxx"}

BOOLEAN = 0x000B
ATTACH_CONTENT_ID, ATTACH_FLAGS, ATTACHMENT_HIDDEN = 0x3712, 0x3714, 0x7FFE
DISPLAY_NAME, ATTACH_OBJECT, ATTACH_FILENAME, ATTACH_LONG_FILENAME = 0x3001, 0x3701, 0x3704, 0x3707
IID_MESSAGE = struct.pack("<IHH8B", 0x00020307, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46)
IID_STORAGE = struct.pack("<IHH8B", 0x0000000B, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46)


def tnef(*attributes: bytes) -> bytes:
    """A TNEF stream: signature, key, attributes."""
    return struct.pack("<IH", 0x223E9F78, 1) + b"".join(attributes)


def attribute(number: int, data: bytes, level: int = 1) -> bytes:
    """One attribute, with its checksum."""
    return struct.pack("<BII", level, number, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def attachment(*parts: bytes) -> bytes:
    """What begins an attachment, and then its attributes."""
    return attribute(ATTACH_REND_DATA, bytes(14), level=2) + b"".join(parts)


def file(name: bytes, data: bytes) -> bytes:
    """An attachment of the plainest kind: a title and data."""
    return attachment(attribute(ATTACH_TITLE, name + b"\0", level=2), attribute(ATTACH_DATA, data, level=2))


def properties(*written: bytes) -> bytes:
    """A counted list of properties."""
    return struct.pack("<I", len(written)) + b"".join(written)


def prop(kind: int, number: int, *values: int | str | bytes, name: int | str | None = None) -> bytes:
    """A property with its values, named (by number or string) where it has an id from 0x8000 on."""
    base, counted = kind & ~MULTIVALUED, b""
    if kind & MULTIVALUED or base not in _FIXED:
        counted = struct.pack("<I", len(values))
    return struct.pack("<HH", kind, number) + _named(name) + counted + b"".join(_value(base, value) for value in values)


def _named(name: int | str | None) -> bytes:
    if name is None:
        return b""
    if isinstance(name, int):
        return bytes(16) + struct.pack("<II", 0, name)
    return bytes(16) + struct.pack("<I", 1) + _padded((name + "\0").encode("utf-16-le"))


def _value(kind: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return struct.pack(_FIXED[kind], value)
    return _padded((value + "\0").encode("utf-16-le") if isinstance(value, str) else value)


def _padded(octets: bytes) -> bytes:
    return struct.pack("<I", len(octets)) + octets + bytes(-len(octets) % 4)
