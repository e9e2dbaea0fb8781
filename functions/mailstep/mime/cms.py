"""The Cryptographic Message Syntax of opaque S/MIME (RFC 5652): what kind it is, and the content that is signed.

Nothing is verified or decrypted. It is read in BER (ITU-T X.690) along the one way to the content, because a
library scans all elements at each level: 40 MB of empty ones take 7 s a level (docs/decisions/0004).
"""

from dataclasses import dataclass
from typing import Literal

from mailstep.mime.options import DEFAULTS, Options

# RFC 5652 sections 5, 6 and 8, RFC 5083: the object identifiers' contents.
_SIGNED = bytes.fromhex("2a 86 48 86 f7 0d 01 07 02")
_ENCRYPTED = {
    bytes.fromhex("2a 86 48 86 f7 0d 01 07 03"),
    bytes.fromhex("2a 86 48 86 f7 0d 01 07 06"),
    bytes.fromhex("2a 86 48 86 f7 0d 01 09 10 01 01 17"),
}

# Identifier octets of the elements on the way.
_SEQUENCE, _SET, _OID, _INTEGER, _EXPLICIT = 0x30, 0x31, 0x06, 0x02, 0xA0
_OCTETS, _OCTETS_IN_PIECES = 0x04, 0x24
_END_OF_CONTENTS = b"\0\0"
_CONSTRUCTED = 0x20


class NotReadable(ValueError):
    """Octets that are no CMS, or more of it than is read."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The kind of data, and the content if it is signed data that holds one (RFC 5652 section 5.2)."""

    kind: Literal["signed", "encrypted"] | None
    content: bytes | None = None


def open_cms(octets: bytes, options: Options = DEFAULTS) -> Opened:
    """Whether octets are signed or encrypted data, and what is signed.

    Raises:
        NotReadable: they are no CMS, or have too many elements.
    """
    reader = _Reader(octets, options.cms_elements)
    reader.enter(_SEQUENCE)
    kind = reader.take(_OID)
    if kind != _SIGNED:
        return Opened("encrypted" if kind in _ENCRYPTED else None)
    for identifier in (_EXPLICIT, _SEQUENCE):
        reader.enter(identifier)
    reader.skip(_INTEGER)
    reader.skip(_SET)
    inside = reader.enter(_SEQUENCE)
    reader.take(_OID)
    # Without a content it carries certificates only, or a signature of something else.
    if not reader.is_next(_EXPLICIT, inside):
        return Opened(None)
    reader.enter(_EXPLICIT)
    return Opened("signed", reader.octet_string())


class _Reader:
    """Reads elements one after the other; those of indefinite length end with two octets of zero."""

    def __init__(self, octets: bytes, room: int) -> None:
        self._octets, self._at, self._room = octets, 0, room

    def enter(self, identifier: int) -> int | None:
        """Go to the contents of the next element, and say where they end, or None if their length is indefinite."""
        found, end = self._header()
        if found != identifier:
            raise NotReadable
        return end

    def take(self, identifier: int) -> bytes:
        """The contents of the next element, which is of definite length."""
        end = self.enter(identifier)
        if end is None:
            raise NotReadable
        contents = self._octets[self._at : end]
        self._at = end
        return contents

    def is_next(self, identifier: int, end: int | None) -> bool:
        """Whether such an element comes before the end of the one that was entered."""
        within = end is None or self._at < end
        return within and self._at < len(self._octets) and self._octets[self._at] == identifier

    def skip(self, identifier: int) -> None:
        """Go behind the next element."""
        end = self.enter(identifier)
        if end is not None:
            self._at = end
            return
        depth = 1
        while depth:
            if self._octets.startswith(_END_OF_CONTENTS, self._at):
                self._at += len(_END_OF_CONTENTS)
                depth -= 1
                continue
            _, end = self._header()
            if end is None:
                depth += 1
            else:
                self._at = end

    def octet_string(self) -> bytes:
        """The octets of a string, which may be in pieces within pieces (X.690 section 8.7)."""
        if self.is_next(_OCTETS, None):
            return self.take(_OCTETS)
        ends = [self.enter(_OCTETS_IN_PIECES)]
        pieces: list[bytes] = []
        while ends:
            if ends[-1] is None and self._octets.startswith(_END_OF_CONTENTS, self._at):
                self._at += len(_END_OF_CONTENTS)
                ends.pop()
            elif ends[-1] is not None and self._at >= ends[-1]:
                ends.pop()
            elif self.is_next(_OCTETS_IN_PIECES, None):
                ends.append(self.enter(_OCTETS_IN_PIECES))
            else:
                pieces.append(self.take(_OCTETS))
        return b"".join(pieces)

    def _header(self) -> tuple[int, int | None]:
        """Read an identifier and a length; the identifier, and where the contents end."""
        self._room -= 1
        if self._room < 0 or self._at + 2 > len(self._octets):
            raise NotReadable
        identifier, length = self._octets[self._at : self._at + 2]
        self._at += 2
        if length == 0x80 and identifier & _CONSTRUCTED:
            return identifier, None
        if length >= 0x80:
            size = length & 0x7F
            length = int.from_bytes(self._octets[self._at : self._at + size])
            self._at += size
        end = self._at + length
        # The last octets may be cut off, of what encloses the content too.
        if end > len(self._octets) and not identifier & _CONSTRUCTED:
            raise NotReadable
        return identifier, end
