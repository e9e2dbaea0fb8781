"""Macros are found by what a document holds: VBA, macro sheets of Excel 4.0, in archives and whatever the names.

Over 300 lines, because each test builds the document that it is about, octet by octet.
"""

import struct
import tracemalloc
from collections.abc import Iterator
from io import BytesIO
from zipfile import ZIP_BZIP2, ZIP_STORED

import pytest
import xlwt

from mailstep.contracts import Attachment
from mailstep.testing import receive
from mailstep.validate import compound_file, macros
from mailstep.validate.archives import ArchiveQuota
from mailstep.validate.contents import look_into
from tests.support.archives import archive
from tests.support.compound_files import OLE, compound
from tests.support.messages import mail_with

VBA = OLE + bytes(600) + "_VBA_PROJECT".encode("utf-16-le")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def workbook(kind: int = 0, sheets: int = 1, rows: int = 1) -> bytes:
    """A workbook of Excel 97 to 2003; `kind` is the dt of its last sheet (MS-XLS section 2.4.28)."""
    book = xlwt.Workbook()
    for number in range(sheets):
        sheet = book.add_sheet(f"Sheet {number}")
        for row in range(rows):
            sheet.write(row, 0, f"{number} {row} some words to fill sectors")
    saved = BytesIO()
    book.save(saved)
    octets = bytearray(saved.getvalue())
    last = octets.rindex(struct.pack("<HH", 0x0085, 4 + 2 + 2 + 7))
    octets[last + 9] = kind
    return bytes(octets)


def record(number: int, value: bytes = b"") -> bytes:
    return struct.pack("<HH", number, len(value)) + value


def bound_sheet(kind: int) -> bytes:
    return record(0x0085, struct.pack("<IBB", 0, 0, kind) + b"\x06\x00Macro1")


def bof(kind: int, number: int = 0x0809) -> bytes:
    return record(number, struct.pack("<HHI", 0x0600, kind, 0) + bytes(8))


def reason(name: str, content: bytes) -> str | None:
    return receive(mail_with({name: content})).refused_by()


@pytest.mark.parametrize("name", ["a.xls", "a", "a.csv"])
def test_a_workbook_with_a_macro_sheet_of_excel_4_is_refused(name: str) -> None:
    """MS-XLS section 2.4.28: dt is 1 for a macro sheet, 0 for a worksheet, 2 for a chart."""
    assert reason(name, workbook(kind=1)) == "attachment_type"
    assert reason(name, workbook(kind=1, sheets=3, rows=40)) == "attachment_type"
    for kind in (0, 2):
        assert reason(name, workbook(kind=kind, sheets=3, rows=40)) is None


@pytest.mark.parametrize("mini", [False, True])
@pytest.mark.parametrize("name", ["Workbook", "Book", "WORKBOOK"])
def test_the_sectors_of_a_workbook_may_lie_in_any_order(name: str, mini: bool) -> None:
    filler = b"".join(record(0x0031, bytes(100)) for _ in range(30))
    for kind in (0, 1):
        stream = bof(0x0005) + filler + bound_sheet(0) + bound_sheet(kind) + record(0x000A)
        assert macros.are_in(compound(stream, name, mini)) == bool(kind)
    assert not macros.are_in(compound(bof(0x0005) + bound_sheet(1), "Contents", mini))


def test_what_begins_in_the_middle_of_a_record_is_no_record() -> None:
    looks = bound_sheet(1)
    assert not macros.are_in(compound(bof(0x0005) + record(0x0031, looks * 3) + bound_sheet(0) + record(0x000A)))


@pytest.mark.parametrize("number", [0x0009, 0x0209, 0x0409, 0x0809])
def test_a_workbook_that_is_in_no_compound_file_is_read_too(number: int) -> None:
    """Excel 2 to 4 wrote such files; 0x0040 in BOF says macro sheet, 0x0010 worksheet."""
    assert reason("a.xls", bof(0x0040, number) + record(0x000A)) == "attachment_type"
    assert reason("a.xls", bof(0x0010, number) + record(0x000A)) is None


def test_what_is_no_workbook_by_its_octets_is_not_opened_as_one_for_its_name() -> None:
    """docs/policy.md, `attachment_type`: the octets count before the name."""
    opened: list[Attachment] = []
    table = Attachment(filename="a.xls", media_type="text/csv", size_octets=1, sha256="0", key="k")
    for name, detected in (("a.xls", "application/pdf"), ("a.xls", None), ("a.csv", None)):
        file = table.model_copy(update={"filename": name, "media_type_detected": detected})
        look_into([file], lambda one: opened.append(one) or b"")  # type: ignore[func-returns-value]
    assert [(one.filename, one.media_type_detected) for one in opened] == [("a.xls", None)]


def with_sheet(kind: int, begins: int, *before: bytes, hidden: int = 0) -> bytes:
    """A stream of globals that name one sheet, and the sheet; `kind` is what the globals say, `begins` what it says."""
    start = bof(0x0005) + b"".join(before)
    place = len(start) + len(bound_sheet(kind)) + len(record(0x000A))
    named = record(0x0085, struct.pack("<IBB", place, hidden, kind) + b"\x06\x00Macro1")
    return start + named + record(0x000A) + bof(begins) + record(0x000A)


FILE_PASS = record(0x002F, bytes(54))


def test_the_macro_sheet_of_an_encrypted_workbook_is_found_by_where_it_begins() -> None:
    """MS-XLS section 2.2.10: neither BOF nor lbPlyPos is encrypted; Excel tries its default password without asking."""
    for kind in range(8):
        assert macros.are_in(compound(with_sheet(kind, 0x0040, FILE_PASS)))
        # What an encrypted BOUNDSHEET seems to say is not its kind.
        assert not macros.are_in(compound(with_sheet(kind, 0x0010, FILE_PASS)))


def test_a_sheet_is_what_it_says_itself_whatever_the_globals_call_it() -> None:
    assert macros.are_in(compound(with_sheet(0, 0x0040)))
    assert macros.are_in(compound(with_sheet(1, 0x0010)))
    assert not macros.are_in(compound(with_sheet(0, 0x0010)))


@pytest.mark.parametrize("hidden", [0, 1, 2])
def test_a_hidden_macro_sheet_is_found_too(hidden: int) -> None:
    """MS-XLS section 2.4.28, hsState: hidden, and hidden so that no menu shows it."""
    assert macros.are_in(compound(with_sheet(0, 0x0040, hidden=hidden)))
    assert not macros.are_in(compound(with_sheet(0, 0x0010, hidden=hidden)))


@pytest.mark.parametrize(
    ("records", "found"),
    [
        # Another record has another meaning at that place.
        (record(0x0031, bytes(5) + b"\x01\x00"), False),
        # The name of a sheet may be left out, and its kind may not.
        (record(0x0085, bytes(5) + b"\x01"), True),
        # A module of Excel 5 (MS-XLS section 2.4.28).
        (record(0x0085, bytes(5) + b"\x06"), True),
        (record(0x0085, bytes(5) + b"\x07"), False),
        (record(0x0085, bytes(5)), False),
        # A length has 16 bits without a sign (MS-XLS section 2.1.4): what is in the record is none.
        (record(0x0031, record(0x000A) * 10_000) + bound_sheet(1), True),
    ],
)
def test_only_the_kind_in_the_record_of_a_sheet_counts(records: bytes, found: bool) -> None:
    assert macros.are_in(compound(bof(0x0005) + records + record(0x000A))) == found
    assert macros.are_in(bof(0x0005) + records + record(0x000A)) == found


@pytest.mark.parametrize("more", [b"", b"\x31", b"\x31\x00\x01", b"\x31\x00\x09\x00"])
def test_a_workbook_that_ends_early_has_no_macros_and_is_no_error(more: bytes) -> None:
    assert macros.are_in(bof(0x0010) + more) is False
    assert macros.are_in(OLE + more) is False


def test_a_file_with_more_workbooks_than_any_document_is_not_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = compound(bof(0x0005) + bound_sheet(0) + record(0x000A))
    three = whole[: 1024 + 128] + whole[1024 + 128 : 1024 + 256] * 3 + whole[1536:]
    for most, accepted in ((2, False), (3, True)):
        monkeypatch.setattr(macros, "_STREAMS", most)
        assert macros.are_in(three) != accepted


def test_a_list_of_parts_that_is_too_long_to_tell_is_not_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(macros, "_CONTENT_TYPES_OCTETS", 1_000)
    assert not macros.are_listed(b"<Types/>".ljust(1_000))
    assert macros.are_listed(b"<Types/>".ljust(1_001))


def test_a_sector_of_the_table_counts_at_each_of_its_places() -> None:
    """MS-CFB section 2.5: the place of a FAT sector's number says for which sectors it stands."""
    # The FAT's sector for the sectors from 256 on is the third; the second is free, and the same as the first.
    for second in (0xFFFFFFFF, 0):
        assert macros.are_in(far_away(second))


def far_away(second: int) -> bytes:
    """A compound file whose workbook lies behind sector 256: the third FAT sector has its chain."""
    near = compound(bof(0x0005) + bound_sheet(1) + record(0x000A))
    stream = (bof(0x0005) + bound_sheet(1) + record(0x000A)).ljust(4096, b"\0")
    header = near[:76] + struct.pack("<109I", 0, second, 3, *[0xFFFFFFFF] * 106)
    third = struct.pack("<128I", *[*range(257, 264), 0xFFFFFFFE], *[0xFFFFFFFF] * 120)
    entry = near[1024 + 128 : 1024 + 256]
    entry = entry[:116] + struct.pack("<IQ", 256, 4096) + entry[128:]
    directory = near[1024 : 1024 + 128] + entry + bytes(256)
    sectors = [near[512:1024], directory, near[1536:2048], third]
    return header + b"".join(sectors).ljust(512 * 256, b"\0") + stream


def hostile(sectors: int) -> bytes:
    """A compound file whose DIFAT goes through every sector, each with numbers of its own."""
    header = OLE + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, 2, 1, 0, sectors) + struct.pack("<109I", *[0xFFFFFFFF] * 109)
    numbers = (range(1000 + 127 * number, 1127 + 127 * number) for number in range(sectors))
    return header + b"".join(struct.pack("<128I", *row, number + 1) for number, row in enumerate(numbers))


def test_the_tables_of_a_compound_file_take_no_more_memory_than_the_file() -> None:
    """A file of 28 MB had ValidateFunction count 7 million sectors: 620 MB, and it has 512."""
    content = hostile(4_000)
    tracemalloc.start()
    try:
        assert not macros.are_in(content)
        assert tracemalloc.get_traced_memory()[1] < 3 * len(content)
    finally:
        tracemalloc.stop()


def test_a_short_stream_is_found_without_reading_the_whole_directory_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    near = compound(bof(0x0005) + bound_sheet(0) + record(0x000A), mini=True)
    entry = near[1024 + 128 : 1024 + 256]
    # The directory has no root, and as many workbooks as it holds.
    content = near[:1024] + entry * 4 + near[1536:]
    asked: list[object] = []
    entries = compound_file.CompoundFile._entries

    def counted(file: compound_file.CompoundFile) -> Iterator[tuple[int, str, bytes, int, int]]:
        asked.append(file)
        return entries(file)

    monkeypatch.setattr(compound_file.CompoundFile, "_entries", counted)
    macros.are_in(content)
    assert len(asked) == 2


def test_a_broken_or_endless_compound_file_ends_without_a_crash() -> None:
    whole = compound(bof(0x0005) + bound_sheet(1) + record(0x000A))
    for end in range(8, len(whole), 37):
        assert macros.are_in(whole[:end]) in {True, False}
    # The chain of the stream, of the directory, and of the DIFAT names itself.
    for at, value in ((512 + 12, 3), (512 + 4, 1), (68, 0)):
        assert macros.are_in(whole[:at] + struct.pack("<I", value) + whole[at + 4 :]) in {True, False}


def test_what_is_read_of_a_hostile_compound_file_is_no_multiple_of_its_size() -> None:
    """ValidateFunction has 512 MB, and an archive of some kilobytes can hold a compound file of 60 MB."""
    sectors, directory = range(64), 64
    fat = struct.pack("<8192I", *range(1, 8192), 0xFFFFFFFE)  # all sectors are one chain
    header = compound(b"")[:512]
    header = header[:48] + struct.pack("<I", directory) + header[52:60] + struct.pack("<I", 0xFFFFFFFE) + header[64:76]
    header += struct.pack("<109I", *sectors, *[0xFFFFFFFF] * 45)
    entry = compound(b"")[1024 + 128 : 1024 + 244]
    books = b"".join(entry + struct.pack("<IQ", start, 1 << 20) for start in range(65, 69))
    hostile = (header + fat + books).ljust(4_000_000, b"\0")
    tracemalloc.start()
    try:
        assert macros.are_in(hostile)
        assert tracemalloc.get_traced_memory()[1] < 4 * len(hostile)
    finally:
        tracemalloc.stop()


def test_many_decoys_hide_no_workbook() -> None:
    whole = compound(bof(0x0005) + bound_sheet(0) + record(0x000A))
    directory = whole[1024 : 1024 + 512]
    entry = directory[128:256]
    assert macros.are_in(whole[:1024] + directory[:128] + entry * 3 + whole[1536:]) is False
    # As many as no program writes, in a directory of several sectors.
    book = bof(0x0005) + bound_sheet(0) + record(0x000A)
    assert macros.are_in(compound(book + b"".join(record(0x0031) for _ in range(8000)))) is False


def test_more_records_than_any_workbook_has_are_not_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(macros, "_RECORDS", 50)
    padded = bof(0x0005) + record(0x0031) * 60 + bound_sheet(0) + record(0x000A)
    assert macros.are_in(compound(padded))
    assert not macros.are_in(compound(bof(0x0005) + record(0x0031) * 40 + record(0x000A)))


@pytest.mark.parametrize("content", [VBA, workbook(kind=1)])
@pytest.mark.parametrize("name", ["a.doc", "a.xls", "a.txt", "no-end", "Ordner/ü.bin"])
@pytest.mark.parametrize("compression", [ZIP_STORED, 8])
def test_an_old_document_with_macros_is_found_in_an_archive_by_its_octets(
    name: str, content: bytes, compression: int
) -> None:
    assert reason("a.zip", archive((name, content), compression=compression)) == "attachment_type"
    within = archive(("b.zip", archive((name, content))), compression=compression)
    assert reason("a.zip", within) == "attachment_type"
    assert reason("a.zip", archive((name, workbook()), ("b.txt", OLE[:4]), compression=compression)) is None


CONTENT_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Override PartName="/xl/innocent.bin" ContentType="{}"/></Types>'
)


@pytest.mark.parametrize(
    "kind",
    [
        "application/vnd.ms-office.vbaProject",
        "application/vnd.ms-office.VBAPROJECT",
        "application/vnd.ms-excel.macrosheet+xml",
        "application/vnd.ms-excel.intlmacrosheet+xml",
        "application/vnd.ms-excel.macrosheet",
        "application/vnd.ms-excel.&#x6d;acrosheet+xml",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_macros_of_an_office_document_are_found_by_the_list_of_its_parts_whatever_their_names(
    kind: str, encoding: str
) -> None:
    """ISO/IEC 29500-2 section 7.2.3: the list gives each part its type; its name says nothing."""
    listed = CONTENT_TYPES.format(kind).encode(encoding)
    document = archive(("[Content_Types].xml", listed), ("xl/innocent.bin", b"x"))
    assert reason("a.xlsx", document) == "attachment_type"
    assert reason("a.zip", archive(("a.xlsx", document))) == "attachment_type"
    plain = CONTENT_TYPES.format(f"{XLSX}.main+xml").encode(encoding)
    assert reason("a.xlsx", archive(("[Content_Types].xml", plain), ("xl/innocent.bin", b"x"))) is None


def test_a_document_in_an_archive_is_looked_into_as_deep_as_an_archive_and_is_no_bomb_below() -> None:
    document = archive(("word/vbaProject.bin", b"x"))
    assert reason("a.zip", archive(("a.docx", document))) == "attachment_type"
    deeper = archive(("b.zip", archive(("a.docx", archive(("word/document.xml", b"x"))))))
    assert reason("a.zip", deeper) is None


@pytest.mark.parametrize("name", ["order.doc", "order.xls", "order.rtf", "order.dotx", "order", "Ordner/ü.dat"])
@pytest.mark.parametrize("compression", [ZIP_STORED, 8])
def test_an_office_document_with_macros_is_found_in_an_archive_by_its_octets(name: str, compression: int) -> None:
    """Word opens a document as what its octets are: one with macros may be called `.doc`, as of Office 97."""
    listed = CONTENT_TYPES.format("application/vnd.ms-office.vbaProject").encode()
    document = archive(("[Content_Types].xml", listed), ("word/document.xml", b"x"))
    assert reason("a.zip", archive((name, document), compression=compression)) == "attachment_type"
    plain = archive(("[Content_Types].xml", CONTENT_TYPES.format("text/xml").encode()), ("word/document.xml", b"x"))
    assert reason("a.zip", archive((name, plain), compression=compression)) is None


ACTIVE_MIME = "QWN0aXZlTWltZQAAAfAEAAAA"  # "ActiveMime" in Base64, and a header
PAGE = (
    'MIME-Version: 1.0\nContent-Type: multipart/related; boundary="b"\n\n--b\nContent-Type: text/html\n\n<p>x</p>\n'
    "--b\nContent-Type: application/x-mso\nContent-Transfer-Encoding: base64\n\n{}\n--b--\n"
)
WORD_2003 = '<?xml version="1.0"?>\n<?mso-application progid="Word.Document"?>\n<w:wordDocument w:macrosPresent="{}"/>'
FLAT = (
    '<?xml version="1.0"?>\n<?mso-application progid="Word.Document"?>\n<pkg:package>'
    '<pkg:part pkg:name="/word/x.bin" pkg:contentType="application/{}"/></pkg:package>'
)


@pytest.mark.parametrize(
    ("name", "evil", "good"),
    [
        ("a.doc", PAGE.format(ACTIVE_MIME), PAGE.format("UEsDBBQA")),
        ("a.xls", PAGE.format("\n ".join(ACTIVE_MIME)), PAGE.format("")),
        ("a.rtf", PAGE.format(ACTIVE_MIME), PAGE.format("")),
        ("a.xml", WORD_2003.format("yes"), WORD_2003.format("no")),
        ("a.doc", WORD_2003.format("yes"), WORD_2003.format("no")),
        ("a.xml", FLAT.format("vnd.ms-office.vbaProject"), FLAT.format("xml")),
        ("a.ppt", FLAT.format("vnd.ms-office.vbaProject"), FLAT.format("xml")),
    ],
)
def test_macros_in_a_document_that_is_a_text_are_found(name: str, evil: str, good: str) -> None:
    """Word opens "Single File Web Page", "Word 2003 XML" and flat OPC (ECMA-376 part 2) with their macros."""
    for encoding in ("utf-8", "utf-16"):
        document = evil.encode(encoding)
        assert reason(name, document) == "attachment_type"
        assert reason("a.zip", archive((name, document))) == "attachment_type"
        assert reason(name, good.encode(encoding)) is None
        assert reason("a.zip", archive((name, good.encode(encoding)))) is None


def test_a_large_document_in_an_archive_is_accepted() -> None:
    """Only the list of the parts of an office document is bounded by its length: it has some 150 octets for each."""
    assert reason("a.zip", archive(("a.doc", OLE + bytes(5_000_000)))) is None
    assert reason("a.zip", archive(("a.xls", compound(bof(0x0005) + record(0x000A)) + bytes(5_000_000)))) is None


def test_the_name_of_the_storage_of_macros_has_no_case() -> None:
    """MS-CFB section 2.6.4: names are compared in upper case."""
    assert reason("a.doc", OLE + bytes(600) + "_Vba_Project".encode("utf-16-le")) == "attachment_type"


def test_documents_in_archives_are_unpacked_within_the_quota(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailstep.validate.contents.ArchiveQuota", lambda: ArchiveQuota(inflated=10_000))
    assert reason("a.zip", archive(("a.doc", OLE + bytes(9_000)))) is None
    assert reason("a.zip", archive(("a.doc", OLE + bytes(10_000)))) == "archive_bomb"
    # BZIP2 takes four times as long.
    assert reason("a.zip", archive(("a.doc", OLE + bytes(2_400)), compression=ZIP_BZIP2)) is None
    assert reason("a.zip", archive(("a.doc", OLE + bytes(2_500)), compression=ZIP_BZIP2)) == "archive_bomb"


def test_a_file_of_excel_4_macros_is_a_program_by_its_name() -> None:
    assert reason("a.xlm", b"x") == "attachment_type"
