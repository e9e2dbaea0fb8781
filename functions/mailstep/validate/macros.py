"""Finds macros by the octets of office documents: VBA, and the macro sheets of Excel 4.0.

A hostile file may lie about each length and chain: no chain is longer than the file, and no table than the file needs.
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
_NUMBER = 4  # octets of a sector's number in a table
_MINI_SECTOR = 64
# Records of a workbook (MS-XLS sections 2.4.21, 2.4.28, 2.4.103 and 2.4.117); BOF of Excel 2 to 4 has other numbers.
_BOF, _BOUND_SHEET, _EOF, _FILE_PASS = {0x0809, 0x0409, 0x0209, 0x0009}, 0x0085, 0x000A, 0x002F
_MACRO_SHEET = 0x0040  # in a BOF
_SHEETS_OF_MACROS = {1, 6}  # in a BOUNDSHEET: a macro sheet, a module of Excel 5


def are_in(content: bytes) -> bool:
    """Whether a compound file, or a workbook of Excel outside of one, has macros."""
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
    """Whether the globals of a workbook name a macro sheet, or the stream is one.

    Excel opens a workbook with its default password without asking, so an encrypted one counts too. The kind in a
    BOUNDSHEET is encrypted then, but neither its place of the sheet nor the sheet's BOF is (MS-XLS section 2.2.10).
    """
    at, is_encrypted = 0, False
    for _ in range(_RECORDS):
        kind, value = _record(stream, at)
        if kind in {None, _EOF}:
            return False
        if _begins_macro_sheet(kind, value):
            return True
        if kind == _BOUND_SHEET and len(value) > 5:
            is_named = not is_encrypted and value[5] in _SHEETS_OF_MACROS
            if is_named or _begins_macro_sheet(*_record(stream, int.from_bytes(value[:4], "little"))):
                return True
        is_encrypted = is_encrypted or kind == _FILE_PASS
        at += 4 + len(value)
    # No program writes so many.
    return True


def _record(stream: bytes, at: int) -> tuple[int | None, bytes]:
    """The number and the value of the record at a place; None and nothing at the end."""
    if at + 4 > len(stream):
        return None, b""
    kind, length = struct.unpack_from("<HH", stream, at)
    return kind, stream[at + 4 : at + 4 + length]


def _begins_macro_sheet(kind: int | None, value: bytes) -> bool:
    return kind in _BOF and value[2:4] == _MACRO_SHEET.to_bytes(2, "little")


def _has_workbook_with_macros(content: bytes) -> bool:
    try:
        workbooks = _CompoundFile(content).streams(_WORKBOOKS)
        # One at a time: each may be as long as the file.
        return any(number > _STREAMS or _has_macro_sheet(book) for number, book in enumerate(workbooks, start=1))
    except struct.error:
        return False


class _CompoundFile:
    """The streams of a compound file (MS-CFB section 2), as far as its chains of sectors can be followed.

    No table is longer than that of a file of this size: whatever follows would stand for sectors that it does not have.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        [shift] = struct.unpack_from("<H", content, 30)
        self._size = 4096 if shift == 12 else 512
        self._count = len(content) // self._size + 1
        directory, self._cutoff, mini_fat, difat = struct.unpack_from("<I4xII4xI", content, 48)
        self._fat = self._table(self._fat_sectors(difat), self._count)
        self._mini_fat = self._table(self._chain(mini_fat, self._fat), self._count * self._size // _MINI_SECTOR)
        self._directory = self._sectors(self._chain(directory, self._fat))

    def streams(self, names: set[str]) -> Iterator[bytes]:
        """The content of each stream that has one of these names in lower case, in any storage."""
        for kind, name, start, size in self._entries():
            if kind == _STREAM and name in names:
                yield self._mini_stream(start) if size < self._cutoff else self._sectors(self._chain(start, self._fat))

    def _entries(self) -> Iterator[tuple[int, str, int, int]]:
        """Type, name, first sector and size of each entry of the directory."""
        for at in range(0, len(self._directory) - 127, 128):
            length, kind, start, size = struct.unpack_from("<HB49xII", self._directory, at + 64)
            name = self._directory[at : at + min(max(length - 2, 0), 62)].decode("utf-16-le", "replace").lower()
            yield kind, name, start, size

    def _mini_stream(self, start: int) -> bytes:
        numbers = self._chain(start, self._mini_fat)
        return b"".join(self._mini_sectors[_MINI_SECTOR * number : _MINI_SECTOR * (number + 1)] for number in numbers)

    @cached_property
    def _mini_sectors(self) -> memoryview:
        """The stream of the root, which has all short streams."""
        root = next((first for kind, _, first, _ in self._entries() if kind == _ROOT), _END_OF_CHAIN)
        return memoryview(self._sectors(self._chain(root, self._fat)))

    def _fat_sectors(self, difat: int) -> Iterator[int]:
        """The numbers of the sectors of the FAT: 109 in the header, the others in a chain of sectors."""
        yield from struct.unpack_from("<109I", self._content, 76)
        while difat < _END_OF_CHAIN and (sector := self._sector(difat)):
            *numbers, difat = memoryview(sector.ljust(self._size, b"\xff")).cast("I")
            yield from numbers

    def _chain(self, start: int, fat: "memoryview[int]") -> Iterator[int]:
        for _ in range(len(fat)):
            if start >= len(fat):
                return
            yield start
            start = fat[start]

    def _table(self, sectors: Iterable[int], numbers: int) -> "memoryview[int]":
        """The table in these sectors, for so many sectors. The place of each counts, also of one that is not there."""
        most = numbers * _NUMBER // self._size + 1
        found = b"".join(self._sector(number).ljust(self._size, b"\xff") for number in islice(sectors, most))
        return memoryview(found).cast("I")

    def _sectors(self, numbers: Iterable[int]) -> bytes:
        return b"".join(map(self._sector, numbers))

    def _sector(self, number: int) -> bytes:
        return self._content[(number + 1) * self._size : (number + 2) * self._size]
