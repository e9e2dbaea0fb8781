"""Finds macros by the octets of office documents: VBA, and the macro sheets of Excel 4.0.

A hostile file may lie about each length and chain. A chain of sectors ends where it comes back to itself. All that is
read of a file is at most twice as large as the file: one whose chains share more counts as one with macros.
"""

import re
import struct
from collections.abc import Iterable, Iterator
from functools import cached_property
from html import unescape
from itertools import islice

from mailstep.media_types import COMPOUND_FILE_SIGNATURE

# A stream or storage that the directory of a document of Office 97 to 2003 names (MS-OVBA section 2.2.1). PowerPoint
# packs that directory, and has a record that says so (MS-PPT sections 2.4.10 and 2.4.11).
_VBA_97 = re.compile(
    re.escape("_VBA_PROJECT".encode("utf-16-le")) + rb"|\x0f\0\xff\x03\x14\0\0\0\x02\0\0\x04\x0c\0\0\0.{4}\x01\0\0\0",
    re.DOTALL,
)
# The types that [Content_Types].xml gives to parts (ISO/IEC 29500-2 section 7.2.3; MS-OFFMACRO2; MS-XLSB 2.1.7).
_PARTS = re.compile(r"application/vnd\.ms-(office\.vbaproject|excel\.(intl)?macrosheet)", re.IGNORECASE)

_CONTENT_TYPES_OCTETS = 4_000_000  # some 150 for each part

_WORKBOOKS = {"workbook", "book"}  # streams of Excel 97 to 2003, and of Excel 5 (MS-XLS section 2.1.7.20)
_STREAMS = 8  # workbooks in one file; a document that embeds others has some
_RECORDS = 200_000  # of the globals of a workbook; large ones have some thousands
_END_OF_CHAIN = 0xFFFFFFFA  # and what is above (MS-CFB section 2.1)
_STREAM, _ROOT = 2, 5
# Records of a workbook (MS-XLS sections 2.4.21, 2.4.28, 2.4.103 and 2.4.117); BOF of Excel 2 to 4 has other numbers.
_BOF, _BOUND_SHEET, _EOF, _FILE_PASS = {0x0809, 0x0409, 0x0209, 0x0009}, 0x0085, 0x000A, 0x002F
_MACRO_SHEET = 0x0040  # in a BOF
_SHEETS_OF_MACROS = {1, 6}  # in a BOUNDSHEET: a macro sheet, a module of Excel 5


def are_in(content: bytes) -> bool:
    """Whether a compound file, or a workbook of Excel that is in none, has macros."""
    if content.startswith(COMPOUND_FILE_SIGNATURE):
        return _VBA_97.search(content) is not None or _has_workbook_with_macros(content)
    return int.from_bytes(content[:2], "little") in _BOF and _has_macro_sheet(content)


def are_listed(content_types: bytes) -> bool:
    """Whether the [Content_Types].xml of an office document lists a part with macros, or is too long to tell."""
    if len(content_types) > _CONTENT_TYPES_OCTETS:
        return True
    # The XML may be in UTF-16, and may have character references.
    return _PARTS.search(unescape(content_types.replace(b"\0", b"").decode("latin-1"))) is not None


def _has_macro_sheet(stream: bytes) -> bool:
    """Whether the globals of a workbook name a macro sheet, or the stream is one. What is encrypted is not seen."""
    at = 0
    for _ in range(_RECORDS):
        if at + 4 > len(stream):
            return False
        kind, length = struct.unpack_from("<HH", stream, at)
        value = stream[at + 4 : at + 4 + length]
        if kind in {_EOF, _FILE_PASS}:
            return False
        if kind in _BOF and value[2:4] == _MACRO_SHEET.to_bytes(2, "little"):
            return True
        if kind == _BOUND_SHEET and len(value) > 5 and value[5] in _SHEETS_OF_MACROS:
            return True
        at += 4 + length
    # No program writes so many.
    return True


def _has_workbook_with_macros(content: bytes) -> bool:
    try:
        # One at a time: each may be as large as the file.
        for number, workbook in enumerate(_CompoundFile(content).streams(_WORKBOOKS)):
            if number == _STREAMS or _has_macro_sheet(workbook):
                return True
    except struct.error:
        return False
    except _SharedSectors:
        return True
    return False


class _SharedSectors(Exception):
    """The chains of a file have more sectors together than any program writes, because they share them."""


class _CompoundFile:
    """The streams of a compound file (MS-CFB section 2), as far as its chains of sectors can be followed."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        [shift] = struct.unpack_from("<H", content, 30)
        self._size = 4096 if shift == 12 else 512
        self._count = len(content) // self._size + 1
        # Twice, because a program may name sectors for what is empty.
        self._left = 2 * self._count
        directory, self._cutoff, mini_fat, difat = struct.unpack_from("<I4xII4xI", content, 48)
        self._fat = _table(self._sectors(self._fat_sectors(difat)))
        self._mini_fat = _table(self._sectors(self._chain(mini_fat, self._fat)))
        self._directory = self._sectors(self._chain(directory, self._fat))

    def streams(self, names: set[str]) -> Iterator[bytes]:
        """The content of each stream that has one of these names in lower case, in any storage.

        Raises:
            _SharedSectors: no program wrote the file.
        """
        read = set()
        for kind, name, start, size in self._entries():
            is_mini = size < self._cutoff
            if kind == _STREAM and name in names and (start, is_mini) not in read:
                read.add((start, is_mini))
                yield self._mini_stream(start) if is_mini else self._sectors(self._chain(start, self._fat))

    def _entries(self) -> Iterator[tuple[int, str, int, int]]:
        """Type, name, first sector and size of each entry of the directory."""
        for at in range(0, len(self._directory) - 127, 128):
            length, kind, start, size = struct.unpack_from("<HB49xII", self._directory, at + 64)
            name = self._directory[at : at + min(max(length - 2, 0), 62)].decode("utf-16-le", "replace").lower()
            yield kind, name, start, size

    def _mini_stream(self, start: int) -> bytes:
        whole = self._all_mini_streams
        return b"".join(whole[64 * number : 64 * number + 64] for number in self._chain(start, self._mini_fat))

    @cached_property
    def _all_mini_streams(self) -> bytes:
        roots = (first for kind, _, first, _ in self._entries() if kind == _ROOT)
        return self._sectors(self._chain(next(roots, _END_OF_CHAIN), self._fat))

    def _fat_sectors(self, difat: int) -> Iterable[int]:
        """The numbers of the sectors of the FAT: 109 in the header, the others in a chain of sectors."""
        found = dict.fromkeys(struct.unpack_from("<109I", self._content, 76))
        read = set()
        while difat < _END_OF_CHAIN and difat not in read and (numbers := _table(self._sectors([difat]))):
            read.add(difat)
            found |= dict.fromkeys(numbers[:-1])
            difat = numbers[-1]
        return islice((number for number in found if number < _END_OF_CHAIN), self._count)

    def _chain(self, start: int, fat: "memoryview[int]") -> Iterator[int]:
        for _ in range(self._count * self._size // 64):
            if start >= len(fat):
                return
            yield start
            start = fat[start]

    def _sectors(self, numbers: Iterable[int]) -> bytes:
        starts = ((number + 1) * self._size for number in dict.fromkeys(numbers))
        at = list(islice((start for start in starts if start < len(self._content)), self._left + 1))
        self._left -= len(at)
        if self._left < 0:
            raise _SharedSectors
        return b"".join(self._content[start : start + self._size] for start in at)


def _table(sectors: bytes) -> "memoryview[int]":
    return memoryview(sectors[: len(sectors) // 4 * 4]).cast("I")
