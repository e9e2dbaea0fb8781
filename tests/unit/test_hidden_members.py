"""Members of a ZIP archive that one program unpacks, and another does not see, are checked too (APPNOTE)."""

import zlib
from io import BytesIO
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZIP_STORED, ZipFile, ZipInfo

import pytest

from mailstep.contracts import Attachment
from mailstep.validate.contents import look_into
from tests.support.archives import archive

ZIP = Attachment(filename="a.zip", media_type="application/zip", size_octets=1, sha256="0", key="k")
EXE = {"application/x-msdownload"}
EVIL, GOOD = archive(("a.exe", b"x")), archive(("a.csv", b"1"))


def with_comment(packed: bytes, comment: bytes) -> bytes:
    """The same with a comment at its end (APPNOTE 4.3.16)."""
    end = packed.rindex(b"PK\x05\x06")
    return packed[: end + 20] + len(comment).to_bytes(2, "little") + comment


def at_their_places(first: bytes, second: bytes) -> bytes:
    """Two archives in a row, with the places that the second one names counted from the start of the first."""
    both = bytearray(first + second)

    def add(at: int) -> int:
        place = int.from_bytes(both[at : at + 4], "little") + len(first)
        both[at : at + 4] = place.to_bytes(4, "little")
        return place

    directory = add(both.rindex(b"PK\x05\x06") + 16)
    add(directory + 42)
    return bytes(both)


def with_name_in_extra_field(name: bytes, other: bytes) -> bytes:
    """An archive with one member, whose extra field says another name (APPNOTE 4.6.9)."""
    value = b"\1" + zlib.crc32(name).to_bytes(4, "little") + other
    member = ZipInfo(name.decode())
    member.extra = b"\x75\x70" + len(value).to_bytes(2, "little") + value
    packed = BytesIO()
    with ZipFile(packed, "w") as made:
        made.writestr(member, b"x")
    return packed.getvalue()


def of_version(packed: bytes, version: int) -> bytes:
    """The same, said to need that version to be unpacked (APPNOTE 4.4.3)."""
    central = packed.rindex(b"PK\x01\x02")
    return packed[: central + 6] + version.to_bytes(2, "little") + packed[central + 8 :]


def programs_in(packed: bytes) -> set[str]:
    return look_into([ZIP], lambda _: packed).programs[1]


@pytest.mark.parametrize(
    "packed",
    [
        EVIL + GOOD,
        GOOD + EVIL,
        at_their_places(EVIL, GOOD),
        at_their_places(GOOD, EVIL),
        EVIL + with_comment(archive(), b"x"),
        with_comment(EVIL, GOOD),
        with_comment(GOOD, EVIL),
        b"octets before" + EVIL,
        GOOD.replace(b"a.csv", b"a.exe", 1),
        EVIL.replace(b"a.exe", b"a.csv", 1),
        with_name_in_extra_field(b"a.csv", b"a.exe"),
        with_name_in_extra_field(b"a.exe", b"a.csv"),
        of_version(EVIL, 99),
        EVIL[: EVIL.index(b"PK\x01\x02")],
        EVIL[:-1],
    ],
)
def test_a_program_is_found_by_each_name_that_the_archive_has_for_it(packed: bytes) -> None:
    """Programs differ in which of two archives, directories, headers and names they believe."""
    assert programs_in(packed) == EXE
    assert programs_in(packed.replace(b"a.exe", b"b.csv")) == set()


@pytest.mark.parametrize("compression", [ZIP_STORED, ZIP_DEFLATED, ZIP_BZIP2, ZIP_LZMA])
def test_a_program_deep_in_an_archive_that_others_unpack_is_found(compression: int) -> None:
    inside = archive(("b.zip", EVIL), compression=compression)
    assert programs_in(inside + GOOD) == EXE
    assert programs_in(inside.replace(b"b.zip", b"c.zip", 1)) == EXE, "headers that differ"


def test_three_archives_may_be_in_a_row_and_not_four() -> None:
    assert not look_into([ZIP], lambda _: GOOD * 3).is_bomb
    assert look_into([ZIP], lambda _: GOOD * 4).is_bomb
