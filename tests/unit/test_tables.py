"""Tables as people send them: other delimiters and encodings, gaps, several sheets, and files that are not tables.

Over 300 lines, most of which are cases.
"""

import io
import random
import re
import zipfile
from datetime import date, datetime, timedelta

import pytest
from openpyxl import Workbook

from mailstep.contracts import Message
from mailstep.process.processors import tables as processor
from mailstep.process.processors.tables import number_formats, process
from mailstep.process.processors.tables.dates import moment_in
from mailstep.process.processors.tables.headers import kind
from mailstep.process.processors.tables.limits import TableQuota, UnreadableTable
from mailstep.process.processors.tables.model import Stored, StoredText, Table
from mailstep.process.processors.tables.presenting import facts
from mailstep.process.processors.tables.reading import is_table, read
from mailstep.process.processors.tables.summaries import SPREAD
from mailstep.testing import receive
from tests.support.messages import mail_with
from tests.support.steps import lines_run
from tests.support.tables import TITANIC, attachment, figures_of, one


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_delimiter_and_encoding_are_found(delimiter: str, encoding: str) -> None:
    rows = [["Stadt", "Größe", "Preis"], ["Zürich", "40", "1.5"], ["Genève", "50", "2.5"], ["Köln", "60", "3.5"]] * 3
    table = one("\r\n".join(delimiter.join(row) for row in rows[:10]).encode(encoding))
    assert [column.name for column in table.columns] == ["Stadt", "Größe", "Preis"]
    assert table.rows == 9


def test_a_column_of_numbers_has_its_figures_and_a_column_of_text_its_most_frequent_value() -> None:
    table = one(b"n,colour,none\n1,red,\n2,,\n6,red,\n")
    number, colour, none = table.columns
    assert (
        number.kind,
        figures_of(number).minimum,
        figures_of(number).mean,
        figures_of(number).maximum,
        number.missing,
    ) == (
        "number",
        1,
        3,
        6,
        0,
    )
    assert (colour.kind, colour.frequent, colour.missing, colour.figures) == ("text", (("red", 2),), 1, None)
    assert (none.kind, none.missing) == ("empty", 3)


@pytest.mark.parametrize("charset", ["iso-8859-5", "ibm866"])
def test_a_table_is_read_in_the_character_set_that_the_message_declares_for_it(charset: str) -> None:
    # Too short for a detector, which takes it for Chinese or Japanese.
    mail = mail_with({})
    mail.add_attachment("имя,n\nИя,1\n".encode(charset), "text", "csv", filename="t.csv", params={"charset": charset})
    answer = receive(mail).process("tables")
    assert "имя" in answer.text
    assert "Ия" in answer.text


@pytest.mark.parametrize(
    ("certain", "uncertain", "earliest"),
    [("12/25/2024", "03/04/2024", "2024-03-04"), ("25/12/2024", "03/04/2024", "2024-04-03"),
     ("25/12/2024", "3/4/2024", "2024-04-03")],
)  # fmt: skip
def test_a_column_that_tells_the_order_of_day_and_month_decides_it_for_the_others(
    certain: str, uncertain: str, earliest: str
) -> None:
    table = one(f"ordered,shipped\n{certain},{uncertain}\n{certain},{uncertain}\n".encode())
    shipped = table.columns[1]
    assert shipped.period
    assert str(shipped.period.earliest) == earliest
    assert table.notes == ()


def test_a_ragged_table_is_read_as_far_as_it_goes() -> None:
    table = one(b"a,b\n1\n2,3,4\n")
    assert (table.rows, [column.missing for column in table.columns]) == (2, [0, 1, 1])
    assert [column.name for column in table.columns] == ["a", "b", "column 3"]


def test_every_sheet_of_a_workbook_is_a_table() -> None:
    workbook = Workbook()
    first = workbook.active
    assert first
    first.title = "Prices"
    first.append(["sku", "price"])
    first.append(["A", 1.5])
    workbook.create_sheet("Stock").append(["sku"])
    stream = io.BytesIO()
    workbook.save(stream)
    prices, stock = read("t.xlsx", stream.getvalue(), TableQuota())
    assert (prices.name, prices.rows, figures_of(prices.columns[1]).mean) == ("Prices", 1, 1.5)
    assert (stock.name, stock.rows) == ("Stock", 0)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"PK\x03\x04 broken", b"\x00\x01\x02\xff" * 500])
def test_a_file_that_is_not_a_table_gets_a_sentence(content: bytes) -> None:
    with pytest.raises(UnreadableTable, match=r"\.$"):
        read("t.csv", content, TableQuota())


def test_a_table_is_known_by_media_type_or_name() -> None:
    assert is_table(attachment("x", "text/csv"))
    assert is_table(attachment("STOCK.XLSX", "application/octet-stream"))
    assert not is_table(attachment("photo.jpg", "image/jpeg"))


def test_a_long_table_in_chinese_is_read() -> None:
    table = one(("城市,值\n" + "北京市,1\n" * 30_000).encode())
    assert (table.rows, table.columns[0].frequent) == (30_000, (("北京市", 30_000),))


def test_a_column_of_numbers_has_its_spread() -> None:
    [column] = one(b"n\n" + b"".join(b"%d\n" % n for n in [0, 1, 2, 3, 24, 24])).columns
    # Two values in the first interval, two in the second, and two in the last.
    assert figures_of(column).spread == (2, 2, *[0] * (SPREAD - 3), 2)


@pytest.mark.parametrize("numbers", [b"5\n5\n", b"7\n"])
def test_numbers_without_a_spread_have_none(numbers: bytes) -> None:
    assert figures_of(one(b"n,m\n" + numbers.replace(b"\n", b",x\n")).columns[0]).spread == ()


def workbook(**sheets: dict[str, object]) -> bytes:
    made = Workbook()
    made.remove(made["Sheet"])
    for name, cells in sheets.items():
        sheet = made.create_sheet(name)
        for place, value in cells.items():
            sheet[place] = value
    stream = io.BytesIO()
    made.save(stream)
    return stream.getvalue()


def test_an_empty_sheet_is_left_out_and_numbers_are_as_they_were_typed() -> None:
    table = one(workbook(Stock={"A1": "n", "A2": 12}, Empty={}), "t.xlsx")
    assert (table.name, [*table.body]) == ("Stock", [["12"]])


def test_a_stray_cell_in_the_far_corner_gets_a_sentence_and_does_not_end_the_process() -> None:
    with pytest.raises(UnreadableTable, match="row 1,048,576"):
        read("t.xlsx", workbook(Stock={"A1": "n", "XFD1048576": "x"}), TableQuota())


FAR = [
    '<row r="1"><c r="xfd1048576"><v>1</v></c></row>',
    '<row r="1"><c r = "XFD1048576"><v>1</v></c></row>',
    "<row r='1048576'>" + "<c><v>1</v></c>" * 8 + "</row>",
    "<row>" + "<c><v>1</v></c>" * 16_384 + "</row>" + '<row r="1048576"><c><v>1</v></c></row>',
    '<x:row r="1"><x:c r="XFD1048576"><x:v>1</x:v></x:c></x:row>',
]


@pytest.mark.parametrize("rows", FAR, ids=["lower case", "white space", "far row", "unnamed cells", "prefix"])
def test_no_notation_of_a_far_cell_ends_the_process(rows: str) -> None:
    with pytest.raises(UnreadableTable, match="reaches to"):
        read("t.xlsx", sheet_of(rows), TableQuota())


def sheet_of(rows: str) -> bytes:
    """A workbook whose one sheet has these rows, as written."""
    source, stream = workbook(Stock={"A1": "n"}), io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(source)) as read, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        for member in read.namelist():
            content = read.read(member)
            if member.startswith("xl/worksheets/sheet"):
                content = re.sub(rb"<sheetData>.*</sheetData>", b"<sheetData>%s</sheetData>" % rows.encode(), content)
            made.writestr(member, content)
    return stream.getvalue()


def test_a_large_ordinary_table_is_read() -> None:
    cells = '<c r="A{0}"><v>{0}</v></c><c r="B{0}"><v>{0}</v></c><c r="C{0}"><v>{0}</v></c>'
    rows = "".join(f'<row r="{number}">{cells.format(number)}</row>' for number in range(1, 100_001))
    [table] = read("t.xlsx", sheet_of(rows), TableQuota())
    assert (table.rows, len(table.columns), table.complete) == (100_000, 3, True)


def test_many_wide_sheets_are_too_much_together() -> None:
    rows = "".join(f'<row r="{n}"><c r="GR{n}"><v>1</v></c></row>' for n in range(1, 10_001))
    quota = TableQuota(cells=2_500_000)
    whole, cut = (one(sheet_of(rows), "t.xlsx", quota=quota) for _ in range(2))
    assert (whole.complete, cut.complete, cut.rows < whole.rows) == (True, False, True)
    with pytest.raises(UnreadableTable, match="fewer sheets"):
        read("t.xlsx", sheet_of(rows), quota)


def test_tables_that_are_too_much_together_are_named() -> None:
    quota = TableQuota(octets=30)
    read("t.csv", b"a,b\n1,2\n", quota)
    with pytest.raises(UnreadableTable, match="send it by itself"):
        read("t.csv", b"a,b\n" + b"1,2\n" * 6, quota)


def test_rows_that_the_quota_has_no_room_for_are_cut_and_the_cut_is_told() -> None:
    table = one(b"a,b\n" + b"1,2\n" * 100, quota=TableQuota(cells=104))
    assert (table.rows, table.complete) == (19, False)
    assert any("Only the first 19 rows were read" in note for note in table.notes)
    rows = "".join(f'<row r="{n}"><c><v>{n}</v></c><c><v>{n}</v></c></row>' for n in range(1, 101))
    long = one(sheet_of(rows), "t.xlsx", quota=TableQuota(cells=40))
    assert (long.rows, long.complete) == (20, False)
    assert any("Only the first 20 rows were read" in note for note in long.notes)


def test_no_broken_workbook_is_more_than_a_sentence() -> None:
    good = workbook(Stock={"A1": "n", "A2": 1})
    chosen = random.Random(1)  # noqa: S311 - the same every time
    tables: list[Table] = []
    sentences: list[str] = []
    for _ in range(1_500):
        broken = bytearray(good)
        for _ in range(chosen.randint(1, 8)):
            broken[chosen.randrange(4, len(broken))] = chosen.randrange(256)
        try:
            tables += read("t.xlsx", bytes(broken), TableQuota())
        except UnreadableTable as error:
            sentences.append(str(error))
    assert tables
    assert all(table.columns for table in tables)
    assert sentences
    assert all(sentence.startswith("It ") and sentence.endswith(".") for sentence in sentences)


def test_quotes_that_first_come_late_in_a_table_are_read() -> None:
    assert one(b"name,note\n" + b"Ann,plain\n" * 600 + b'Bob,"say ""hi"", ok"\n').body[-1] == ["Bob", 'say "hi", ok']


NO_NUMBERS = [
    *("00123", "1e308", "inf", "-inf", "1_000", "E5", "e5", "-E5", "+e1", "+", "1e", "1e+", ".e5", "5 kg", "1 2"),
    *("+49 30 1234", "555 1234", "192.168.1.20", "10.0.0.1", "DE89370400440532013000", "12:30:61", "1.23.456"),
    *("1e999", "1" + "0" * 400, "--5", "+-5", "1.2.3", "0x10", "5."),
    *("²", "1²", "Ⅻ", "一二", "\uff10\uff11\uff12", "1\u200b", "C85", "E46"),
]


@pytest.mark.parametrize("value", NO_NUMBERS)
def test_what_only_looks_like_a_number_is_text(value: str) -> None:
    column = one(f"a\n{value}\n{value}\n".encode()).columns[0]
    assert (column.kind, column.frequent) == ("text", ((value, 2),))


@pytest.mark.parametrize("value", ["0", "-0", "+5", ".5", "-.5e3", "0.0", "12E-7", "1e99", "9" * 99, "123456.789",
                                   "٣", "\uff11\uff12", "५", "۱۲"])  # fmt: skip
def test_what_is_a_number_has_the_value_that_python_reads(value: str) -> None:
    column = one(f"a\n{value}\n".encode()).columns[0]
    assert (column.kind, float(figures_of(column).minimum), float(figures_of(column).maximum)) == (
        "number",
        float(value),
        float(value),
    )


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("１，２３４．５", 1234.5),  # noqa: RUF001 - as a Japanese keyboard writes it
        ("¥１２００", 1200),  # noqa: RUF001
        ("－５", -5),  # noqa: RUF001
        ("١٬٢٣٤٫٥", 1234.5),  # noqa: RUF001
        ("١٢٪", 0.12),
    ],
)
def test_the_digits_and_signs_of_other_keyboards_are_numbers(value: str, meant: float) -> None:
    """Unicode, General_Category Nd; U+066B and U+066C are the Arabic decimal and thousands separators."""
    column = one(f"a\n{value}\n{value}\n".encode()).columns[0]
    assert column.kind == "number"
    assert figures_of(column).maximum == pytest.approx(meant)


def test_the_largest_numbers_have_a_mean_and_a_spread() -> None:
    largest = "9" * 96 + "e99"
    column = one(f"a\n{largest}\n{largest}\n-{largest}\n".encode()).columns[0]
    assert figures_of(column).mean == pytest.approx(float(largest) / 3)
    assert sum(figures_of(column).spread) == 3
    assert len("; ".join(facts(column))) < 1_000


def test_a_table_of_passengers_with_a_cabin_e5_is_answered_with_its_table() -> None:
    table = one(TITANIC)
    kinds = {column.name: column.kind for column in table.columns}
    assert (table.rows, kinds["Cabin"], kinds["Age"], kinds["Fare"]) == (4, "text", "number", "number")
    assert table.body[3][10] == "E5"


def test_an_unforeseen_error_at_one_attachment_leaves_the_others_their_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(filename: str, content: bytes, quota: TableQuota, *, declared: str | None = None) -> list[Table]:
        if filename == "bad.csv":
            raise ZeroDivisionError
        return read(filename, content, quota, declared=declared)

    monkeypatch.setattr(processor, "read", fails)
    answer = receive(mail_with(dict.fromkeys(("bad.csv", "good.csv"), b"a\n1\n2\n"))).process("tables")
    [bad, good] = answer.text.split("\n\n")[1:]
    assert bad.startswith("bad.csv")
    assert "Please save it again" in bad
    assert "2 rows, 1 column\n" in good
    assert "good (cleaned).csv" in {one.filename for one in answer.attachments}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "not a workbook"),
        (b"%PDF-1.7\n1,2\n", "a PDF"),
        (b"<html><table><tr><td>1", "a web page"),
        (b"\x00\x01\x02\xff" * 500, "not text"),
        (bytes(300) + b"a,b", "not text"),
    ],
    ids=["compound file", "PDF", "HTML", "octets", "NUL"],
)
def test_what_cannot_be_summarised_gets_a_sentence_that_says_what_to_do(content: bytes, told: str) -> None:
    with pytest.raises(UnreadableTable, match=told) as refused:
        read("t.csv", content, TableQuota())
    assert re.match(r"It .*please .*\.$", str(refused.value))


def test_a_header_may_be_empty_or_repeat_itself() -> None:
    assert [column.name for column in one(b"a,,a,\n1,2,3,4\n").columns] == ["a", "column 2", "a", "column 4"]


def test_a_reply_stays_short_whatever_the_tables_hold() -> None:
    wide = (",".join("n" * 5_000 for _ in range(200)) + "\n" + ",".join("v" * 5_000 for _ in range(200))).encode()
    made = Message(email_id="m", route="r", size_octets=1, attachments=tuple(attachment(f"{n}.csv") for n in range(10)))
    answer = process(made, lambda _: wide)
    assert answer.html
    assert (answer.text.count("- n"), len(answer.html) < 1_000_000) == (processor.COLUMNS_SHOWN, True)
    assert "and 200 more columns" in answer.text
    assert len(answer.attachments) == 20


def test_quotation_marks_make_no_work_for_the_search_of_a_delimiter() -> None:
    """500 octets took minutes: the time of csv.Sniffer grows with the fourth power of their number."""
    table = one(('a,"b",c\n' + '"' * 2_500 + "x\n1,2,3\n").encode())
    assert [column.name for column in table.columns][:3] == ["a", "b", "c"]


@pytest.mark.parametrize(
    "text",
    ["a;b\n1,5;2,5\n1,7;3,0\n", "a\tb\n1,5\t2\n", "a|b\n1|x;y\n2|z\n", "a,b\n1,x;y\n2,z\n", 'a,b\n"x;y",2\n'],
)
def test_the_delimiter_is_the_one_that_makes_even_rows(text: str) -> None:
    table = one((text).encode())
    assert [column.name for column in table.columns] == ["a", "b"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a@" + "." * 400_000 + "@\nabc\nabd\n", id="a name of points"),
        pytest.param(",".join(f"ab;{place:06}" for place in range(90_000)), id="two delimiters in a line"),
        pytest.param('"a\n",' * 150_000 + '"b"c\n1,2,3\n', id="cells of two lines in a row"),
    ],
)
def test_no_table_makes_the_reader_search_the_same_text_again_and_again(text: str) -> None:
    """Its work grows with the length of the file, not with its square: the square would take minutes and hours."""
    assert read("a.csv", text.encode(), TableQuota())


def test_a_format_of_many_minutes_takes_work_in_proportion() -> None:
    def shown(code: str) -> object:
        return number_formats.cell(45_000.5, code, datetime(1899, 12, 30))

    number_formats.kind.cache_clear()
    half, whole = (lines_run(shown, "m:" * parts) for parts in (60, 120))
    assert whole < 2.5 * half


def test_a_text_of_digits_is_no_number_though_another_cell_says_the_same() -> None:
    """A workbook says which of its cells are texts (ECMA-376 Part 1 section 18.3.1.4, `t="s"`)."""
    assert [kind(cell) for cell in ("2024", StoredText("2024"), Stored("2024", 2024), "2024")] == [
        "number",
        "text",
        "number",
        "number",
    ]


@pytest.mark.parametrize(
    "name",
    ["Project 5 2024", "Pro 5 2024", "LED 12 2024", "12LED2024", "Temp 3 2024", "Dublin 5 2024", "Liga 2 2024",
     "Kasse 3 2024", "Heinz 5 2024", "версия 2 2024", "2024-01-01 09:00-17"],
)  # fmt: skip
def test_a_name_that_begins_as_a_month_does_and_a_span_of_hours_are_no_dates(name: str) -> None:
    assert moment_in(name, day_first=True) is None


@pytest.mark.parametrize(
    ("text", "month"),
    [("5. led 2024", 1), ("5 Oca 2024", 1), ("12. prosince 2024", 12), ("5 Aral\u0131k 2024", 12),
     ("5 листопада 2024", 11), ("5. heinäkuuta 2024", 7), ("5 Kas 2024", 11), ("3 noiembrie 2024", 11), ("5 вер. 2024", 9)],
)  # fmt: skip
def test_the_months_of_many_languages_are_known_whole_and_short(text: str, month: int) -> None:
    """Unicode CLDR, the names of months in `cs`, `tr`, `uk`, `fi` and `ro`."""
    found = moment_in(text, day_first=True)
    assert isinstance(found, date)
    assert found.month == month


def test_an_offset_in_hours_follows_the_seconds_as_postgresql_writes_it() -> None:
    found = moment_in("2024-01-01 09:00:00-05", day_first=True)
    assert isinstance(found, datetime)
    assert found.utcoffset() == timedelta(hours=-5)
