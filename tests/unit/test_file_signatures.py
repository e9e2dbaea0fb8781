"""The type of a file by its octets: programs are refused whatever their names are, in archives too; tables are not."""

from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZIP_STORED

import pytest

from mailstep.file_signatures import detected
from mailstep.testing import receive
from tests.support.archives import archive
from tests.support.messages import mail_with

EXE = b"MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff\0\0"
# The documents of each format say how it begins.
PROGRAMS = {
    "a program of Windows": EXE,
    "a program of Linux": b"\x7fELF\2\1\1\0" + bytes(60),
    "a program of macOS": bytes.fromhex("cffaedfe0700000103000000"),
    "a program of macOS, of 32 bits": bytes.fromhex("feedface0000001200000000"),
    "a class of Java": bytes.fromhex("cafebabe00000041"),
    "a program of Android": b"dex\n035\0" + bytes(60),
    "a shortcut (MS-SHLLINK section 2.1)": bytes.fromhex("4c0000000114020000000000c000000000000046") + bytes(60),
    "a disk (MS-VHDX section 2.2.1)": b"vhdxfileM\0i\0c\0",
    "a virtual disk": b"conectix\0\0\0\2\0\1\0\0",
    "an image of Windows": b"MSWIM\0\0\0\xd0\0\0\0",
    "help of Windows": b"ITSF\3\0\0\0\x60\0\0\0",
    "a cabinet": b"MSCF\0\0\0\0" + bytes(60),
    "an installer of macOS": b"xar!\0\x1c\0\1" + bytes(60),
    "an encoded script": b"#@~^DgAAAA==\x09UmD",
    "a table of SYLK": b'ID;PWXL;N;E\r\nP;PGeneral\r\nB;Y1;X1;D0 0 0 0\r\nC;Y1;X1;K"a"\r\nE\r\n',
    "macros of SYLK": b'ID;P\nO;E\nNN;Nauto_open;ER101C1\nC;X1;Y101;EEXEC("calc")\nE\n',
}


def reason(name: str, content: bytes) -> str | None:
    return receive(mail_with({name: content})).refused_by()


@pytest.mark.parametrize("of", PROGRAMS)
def test_a_program_is_known_by_its_octets_whatever_its_name(of: str) -> None:
    for name in ("a.csv", "a"):
        assert reason(name, PROGRAMS[of]) == "attachment_type"
        packed = archive(("read me.txt", b"x"), (name, PROGRAMS[of]))
        assert reason("a.zip", packed) == "attachment_type"


@pytest.mark.parametrize("compression", [ZIP_STORED, ZIP_DEFLATED, ZIP_BZIP2, ZIP_LZMA])
def test_a_program_in_an_archive_is_known_whatever_the_compression(compression: int) -> None:
    for program in (EXE, EXE + bytes(2_000_000)):
        packed = archive(("read me.txt", b"x"), ("a.pdf", program), compression=compression)
        assert reason("a.zip", packed) == "attachment_type"


def test_an_image_of_a_disc_is_known_by_its_octets() -> None:
    """ECMA-119 section 8.1.2: the identifier is in the seventeenth sector."""
    assert reason("a.pdf", bytes(0x8000) + b"\1CD001\1\0") == "attachment_type"
    assert reason("a.pdf", bytes(0x8000) + b"\1CD002\1\0") is None


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (bytes(0x8000) + b"\1CD001\1\0", "application/x-iso9660-image"),
        (EXE, "application/x-msdownload"),
        (b"%PDF-1.4\n", "application/pdf"),
        (b"%!PS-Adobe-3.0\n", "application/postscript"),
        (b"{\\rtf1 x}", "application/rtf"),
        # BOF of Excel 4; each of the two octets of its version may be any.
        (b"\t\4\6\0\n\n\x40\0\0\0", "application/vnd.ms-excel"),
        (b"MZ;12\n", None),
        (b"", None),
    ],
)
def test_each_type_has_its_registered_or_common_name(content: bytes, kind: str | None) -> None:
    assert detected(content) == kind


@pytest.mark.parametrize(
    "table",
    [
        b"ID;Preis;Menge\n1;2,50;3\n",
        b"ID;Product\nB;Banana\nC;Cherry\n",
        b"ID;P;X\nC;X5;Y\nB;Y1\n",
        b"ID,P\nC;X1;Y1;K1\n",
        b"MZ;12\nAB;3\n",
        b"MSCF;12\n",
        b"ITSF\n",
        b"xar!\n",
        b"conectix\n",
        b"#@~^ what a day\n",
        b"\tID;P\n",
    ],
)
def test_a_table_that_begins_as_a_program_does_is_a_table(table: bytes) -> None:
    assert reason("a.csv", table) is None
    assert reason("a.zip", archive(("a.csv", table))) is None


@pytest.mark.parametrize("hostile", [b"\n" * 8_000, b"\r\n" * 4_000, b"C" + b";X1" * 2_700, b"C;X1;Y1\n" * 1_000])
def test_lines_without_an_end_are_read_within_a_bound(hostile: bytes) -> None:
    assert detected(b"ID;P\n" + hostile) is None
