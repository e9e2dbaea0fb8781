"""Tables in other files than CSV and XLSX: XLS, XLSB, OpenDocument, archives, and files under another name.

Over 300 lines, most of which are cases and the smallest file of each format.
"""

import gzip
import io
import struct
import subprocess
import zipfile
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
import xlwt

from mailstep import limits
from mailstep.process.processors.tables import legacy_workbooks
from mailstep.process.processors.tables.legacy_reader import SECONDS_BOUND
from mailstep.process.processors.tables.limits import SIZE_BOUND, TableQuota, UnreadableTable
from mailstep.process.processors.tables.model import Table
from mailstep.process.processors.tables.reading import read
from tests.support.order_lists import LISTS, order_lists
from tests.support.tables import one

EXPECTED_KINDS = ["text", "date", "number", "number", "boolean", "text"]


def is_hidden(table: Table) -> bool:
    return any("Excel does not show this sheet" in note for note in table.notes)


def kinds(table: Table) -> list[str]:
    return [column.kind for column in table.columns]


def xls(*, hidden: bool = False) -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Orders")
    for place, name in enumerate(["customer", "day", "price", "share", "paid", "zip"]):
        sheet.write(0, place, name)
    for row in (1, 2):
        sheet.write(row, 0, "Müller")
        sheet.write(row, 1, date(2024, 1, row), xlwt.easyxf(num_format_str="dd.mm.yyyy"))
        sheet.write(row, 2, 1234.5 * row, xlwt.easyxf(num_format_str="#,##0.00"))
        sheet.write(row, 3, 0.1 * row, xlwt.easyxf(num_format_str="0.0%"))
        sheet.write(row, 4, row == 1)
        sheet.write(row, 5, f"0106{row}")
    if hidden:
        other = book.add_sheet("Notes")
        other.write(0, 0, "salary")
        other.visibility = 1
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def test_an_xls_workbook_is_shown_as_excel_shows_it() -> None:
    orders, notes = read("t.xls", xls(hidden=True), TableQuota())
    assert kinds(orders) == EXPECTED_KINDS
    assert orders.body[0] == ["Müller", "01.01.2024", "1,234.50", "10.0%", "TRUE", "01061"]
    assert orders.columns[2].figures
    assert orders.columns[2].figures.total == 3703.5
    assert (is_hidden(orders), is_hidden(notes), notes.header) == (False, True, ("salary",))


def test_a_broken_xls_workbook_is_a_sentence() -> None:
    whole = xls()
    for end in (600, 2_000, len(whole) - 600):
        with pytest.raises(UnreadableTable, match=r"^It .*\.$"):
            read("t.xls", whole[:end], TableQuota())


def test_an_xls_workbook_that_takes_too_long_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(legacy_workbooks, "SECONDS_BOUND", 0.001)
    with pytest.raises(UnreadableTable, match="memory or time"):
        read("t.xls", xls(), TableQuota())


def test_one_string_in_many_cells_of_an_xls_workbook_is_too_much() -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Orders")
    for place in range(2_500):
        sheet.write(place, 0, "x" * 32_000)
    stream = io.BytesIO()
    book.save(stream)
    assert len(stream.getvalue()) < 200_000
    with pytest.raises(UnreadableTable, match="memory or time"):
        read("t.xls", stream.getvalue(), TableQuota())


def test_the_process_that_reads_xls_is_given_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[dict[str, str]] = []
    run = subprocess.run

    def seen(*arguments: Any, **options: Any) -> Any:
        given.append(options["env"])
        return run(*arguments, **options)

    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    monkeypatch.setattr(subprocess, "run", seen)
    read("t.xls", xls(), TableQuota())
    assert [set(environment) for environment in given] == [{"PYTHONPATH", "LD_LIBRARY_PATH"}]


@pytest.mark.parametrize("name", ["EncryptedPackage", "EncryptionInfo EncryptedPackage"])
def test_a_password_is_said_as_such(name: str) -> None:
    with pytest.raises(UnreadableTable, match="has a password"):
        read("t.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500) + name.encode("utf-16-le"), TableQuota())


def archive(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return stream.getvalue()


OFFICE = "urn:oasis:names:tc:opendocument:xmlns"


def ods(tables: str, styles: str = "", manifest: str = "<manifest/>") -> bytes:
    content = (
        f'<office:document-content xmlns:office="{OFFICE}:office:1.0" xmlns:table="{OFFICE}:table:1.0" '
        f'xmlns:text="{OFFICE}:text:1.0" xmlns:style="{OFFICE}:style:1.0">'
        f"<office:automatic-styles>{styles}</office:automatic-styles>"
        f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>"
    )
    return archive(**{"content.xml": content.encode(), "META-INF/manifest.xml": manifest.encode()})


def cell(shown: str, **value: str) -> str:
    attributes = " ".join(f'office:{name.replace("_", "-")}="{each}"' for name, each in value.items())
    return f"<table:table-cell {attributes}><text:p>{shown}</text:p></table:table-cell>"


def row(*cells: str, times: int = 1) -> str:
    return f'<table:table-row table:number-rows-repeated="{times}">{"".join(cells)}</table:table-row>'


def test_an_opendocument_spreadsheet_is_read_as_it_is_shown() -> None:
    """OpenDocument 1.3 part 3, 9.1 and 19.385."""
    rows = row(*map(cell, ["customer", "day", "price", "share", "paid", "zip"])) + "".join(
        row(
            cell("Müller<text:s text:c='2'/>AG"),
            cell(f"0{n}.01.24", value_type="date", date_value=f"2024-01-0{n}"),
            cell("1.234,50 €", value_type="currency", value="1234.5"),
            cell("10 %", value_type="percentage", value="0.1"),
            cell("WAHR", value_type="boolean", boolean_value="true"),
            cell(f"0106{n}", value_type="string"),
        )
        for n in (1, 2)
    )
    empty = '<table:table-cell table:number-columns-repeated="16384"/>'
    hidden = '<style:style style:name="h"><style:table-properties table:display="false"/></style:style>'
    tables = f'<table:table table:name="Orders">{rows}{row(empty, times=1_048_000)}</table:table>'
    tables += f'<table:table table:name="Notes" table:style-name="h">{row(cell("salary"))}</table:table>'
    orders, notes = read("t.ods", ods(tables, hidden), TableQuota())
    assert kinds(orders) == EXPECTED_KINDS
    assert orders.body[0] == ["Müller  AG", "01.01.24", "1.234,50 €", "10 %", "WAHR", "01061"]
    assert orders.columns[2].figures
    assert orders.columns[2].figures.total == 2469
    assert orders.columns[1].period
    assert orders.columns[1].period.earliest == date(2024, 1, 1)
    assert (orders.rows, is_hidden(orders), notes.name, is_hidden(notes)) == (2, False, "Notes", True)


def test_repeated_cells_count_as_often_as_they_are_repeated() -> None:
    repeated = '<table:table-cell table:number-columns-repeated="3" office:value-type="float" office:value="7"/>'
    table = one(ods(f"<table:table>{row(*map(cell, 'abc'))}{row(repeated, times=2)}</table:table>"), "t.ods")
    assert table.body == [["7", "7", "7"]] * 2
    # 100 octets ask for 17,000,000,000 cells.
    endless = row(repeated.replace('"3"', '"16384"'), times=1_048_576)
    cut = one(ods(f"<table:table>{endless}</table:table>"), "t.ods", quota=TableQuota(cells=1_000_000))
    assert (cut.rows * len(cut.columns) <= 1_000_000, cut.complete) == (True, False)


def test_a_spreadsheet_under_a_password_says_so() -> None:
    manifest = (
        f'<m:manifest xmlns:m="{OFFICE}:manifest:1.0"><m:file-entry><m:encryption-data/></m:file-entry></m:manifest>'
    )
    with pytest.raises(UnreadableTable, match="has a password"):
        one(ods("", manifest=manifest), "t.ods")


def record(kind: int, content: bytes) -> bytes:
    head = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size = len(content)
    return head + (bytes([size]) if size < 128 else bytes([size & 0x7F | 0x80, size >> 7])) + content


def wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def xlsb() -> bytes:
    """A binary workbook as small as [MS-XLSB] lets it be."""
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    targets = {"worksheet": "sheet1.bin", "styles": "styles.bin", "sharedStrings": "strings.bin"}
    links = "".join(f'<Relationship Id="{k}" Type="{office}/{k}" Target="{t}"/>' for k, t in targets.items())
    names = ["customer", "day", "price", "share", "paid", "zip", "Müller", "01061", "01062"]

    def at(column: int, style: int = 0) -> bytes:
        return struct.pack("<II", column, style)

    def line(number: int) -> bytes:
        return record(0, struct.pack("<II", number, 0) + bytes(9))

    def rk(value: int) -> bytes:
        return struct.pack("<I", (value << 2 & 0xFFFFFFFF) | 2)

    header = line(0) + b"".join(record(7, at(place) + struct.pack("<I", place)) for place in range(6))
    body = b"".join(
        line(n)
        + record(7, at(0) + struct.pack("<I", 6))
        + record(2, at(1, 1) + rk(45291 + n))
        + record(5, at(2, 2) + struct.pack("<d", 1234.5 * n))
        + record(5, at(3, 3) + struct.pack("<d", 0.1 * n))
        + record(4, at(4) + bytes([n == 1]))
        + record(6, at(5) + wide(names[6 + n]))
        for n in (1, 2)
    )
    formats = {164: "dd.mm.yyyy", 165: "#,##0.00", 166: "0.0%"}
    styles = b"".join(record(44, struct.pack("<H", number) + wide(code)) for number, code in formats.items())
    cell_formats = b"".join(record(47, struct.pack("<HH", 0, number) + bytes(12)) for number in (0, *formats))
    return archive(
        **{
            "xl/workbook.bin": record(156, struct.pack("<II", 2, 1) + wide("worksheet") + wide("Orders")),
            "xl/_rels/workbook.bin.rels": f"<Relationships>{links}</Relationships>".encode(),
            "xl/sheet1.bin": header + body,
            "xl/styles.bin": styles + record(617, bytes(4)) + cell_formats + record(618, b""),
            "xl/strings.bin": b"".join(record(19, b"\0" + wide(name)) for name in names),
        }
    )


def test_a_binary_workbook_is_shown_as_excel_shows_it() -> None:
    table = one(xlsb(), "t.xlsb")
    assert kinds(table) == EXPECTED_KINDS
    assert table.body[0] == ["Müller", "01.01.2024", "1,234.50", "10.0%", "TRUE", "01061"]
    assert table.columns[2].figures
    assert table.columns[2].figures.total == 3703.5
    assert (table.name, is_hidden(table)) == ("Orders", True)


def test_a_broken_binary_workbook_is_a_sentence() -> None:
    with zipfile.ZipFile(io.BytesIO(xlsb())) as whole:
        parts = {name: whole.read(name) for name in whole.namelist()}
    for name in ("xl/sheet1.bin", "xl/strings.bin", "xl/styles.bin"):
        for end in range(1, len(parts[name]), 7):
            try:
                read("t.xlsb", archive(**{**parts, name: parts[name][:end]}), TableQuota())
            except UnreadableTable as error:
                assert str(error).startswith("It ")  # noqa: PT017 - it may also be read


CSV = b"day;price\r\n31.12.2024;1.234,50\r\n"


def test_an_archive_that_takes_too_much_memory_is_not_called_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    # The budget of the message turns the error into the sentence for the sender (process/each_attachment.py).
    def too_much(*_arguments: object) -> None:
        raise MemoryError

    octets = io.BytesIO()
    with zipfile.ZipFile(octets, "w") as archive:
        archive.writestr("t.csv", CSV)
    monkeypatch.setattr(zipfile.ZipFile, "open", too_much)
    with pytest.raises(MemoryError):
        read("t.zip", octets.getvalue(), TableQuota())


def test_csv_in_zip_and_gzip_is_read() -> None:
    assert one(gzip.compress(CSV), "t.csv.gz").body == [["31.12.2024", "1.234,50"]]
    first, second = read(
        "t.zip", archive(**{"a/x.csv": CSV, "y.tsv": b"a\tb\n1\t2\n", "readme.md": b"x"}), TableQuota()
    )
    assert (first.name, [*first.body], second.name, second.delimiter) == (
        "x.csv",
        [["31.12.2024", "1.234,50"]],
        "y.tsv",
        "\t",
    )


def test_an_archive_without_a_table_or_with_too_much_is_a_sentence() -> None:
    with pytest.raises(UnreadableTable, match="without a CSV file"):
        read("t.zip", archive(**{"readme.md": b"x"}), TableQuota())
    with pytest.raises(UnreadableTable, match="unpacks to more"):
        read("t.csv.gz", gzip.compress(bytes(SIZE_BOUND + 1)), TableQuota())
    with pytest.raises(UnreadableTable, match="unpacks to more"):
        read("t.zip", archive(**{"x.csv": bytes(SIZE_BOUND + 1)}), TableQuota())
    with pytest.raises(UnreadableTable, match="cannot be unpacked"):
        read("t.csv.gz", gzip.compress(CSV)[:-12], TableQuota())


def test_a_file_that_fails_in_an_archive_is_named_and_the_others_are_read() -> None:
    [table] = read("t.zip", archive(**{"x.csv": CSV, "bad.pdf.csv": b"%PDF-1.7"}), TableQuota())
    assert any("bad.pdf.csv in the archive" in note for note in table.notes)


def test_order_lists_in_eighteen_languages_are_read() -> None:
    right = 0
    for made in order_lists():
        [table] = read("orders.csv", made.content, TableQuota())
        right += table.header == made.header and table.body == made.rows
    assert right >= 0.95 * LISTS


@pytest.mark.parametrize(
    ("cells", "earliest"),
    [
        (["31.12.2024", "01.02.2024"], date(2024, 2, 1)),
        (["12/31/2024", "02/01/2024"], date(2024, 2, 1)),
        (["31/12/2024", "01/02/2024"], date(2024, 2, 1)),
        (["11/6/18", "12/7/18"], date(2018, 11, 6)),
        (["2024/12/31", "2024/2/1"], date(2024, 2, 1)),
        (["1. März 2024", "2. Dezember 2024"], date(2024, 3, 1)),
        (["Mar 1, 2024", "Dec 2, 2024"], date(2024, 3, 1)),
        (["01-Mar-24", "02-Dec-24"], date(2024, 3, 1)),
        (["2024-02-01T10:00:00Z", "2024-12-31T11:00:00Z"], datetime.fromisoformat("2024-02-01T10:00:00Z")),
        (["1/2/2024 9:05 PM", "1/13/2024 9:05 AM"], datetime(2024, 1, 2, 21, 5)),
        (["Jan-02-24", "Jan-13-24"], date(2024, 1, 2)),
        (["2024-Jan-31", "2024-Feb-01"], date(2024, 1, 31)),
        (["31JAN2024", "01FEB2024"], date(2024, 1, 31)),
        (["31/jan/2024", "01/fev/2024"], date(2024, 1, 31)),
        (["31. 1. 2024", "1. 2. 2024"], date(2024, 1, 31)),
        (["31. ledna 2024", "1. července 2024"], date(2024, 1, 31)),
        (["2024. január 31.", "2024. február 1."], date(2024, 1, 31)),
        (["31 janvier 2024", "1er février 2024"], date(2024, 1, 31)),
        (["31.01.2024 - 10:11", "01.02.2024 - 12:00"], datetime(2024, 1, 31, 10, 11)),
        (
            ["Wed Jan 31 2024 10:11:12 GMT+0100 (CET)", "Thu Feb 01 2024 10:11:12 GMT+0100 (CET)"],
            datetime.fromisoformat("2024-01-31 10:11:12+01:00"),
        ),
        (["31 Ocak 2024", "1 Şubat 2024"], date(2024, 1, 31)),
        (["31 января 2024 г.", "1 февраля 2024 г."], date(2024, 1, 31)),  # noqa: RUF001 - Russian
        (["Wed Jan 31 10:11:12 2024", "Thu Feb  1 10:11:12 2024"], datetime(2024, 1, 31, 10, 11, 12)),
        (["31.01.2024 10:11 Uhr", "01.02.2024 12:00 Uhr"], datetime(2024, 1, 31, 10, 11)),
        (["31/01/2024 10h11", "01/02/2024 12h00"], datetime(2024, 1, 31, 10, 11)),
        (["31.1.2024 klo 10.11", "1.2.2024 klo 12.00"], datetime(2024, 1, 31, 10, 11)),
        (["January 31, 2024 at 1:11 PM", "February 1, 2024 at 9:00 AM"], datetime(2024, 1, 31, 13, 11)),
        (["2024-01-31 오전 10:11", "2024-02-01 오후 1:11"], datetime(2024, 1, 31, 10, 11)),
        (["20240131 101112", "20240201 101112"], datetime(2024, 1, 31, 10, 11, 12)),
        (["20240131101112", "20240201101112"], datetime(2024, 1, 31, 10, 11, 12)),
        (
            ["[31/Jan/2024:10:11:12 +0000]", "[01/Feb/2024:10:11:12 +0000]"],
            datetime(2024, 1, 31, 10, 11, 12, tzinfo=UTC),
        ),
        (["2024-01-31 10:11:12+01", "2024-02-01 10:11:12+01"], datetime.fromisoformat("2024-01-31 10:11:12+01:00")),
        # RFC 5322 4.3: PST is 8 hours behind UTC.
        (["01/31/2024 10:11 PST", "02/01/2024 10:11 PST"], datetime.fromisoformat("2024-01-31 10:11:00-08:00")),
        (["0000-00-00", "2024-01-31"], date(2024, 1, 31)),
        (["10 am", "1 pm"], time(10)),
        (["37:30:00", "1:05:00"], timedelta(hours=1, minutes=5)),
        (["24:00", "8:30"], timedelta(hours=8, minutes=30)),
        (["+00:20", "-00:40"], timedelta(minutes=-40)),
        (["-1:30", "2:15"], timedelta(hours=-1, minutes=-30)),
        (["1:02.5", "0:59.8"], timedelta(seconds=59.8)),
    ],
)
def test_dates_in_their_common_orders_are_dates(cells: list[str], earliest: date | time | timedelta) -> None:
    column = one(("when\tn\n" + "".join(f"{each}\t1\n" for each in cells)).encode(), "t.tsv").columns[0]
    assert (column.kind, column.period and column.period.earliest) == ("date", earliest)


@pytest.mark.parametrize("cells", [["09:00-17:00", "10:00-12:00"], ["25:23", "18:25"], ["10.11", "12.45"]])
def test_opening_hours_scores_and_decimals_are_no_times(cells: list[str]) -> None:
    column = one(("when\tn\n" + "".join(f"{each}\t1\n" for each in cells)).encode(), "t.tsv").columns[0]
    assert column.kind != "date"


def test_one_odd_value_in_a_thousand_is_named_and_the_figures_stay() -> None:
    column = one(b"n\n" + b"10\n" * 500 + b"oops\n" + b"20\n" * 500).columns[0]
    assert (column.kind, column.odd_values, column.odd[0].row, column.odd[0].text) == ("number", 1, 501, "oops")
    assert column.figures
    assert (column.figures.total, column.figures.median) == (15_000, 15)


def test_a_decimal_mark_is_decided_by_all_columns_where_one_column_does_not_tell() -> None:
    german = one(b"a;b\n1.234;1,5\n2.500;2,5\n")
    english = one(b"a;b\n1.234;1.5\n2.500;2.5\n")
    totals = [table.columns[0].figures and table.columns[0].figures.total for table in (german, english)]
    assert totals == [3734, pytest.approx(3.734)]


def test_a_header_of_two_rows_is_joined() -> None:
    table = one(b"region,2023,,2024,\n,Q1,Q2,Q1,Q2\nNorth,1,2,3,4\nSouth,5,6,7,8\n")
    assert table.header == ("region", "2023 Q1", "2023 Q2", "2024 Q1", "2024 Q2")


def test_a_header_is_kept_although_a_column_repeats_its_name() -> None:
    assert one(b"a,b\n1,b\n2,c\n").header == ("a", "b")
    assert one(b"red,apple\ngreen,pear\nred,plum\n").header is None
    assert one(b"region,1,2,3\nN,70,80,90\nS,71,84,99\n").header == ("region", "1", "2", "3")
    assert one(b"N,70,80,90\nS,71,84,99\n").header is None
    assert one(b"id,AB-1\n").header == ("id", "AB-1")
    assert one(b"ann@example.com\nbob@example.com\n").header is None


def test_a_quoted_cell_of_several_lines_is_kept_and_a_lone_mark_swallows_no_row() -> None:
    assert one(b'id,note\n1,"a\nb, c\nd"\n2,x\n').body == [["1", "a\nb, c\nd"], ["2", "x"]]
    assert one(b'name,note\nBob,"multi\nline, with comma"\nCy,5" pipe\n').body == [
        ["Bob", "multi\nline, with comma"],
        ["Cy", '5" pipe'],
    ]
    assert one(b'id,note,n\n1,",5\n2,x,6\n3,",7\n4,y,8\n').rows == 4


def test_an_xls_workbook_gets_no_more_memory_than_the_function_has_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
    with pytest.raises(UnreadableTable, match="too much memory"):
        read("orders.xls", xls(), TableQuota())


def test_the_process_that_reads_xls_ends_before_the_attachments_time_does() -> None:
    assert 2 * SECONDS_BOUND < limits.ATTACHMENTS_SECONDS
