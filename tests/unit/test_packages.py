"""Programs that a compound file is, or that somebody put into a document, are found by its octets."""

import struct
import tracemalloc
from uuid import UUID

import pytest

from mailstep.testing import receive
from mailstep.validate.packages import programs_in
from tests.support.archives import archive
from tests.support.compound_files import OLE, compound
from tests.support.messages import mail_with

EXE = b"MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff\0\0" + bytes(100)


def package(label: str, path: str = "C:\\x", content: bytes = b"x", name: str | None = None) -> bytes:
    """The data of an OLE package (MS-OLEDS section 2.3.6)."""
    packed = struct.pack("<H", 2) + label.encode() + b"\0" + (label if name is None else name).encode() + b"\0"
    packed += struct.pack("<HHI", 0, 3, len(path) + 1) + path.encode() + b"\0"
    packed += struct.pack("<I", len(content)) + content
    return struct.pack("<I", len(packed)) + packed


def reason(name: str, content: bytes) -> str | None:
    return receive(mail_with({name: content})).refused_by()


@pytest.mark.parametrize("mini", [False, True])
@pytest.mark.parametrize(
    "packed",
    [
        package("invoice.exe"),
        package("invoice.pdf", name="C:\\temp\\invoice.js"),
        package("invoice.pdf", path="C:\\temp\\invoice.hta"),
        package("invoice.pdf", content=EXE),
        package("invoice.pdf", content=bytes.fromhex("4c0000000114020000000000c000000000000046") + bytes(60)),
    ],
)
def test_a_program_that_somebody_put_into_a_document_is_refused(packed: bytes, mini: bool) -> None:
    document = compound(packed, "\x01Ole10Native", mini)
    assert reason("a.doc", document) == "attachment_type"
    # Word and Excel keep what somebody put into a document as a part of it.
    assert reason("a.docx", archive(("[Content_Types].xml", b""), ("word/embeddings/oleObject1.bin", document))) == (
        "attachment_type"
    )


def test_a_document_that_somebody_put_into_another_is_accepted() -> None:
    for mini in (False, True):
        for packed in (package("order.pdf", content=b"%PDF-1.4"), package("www.shop.example", "order.xlsx"), b"", b"x"):
            assert reason("a.doc", compound(packed, "\x01Ole10Native", mini)) is None
        # The stream of another name is no package.
        assert reason("a.doc", compound(package("invoice.exe"), "Contents", mini)) is None


@pytest.mark.parametrize("number", [0x82, 0x84, 0x86])
def test_an_installer_is_refused_whatever_its_name(number: int) -> None:
    """The classes of transforms, packages and patches of Windows Installer."""
    installer = compound(b"x", "x", class_id=UUID(f"000c10{number:02x}-0000-0000-c000-000000000046").bytes_le)
    assert programs_in(installer) == {"application/x-msi"}
    assert reason("a.doc", installer) == "attachment_type"
    assert reason("a.zip", archive(("a.pdf", installer))) == "attachment_type"
    # The class of a document of Word.
    assert reason("a.doc", compound(b"x", "x", class_id=UUID("00020906-0000-0000-c000-000000000046").bytes_le)) is None


def test_what_does_not_begin_as_a_compound_file_is_none() -> None:
    """MS-CFB section 2.2: the signature. Word opens nothing else as a document of Office 97 to 2003."""
    assert reason("a.doc", b"x" + compound(package("invoice.exe"), "\x01Ole10Native")[1:]) is None


def test_only_the_beginning_of_each_package_is_in_memory() -> None:
    whole = compound(package("a.pdf", content=bytes(40_000)), "\x01Ole10Native")
    end = (len(whole) - 512) // 512  # the number of the sector that follows
    fat = list(struct.unpack("<128I", whole[512:1024]))
    fat[1], fat[end:] = end, [*range(end + 1, 128), 0xFFFFFFFE]
    entry = whole[1024 + 128 : 1024 + 256]
    many = whole[:512] + struct.pack("<128I", *fat) + whole[1024:] + entry * 4 * (128 - end)
    tracemalloc.start()
    try:
        assert programs_in(many) == set()
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()


def test_more_packages_than_any_document_has_count_as_a_program() -> None:
    whole = compound(package("a.pdf"), "\x01Ole10Native", mini=True)
    root, entry = whole[1024 : 1024 + 128], whole[1024 + 128 : 1024 + 256]
    # The directory is the chain of the sectors 1 and 4 to 103, four entries each.
    fat = struct.pack("<128I", 0xFFFFFFFD, 4, 0xFFFFFFFE, 0xFFFFFFFE, *range(5, 104), 0xFFFFFFFE, *[0xFFFFFFFF] * 24)
    many = whole[:512] + fat + root + entry * 3 + whole[1536:] + entry * 400
    assert programs_in(many) == {"application/x-msdownload"}
    assert programs_in(whole) == set()


def test_a_broken_compound_file_ends_without_a_crash() -> None:
    whole = compound(package("a.exe", content=EXE), "\x01Ole10Native")
    for end in range(8, len(whole), 37):
        programs_in(whole[:end])
    assert programs_in(OLE + bytes(600)) == set()
