"""Reads the streams of compound files (MS-CFB): documents of Office 97 to 2003, and whatever else is kept in them.

A hostile file may lie about each length and chain: no chain is longer than the file, and no table than the file needs.
"""

import struct
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import islice

_END_OF_CHAIN = 0xFFFFFFFA  # and what is above (MS-CFB section 2.1)
_STREAM, _ROOT = 2, 5
_NUMBER = 4  # octets of a sector's number in a table
_MINI_SECTOR = 64


class CompoundFile:
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

    @property
    def root_class(self) -> bytes:
        """The CLSID of the root, which tells what the file is (MS-CFB section 2.6.1); nothing without a root."""
        return next((class_id for kind, _, class_id, _, _ in self._entries() if kind == _ROOT), b"")

    def streams(self, names: set[str], octets: int | None = None) -> Iterator[bytes]:
        """The content of each stream that has one of these names in lower case, in any storage.

        Or its beginning: some more than so many `octets`.
        """
        for kind, name, _, start, size in self._entries():
            if kind == _STREAM and name in names:
                yield (self._mini_stream if size < self._cutoff else self._stream)(start, octets)

    def _entries(self) -> Iterator[tuple[int, str, bytes, int, int]]:
        """Type, name, CLSID, first sector and size of each entry of the directory."""
        for at in range(0, len(self._directory) - 127, 128):
            length, kind, class_id, start, size = struct.unpack_from("<HB13x16s20xII", self._directory, at + 64)
            name = self._directory[at : at + min(max(length - 2, 0), 62)].decode("utf-16-le", "replace").lower()
            yield kind, name, class_id, start, size

    def _stream(self, start: int, octets: int | None) -> bytes:
        return self._sectors(islice(self._chain(start, self._fat), octets and octets // self._size + 1))

    def _mini_stream(self, start: int, octets: int | None) -> bytes:
        numbers = islice(self._chain(start, self._mini_fat), octets and octets // _MINI_SECTOR + 1)
        return b"".join(self._mini_sectors[_MINI_SECTOR * number : _MINI_SECTOR * (number + 1)] for number in numbers)

    @cached_property
    def _mini_sectors(self) -> memoryview:
        """The stream of the root, which has all short streams."""
        root = next((first for kind, _, _, first, _ in self._entries() if kind == _ROOT), _END_OF_CHAIN)
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
