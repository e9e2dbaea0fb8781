"""The cleaned tables: what comes back is what the sender wrote, typed, and no spreadsheet runs any of it."""

import csv
import io
import re
import zipfile
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.utils.escape import unescape

from mailstep import limits
from mailstep.contracts import AnswerAttachment
from mailstep.process.processors.tables.csv_files import as_csv
from mailstep.process.processors.tables.formulas import harmless, may_hold_formulas
from mailstep.process.processors.tables.limits import TableQuota, TooLargeToReturn
from mailstep.process.processors.tables.model import Column, Table
from mailstep.process.processors.tables.reading import read
from mailstep.process.processors.tables.returning import Files
from mailstep.process.processors.tables.rows import Rows
from mailstep.process.processors.tables.xlsx_files import CELL_CHARACTERS, as_xlsx
from mailstep.testing import receive
from tests.support.messages import mail_with
from tests.support.tables import attachment, one

CASES = Path(__file__).parents[1] / "cases" / "tables"
ROOM = 30_000_000
SIGNS = "=+-@\t\r\uff1d\uff0b\uff0d\uff20"  # OWASP, "CSV Injection"


def table_of(*rows: Sequence[str]) -> Table:
    """A table of text as it stands, whatever a reader would make of it."""
    width = len(rows[0])
    column = Column(name="c", kind="text", values=1, missing=0, distinct=1, value=lambda cell: cell)
    return Table(
        name="t",
        columns=(column,) * width,
        body=Rows([list(cells) for cells in zip(*rows, strict=True)]),
        rows=len(rows),
        header=("c",) * width,
    )


def csv_rows(content: bytes, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=delimiter))


def xlsx_rows(content: bytes) -> list[list[object]]:
    [sheet] = load_workbook(io.BytesIO(content))
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def case(name: str) -> Table:
    return one((CASES / name).read_bytes(), name)


def test_the_cleaned_csv_is_utf8_with_every_cell_quoted_and_even_rows() -> None:
    content = as_csv(one(" a , b ,\nx,ä\n-4\ny,z,beyond,\n".encode()), room=ROOM)
    assert content.decode("utf-8-sig") == '"a","b","column 3"\r\n"x","ä",""\r\n"-4","",""\r\n"y","z","beyond"\r\n'
    assert content.startswith(b"\xef\xbb\xbf")


def test_a_table_without_a_header_comes_back_without_one() -> None:
    table = one(b"1,2\n3,4\n")
    assert table.header is None
    assert csv_rows(as_csv(table, room=ROOM)) == [["1", "2"], ["3", "4"]]
    assert xlsx_rows(as_xlsx([table], room=ROOM)) == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    "cell",
    [
        *(
            "=1+1",
            "+1+cmd",
            "-2+3+cmd",
            "@SUM(1)",
            "\t=1",
            "\r=1",
            "\uff1d1+1",
            "\uff0bcmd",
            "\uff0dcmd",
            "\uff20SUM(1)",
        ),
        *("|calc", "%0A=1+1", '"=1', " =1", "- open", "-A1"),
        # A currency in front of digits may be the name of a column.
        *("-USD5", "-Ft5", "+kr12", "- CHF5", "-R$5", "-US$5"),
        # Programs that read a file leave control characters out; cells of an XLSB or an XLS may have them.
        *("\0=1+1", "\x01=1+1"),
        # Excel passes over spaces within a formula, however many they are.
        "-1" + " " * 250 + "+cmd|calc!A0",
    ],
)
def test_a_formula_at_the_start_of_a_cell_gets_an_apostrophe(cell: str) -> None:
    assert may_hold_formulas([["a", cell]])
    changed = harmless(cell)
    assert changed.replace("'", "") == cell
    assert not changed.lstrip(' "\t\r\0\x01').startswith(tuple(SIGNS))


@pytest.mark.parametrize(
    "cell",
    [
        *(
            "-12,50",
            "-1.234,00",
            "-5 %",
            "+5",
            "-$1,000",
            "-",
            "--",
            "+49 30 123456",
            "+1 (555) 123-4567",
            "+4930123456",
        ),
        *("a=b", "x - y", "50 %", "Ann's", "x;-5", "x;y", "", "ann@shop.example", "a\n- 5", "1;-2,5"),
    ],
)
def test_numbers_telephone_numbers_and_ordinary_text_come_back_unharmed_in_the_csv(cell: str) -> None:
    assert csv_rows(as_csv(table_of(["k", cell]), room=ROOM))[1] == ["k", cell]


def cells_in(content: bytes, delimiter: str) -> list[str]:
    """The cells that a spreadsheet has that splits at this sign, with quotes as RFC 4180 and Excel read them."""
    return [cell for row in csv_rows(content, delimiter) for cell in row]


def is_formula(cell: str) -> bool:
    """Whether a spreadsheet may run the cell: it begins with a sign, and is no number and no telephone number."""
    cell = cell.strip(' "\t\r\n\ufeff\u200b')
    # A number that text in quotes follows is no formula either, nor a sign before a comma: something is missing.
    harmless_ones = r"""[-+]+(,.*)?|[-+][\s$€]*[(0-9.][0-9.,;|/%eE \s()$€+-]*((?:",|,").*)?"""
    return cell.startswith(tuple(SIGNS)) and not re.fullmatch(harmless_ones, cell, re.DOTALL)


AS_CODE = ["x;=cmd|' /C calc'!A0", 'x;"=1+1', "x,=1+1", "x|=1+1", "x\t=1+1", "x\n=1+1", "x;\uff1d1+1", "=1", "x; =1"]
TEXTS = st.text(st.sampled_from("=+-@|%;,\t\n\r\"' a1\uff1d\uff0bא_x0A&<\x01\ufffe"), max_size=12) | st.text(
    max_size=12
)


@settings(max_examples=150, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=4))
@example(AS_CODE)
@example(["x;-", "&cmd|' /C calc'!A0;y"])
@example(["-0\n&cmd|' /C calc'!A0"])
@example(["-0", "0"])
@example(["a_x000D_b", "\r", " a ", "\ufffe", "00123", "1e5", "TRUE", "2024-01-01"])
def test_any_text_comes_back_as_text_and_no_spreadsheet_reads_a_formula(cells: list[str]) -> None:
    table = table_of(cells)
    content = as_csv(table, room=ROOM)
    # The first cell of the file is the header's.
    for delimiter in ",;\t|":
        assert not list(filter(is_formula, cells_in(content, delimiter)))
    back = csv_rows(content)[1:]
    # What is added are apostrophes.
    stripped = [cell.replace("'", "") for row in back for cell in row]
    assert stripped == [cell.replace("'", "").encode("utf-8", "replace").decode() for cell in cells]
    workbook = as_xlsx([table], room=ROOM)
    with zipfile.ZipFile(io.BytesIO(workbook)) as package:
        assert b"<f" not in package.read("xl/worksheets/sheet1.xml")
    [sheet] = load_workbook(io.BytesIO(workbook))
    found = [sheet.cell(2, place) for place in range(1, len(cells) + 1)]
    assert [unescape(str(cell.value or "")) for cell in found] == cells
    assert {cell.data_type for cell in found if cell.value} <= {"s", "inlineStr"}


@pytest.mark.parametrize("unit", ["-", ";-", "\n", '"', ";=a", ";+1 ", '-;"'])
def test_no_cell_makes_the_search_for_formulas_long(unit: str) -> None:
    """Its work grows with the length of the cell, not with its square: the square would take hours."""
    assert len(harmless(unit * 500_000 + ";-" * 100_000)) >= len(unit) * 500_000


def test_nothing_in_the_cases_of_injection_is_code_behind_any_list_separator() -> None:
    for name in ("35-injection.csv", "36-injection-fullwidth.csv", "72-injection-semicolon.csv", "x12-injection.xlsx"):
        table = case(name)
        content = as_csv(table, room=ROOM)
        for delimiter in ",;\t|":
            assert not list(filter(is_formula, cells_in(content, delimiter))), name
        [sheet] = load_workbook(io.BytesIO(as_xlsx([table], room=ROOM)))
        assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "inlineStr", "n"}, name


def test_negative_numbers_and_telephone_numbers_come_back_unharmed() -> None:
    table = case("71-negative-decimal-comma.csv")
    assert [row[1:3] for row in csv_rows(as_csv(table, room=ROOM))[1:]] == [
        ["-12,50", "+49 30 123456"],
        ["-1.234,00", "+49 89 98765"],
    ]
    assert [row[1:3] for row in xlsx_rows(as_xlsx([table], room=ROOM))[1:]] == [
        [-12.5, "+49 30 123456"],
        [-1234, "+49 89 98765"],
    ]


def test_the_workbook_has_numbers_dates_and_text_by_their_types() -> None:
    rows = (
        ("day,at,amount,share,plain,zip,big,ok\n")
        + '31.12.2024,12:30,"€ 1,234.50",5 %,1.25,00123,12345678901234567890,yes\n'
        + '01.01.2025,08:00,"€ 2.00",7 %,-3,04109,98765432109876543210,no\n'
    )
    content = as_xlsx([one(rows.encode())], room=ROOM)
    [header, first, _] = xlsx_rows(content)
    assert header == ["day", "at", "amount", "share", "plain", "zip", "big", "ok"]
    assert first == [datetime(2024, 12, 31), time(12, 30), 1234.5, 0.05, 1.25, "00123", "12345678901234567890", True]
    [sheet] = load_workbook(io.BytesIO(content))
    assert [sheet.cell(2, place).number_format for place in (1, 3, 4, 6)] == [
        *("yyyy\\-mm\\-dd", 'General" €"', "0.00%", "@"),
    ]


def test_the_workbook_gives_back_what_a_workbook_stores() -> None:
    made = Workbook()
    sheet = made.active
    assert sheet
    sheet.append(["when", "long", "n"])
    sheet.append([datetime(2024, 2, 29, 13, 45, 10), timedelta(hours=30, minutes=5), 0.125])
    sheet.append([datetime(2024, 3, 1, 0, 0, 0), timedelta(hours=1), 2])
    sheet["B2"].number_format = sheet["B3"].number_format = "[h]:mm:ss"
    stream = io.BytesIO()
    made.save(stream)
    first = xlsx_rows(as_xlsx([one(stream.getvalue(), "t.xlsx")], room=ROOM))[1]
    assert first == [datetime(2024, 2, 29, 13, 45, 10), timedelta(hours=30, minutes=5), 0.125]


def test_dates_that_excel_does_not_have_stay_text() -> None:
    table = one(b"day,n\n1899-12-31,1\n1900-02-28,2\n1900-03-01,3\n")
    assert table.columns[0].kind == "date"
    assert [row[0] for row in xlsx_rows(as_xlsx([table], room=ROOM))[1:]] == [
        *("1899-12-31", "1900-02-28", datetime(1900, 3, 1)),
    ]


def named(answer_files: Sequence[AnswerAttachment]) -> list[str]:
    return [file.filename for file in answer_files if not file.content_id]


def test_files_are_told_apart_whatever_their_names() -> None:
    answer = receive(mail_with({"a.csv": b"n,m\n1,2\n", "A.csv": b"n,m\n3,4\n", "a.txt": b"n,m\n5,6\n"})).process(
        "tables"
    )
    assert named(answer.attachments) == [
        *("a (cleaned).xlsx", "a (cleaned).csv", "A (cleaned) 2.xlsx", "A (cleaned) 2.csv"),
        *("a (cleaned) 3.xlsx", "a (cleaned) 3.csv"),
    ]


def test_names_of_sheets_make_safe_names_of_files_and_sheets_that_excel_accepts() -> None:
    sheets = [
        Table(**{**vars(one(b"n,m\n1,2\n")), "name": name})
        for name in ("../../etc/passwd", "x" * 300, "x" * 301, "\u202egnp.exe", "a:b", "A?B", "", "History", "'q'")
    ]
    files, _ = Files().of(attachment("orders.xlsx"), sheets)
    names = named(files)
    assert len({name.casefold() for name in names}) == 10
    for name in names:
        assert re.fullmatch(r'[^/\\:*?"<>|\u202e\x00-\x1f]+ \(cleaned\)( \d+)?\.(csv|xlsx)', name)
        assert len(name.encode()) <= limits.FILENAME
    titles = load_workbook(io.BytesIO(files[0].content)).sheetnames
    assert len({title.casefold() for title in titles}) == 9
    assert all(re.fullmatch(r"(?!')(?!history$)[^\[\]:*?/\\]{1,31}(?<!')", title, re.IGNORECASE) for title in titles)


def test_a_cut_table_says_so_in_the_names_of_its_files() -> None:
    table = one(b"a,b\n" + b"1,2\n" * 100, quota=TableQuota(cells=104))
    files, _ = Files().of(attachment("t.csv"), [table])
    assert named(files) == ["t (cleaned, first 19 rows).xlsx", "t (cleaned, first 19 rows).csv"]


def test_a_file_that_makes_the_reply_too_large_is_left_out_and_named() -> None:
    table = one(b"a,b\n" + b"".join(b"%d,x\n" % n for n in range(5_000)))
    # The CSV would fit by itself, but not beside the workbook.
    files, problems = Files(room=len(as_csv(table, room=ROOM)) + 10).of(attachment("t.csv"), [table])
    assert named(files) == ["t (cleaned).xlsx"]
    assert problems == ["t (cleaned).csv is not attached: the reply would be too large."]


def test_a_text_that_no_workbook_can_hold_comes_back_in_the_csv_only() -> None:
    text = "😀" * (CELL_CHARACTERS // 2 + 1)
    with pytest.raises(TooLargeToReturn, match="so long a text"):
        as_xlsx([table_of([text])], room=ROOM)
    assert csv_rows(as_csv(table_of([text]), room=ROOM))[1] == [text]


def test_a_workbook_comes_back_as_one_workbook_with_its_sheets_and_reads_as_before() -> None:
    first, second = one(b"n,m\n1,2\n"), case("01-german-excel.csv")
    again = read("t.xlsx", as_xlsx([first, second], room=ROOM), TableQuota())
    assert [table.rows for table in again] == [1, 3]
    assert [[column.kind for column in table.columns] for table in again][1] == ["date", "text", "number", "number"]


def test_a_table_from_right_to_left_comes_back_as_a_sheet_from_right_to_left() -> None:
    [hebrew] = load_workbook(io.BytesIO(as_xlsx([one("שם,סכום\nדנה,5\n".encode())], room=ROOM)))
    [english] = load_workbook(io.BytesIO(as_xlsx([one(b"name,sum\nDana,5\n")], room=ROOM)))
    assert (hebrew.sheet_view.rightToLeft, bool(english.sheet_view.rightToLeft)) == (True, False)
