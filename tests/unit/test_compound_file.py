"""Streams of compound files (MS-CFB) of each layout: large sectors, far tables, odd names, a table that is cut off."""

import struct

import pytest

from mailstep.validate.compound_file import CompoundFile

SIGNATURE = bytes.fromhex("d0cf11e0a1b11ae1")
FREE, END = 0xFFFFFFFF, 0xFFFFFFFE
CUTOFF = 4096
BOOK = bytes(range(256)) * 40
"""The content of the stream, of more octets than a short stream has."""


def header(*, directory: int, fat: int, mini_fat: int = END, difat: int = END, shift: int = 9) -> bytes:
    """MS-CFB section 2.2."""
    begins = SIGNATURE + bytes(16) + struct.pack("<HHHHH", 0x3E, 4 if shift == 12 else 3, 0xFFFE, shift, 6) + bytes(6)
    numbers = struct.pack("<IIIIIIIII", 0, 1, directory, 0, CUTOFF, mini_fat, 1, difat, 1)
    return (begins + numbers + struct.pack("<109I", fat, *[FREE] * 108)).ljust(1 << shift, b"\0")


def entry(name: bytes, kind: int, start: int, size: int) -> bytes:
    """MS-CFB section 2.6.1."""
    written = name + b"\0\0"
    return (
        written.ljust(64, b"\0")
        + struct.pack("<HBB", len(written), kind, 1)
        + struct.pack("<III", FREE, FREE, FREE)
        + bytes(36)
        + struct.pack("<IQ", start, size)
    )


def directory(*entries: bytes, root: int = END) -> bytes:
    return entry("Root Entry".encode("utf-16-le"), 5, root, 0) + b"".join(entries)


def workbook(start: int, size: int = len(BOOK)) -> bytes:
    return entry("Workbook".encode("utf-16-le"), 2, start, size)


def chain(first: int, count: int) -> list[int]:
    """What the table has for sectors that follow each other."""
    return [*range(first + 1, first + count), END]


def table(numbers: list[int], size: int = 512) -> bytes:
    return struct.pack(f"<{len(numbers)}I", *numbers).ljust(size, b"\xff")


def found(content: bytes, octets: int | None = None) -> list[bytes]:
    return list(CompoundFile(content).streams({"workbook"}, octets))


def simple(*entries: bytes, shift: int = 9) -> bytes:
    """The table, the directory, and from sector 2 on the stream."""
    size = 1 << shift
    sectors = -(-len(BOOK) // size)
    names = directory(*(entries or (workbook(2),))).ljust(size, b"\0")
    fat = table([0xFFFFFFFD, END, *chain(2, sectors)], size)
    return header(directory=1, fat=0, shift=shift) + fat + names + BOOK.ljust(sectors * size, b"\0")


@pytest.mark.parametrize("shift", [9, 12])
def test_a_stream_is_read_whatever_the_size_of_the_sectors(shift: int) -> None:
    """MS-CFB section 2.2, "Sector Shift": 512 octets, or 4,096 in version 4."""
    [book] = found(simple(shift=shift))
    assert book[: len(BOOK)] == BOOK
    assert not book[len(BOOK) :].strip(b"\0")


def test_a_part_of_the_table_that_only_the_difat_names_is_read() -> None:
    """MS-CFB section 2.5: the header names 109 sectors of the table, which have the numbers of 13,952 sectors."""
    first, sectors = 109 * 128 + 8, len(BOOK) // 512
    last = first + sectors
    far = table([*[FREE] * 8, *chain(first, sectors)])
    whole = header(directory=1, fat=0, difat=last) + table([0xFFFFFFFD, END, 0xFFFFFFFD])
    whole += directory(workbook(first)).ljust(512, b"\0") + far
    # The sector that names it is the last of the file, and cut off.
    whole = whole.ljust(512 * (first + 1), b"\0") + BOOK + struct.pack("<I", 2)
    assert found(whole) == [BOOK]


def test_a_table_that_is_cut_off_is_read_as_far_as_it_goes() -> None:
    sectors = len(BOOK) // 512
    whole = header(directory=0, fat=1 + sectors) + directory(workbook(1)).ljust(512, b"\0") + BOOK
    assert found(whole + struct.pack(f"<{1 + sectors}I", END, *chain(1, sectors))) == [BOOK]


def test_a_size_that_no_file_has_hides_no_stream() -> None:
    """It has 32 bits without a sign, and only tells short streams from long ones."""
    [book] = found(simple(workbook(2, 0xFFFF_FFFF)))
    assert book == BOOK


def test_a_name_that_is_no_text_hides_no_stream() -> None:
    half_a_pair = b"\x00\xd8"
    assert found(simple(entry(half_a_pair, 2, 2, 1), workbook(2))) == [BOOK]


@pytest.mark.parametrize(("size", "sector"), [(len(BOOK), 512), (2_000, 64)], ids=["long", "short"])
def test_of_a_stream_whose_beginning_is_asked_for_little_more_is_read(size: int, sector: int) -> None:
    """The octets of a stream, up to the end of a sector (MS-CFB section 2.4: 64 octets for short streams)."""
    short = size < CUTOFF
    mini = table(chain(0, 32))
    names = directory(workbook(0 if short else 3, size), root=3).ljust(512, b"\0")
    fat = table([0xFFFFFFFD, END, END, *chain(3, len(BOOK) // 512)])
    whole = header(directory=1, fat=0, mini_fat=2) + fat + names + mini + BOOK
    for octets in (0, 1, 700):
        if octets or not short:
            [beginning] = found(whole, octets)
            assert BOOK.startswith(beginning)
            assert octets <= len(beginning) <= octets + sector
    [whole_stream] = found(whole)
    assert BOOK.startswith(whole_stream)
    assert len(whole_stream) == (2_048 if short else len(BOOK))
