"""The reply about tables: what it says of a file, how its rows lie on a screen, and its charts."""

import re
from pathlib import Path

import png
import pytest

from mailstep.contracts import Answer
from mailstep.process.processors.tables.pictures import HEIGHT, WIDTH, histogram
from mailstep.process.processors.tables.presenting import NARROW, facts, shown
from mailstep.process.processors.tables.reading import is_table
from mailstep.testing import receive
from mailstep.texts.speaking import say
from tests.support.messages import mail_with
from tests.support.tables import one

CASES = Path(__file__).parents[1] / "cases" / "tables"


def answer_to(**files: bytes) -> Answer:
    return receive(mail_with({name.replace("_", "."): content for name, content in files.items()})).process("tables")


def facts_of(content: str, place: int = 0) -> str:
    return "; ".join(facts(one(content.encode()).columns[place]))


def column(*cells: str, name: str = "n") -> str:
    return f"{name}|other\n" + "".join(f"{cell}|x\n" for cell in cells)


def test_the_reply_says_how_the_file_was_read_in_text_and_html() -> None:
    answer = answer_to(a_csv=(CASES / "01-german-excel.csv").read_bytes())
    assert answer.html
    for told in (answer.text, answer.html):
        assert "Read as windows-1252, with a semicolon between cells." in told
        assert "The names of the columns come from the file." in told
        assert "3 rows, 4 columns" in told
        assert "sum 14,222.06; median 1,234.56; mean 4,740.69" in told
        assert "from 2024-12-31 to 2025-01-15" in told


def test_one_row_is_one_row() -> None:
    answer = answer_to(a_csv=b"n,m\n1,2\n")
    assert "1 row, 2 columns" in answer.text
    assert "1 row, 2 columns" in (answer.html or "")
    assert "1 column" in shown(one(b"n\n1\n2\n"), columns=9).size


def test_a_table_without_names_is_said_to_have_none() -> None:
    assert "It has no row of names" in answer_to(a_csv=b"1,2\n3,4\n").text


def test_notes_and_a_cut_are_told() -> None:
    answer = answer_to(a_csv=(CASES / "07-title-above.csv").read_bytes())
    [table] = [one((CASES / "07-title-above.csv").read_bytes())]
    assert table.notes
    for note in table.notes:
        assert note in answer.text


def test_rows_that_repeat_are_counted() -> None:
    assert "1 row repeats an earlier row." in answer_to(a_csv=b"n,c\n1,a\n2,b\n1,a\n").text
    assert "2 rows repeat an earlier row." in answer_to(a_csv=b"n,c\n1,a\n1,a\n1,a\n").text


def test_numbers_have_sum_median_mean_extent_and_the_middle_half() -> None:
    assert facts_of(column("1", "2", "3", "4", "10")) == (
        "sum 20; median 3; mean 4; 1 to 10; half of the values from 2 to 4"
    )


def test_figures_have_the_unit_of_their_column() -> None:
    assert facts_of(column("5 %", "15 %")) == "median 10 %; mean 10 %; 5 % to 15 %"
    assert facts_of(column("€ 5.50", "€ 1,000.00")).startswith("sum 1,005.50 €; median 502.75 €")


def test_a_sum_of_whole_numbers_keeps_every_digit() -> None:
    assert "sum 12,345,678,901,234,567,891;" in facts_of(column("12345678901234567890", "1", name="amount"))


@pytest.mark.parametrize(
    "name", ["id", "Nr", "customer_id", "PassengerId", "Year", "Jahr", "PLZ", "ZIP", "Gegenkonto", "Account", "EAN"]
)
def test_no_sum_is_told_of_numbers_that_name_something(name: str) -> None:
    assert facts_of(column("2001", "2005", "2003", name=name)) == "all different; 2001 to 2005"


def test_a_running_number_is_a_key_and_amounts_are_not_said_to_differ() -> None:
    assert facts_of(column(*map(str, range(100, 120)))) == "all different; 100 to 119"
    assert "different" not in facts_of(column("5", "9", "40"))


def test_long_numbers_that_all_differ_are_told_as_keys() -> None:
    assert facts_of(column("4006381333931", "9783161484100", name="article")) == (
        "all different; 4006381333931 to 9783161484100"
    )


@pytest.mark.parametrize("name", ["Balance", "Saldo", "lat", "Temperatur [°C]", "Age", "exchange_rate", "Avg. CPC"])
def test_no_sum_is_told_of_a_state_or_a_rate(name: str) -> None:
    assert facts_of(column("1", "2", "6", name=name)) == "median 2; mean 3; 1 to 6"


def test_numbers_that_are_all_equal_are_said_once() -> None:
    assert facts_of(column("5", "5")) == "sum 10; always 5"
    assert facts_of(column("5 %", "5 %")) == "always 5 %"


def test_amounts_with_cents_are_told_with_cents() -> None:
    assert facts_of(column("1.50", "2.50")) == "sum 4.00; median 2.00; mean 2.00; 1.50 to 2.50"
    assert facts_of(column("1.5", "2.50")).startswith("sum 4;")


def test_yes_and_no_are_counted() -> None:
    assert facts_of(column("yes", "no")) == "yes (1), no (1)"
    assert facts_of(column("yes", "no", "yes")) == "yes (2), no (1)"


def test_dates_have_their_first_and_last_day() -> None:
    assert facts_of(column("31.12.2024", "15.01.2025", "31.12.2024")) == "from 2024-12-31 to 2025-01-15"


def test_durations_are_said_in_hours_and_not_called_dates() -> None:
    [made] = [shown(one(b"task;spent\na;37:30:00\nb;1:05:00\n"), columns=9)]
    assert (made.columns[1].kind, made.columns[1].facts[-1]) == ("time", "from 1:05:00 to 37:30:00")


def test_frequent_values_are_named_only_if_they_say_something() -> None:
    assert facts_of(column("red", "red", "blue")) == "2 different; most frequent red (2)"
    assert facts_of(column("Ann", "Bob", "Cem")) == "all different"
    names = [f"name {number}" for number in range(99)]
    assert facts_of(column(*names, "name 1")) == "99 different"
    assert facts_of(column("red", "red")) == "always red"


def test_a_value_that_does_not_fit_is_named_with_its_row() -> None:
    told = facts_of(column(*["5", "7", "9"] * 10, "soon"))
    assert told.endswith("no number: soon (row 31)")


def test_missing_values_are_counted() -> None:
    assert facts_of(column("5", "N/A", "", "7")).startswith("2 missing; ")


def test_a_message_without_a_table_is_told_what_to_send() -> None:
    for answer in (receive(mail_with({})).process("tables"), answer_to(a_pdf=b"%PDF-1.7\n%\n")):
        assert answer.html
        for told in (answer.text, answer.html):
            assert "It has no table. Please attach the table as CSV, TSV, XLSX, XLSM, XLSB, XLS or ODS" in told
    assert "This file was not read, because it is not a table." in answer.text


def test_a_pdf_beside_a_table_is_told_what_to_send() -> None:
    text = answer_to(a_csv=b"n,m\n1,2\n", b_pdf=b"%PDF-1.7\n%\n").text
    assert "It has no table" not in text
    assert "please send it as CSV, TSV, XLSX" in text


def test_every_format_that_the_reply_names_is_read() -> None:
    named = re.findall(r"[A-Z]{3,4}", say("tables.formats"))
    known = {"ZIP": "zip", "GZIP": "csv.gz"}
    for name in named:
        [made] = receive(mail_with({f"t.{known.get(name, name.lower())}": b"x"})).message.attachments
        assert is_table(made), name


def test_the_points_of_a_column_are_below_each_other() -> None:
    table = shown(one(b"n;c\n1,5;a\n-12,25;b\n7;c\n100,125;d\n"), columns=9)
    cells = [row[0] for row in table.rows]
    assert len({len(cell) - re.search(r",|\u2008", cell).start() for cell in cells}) == 1  # type: ignore[union-attr]
    assert [cell.strip("\u2007\u2008") for cell in cells] == ["1,5", "-12,25", "7", "100,125"]
    percent = shown(one(b"n;c\n1,5 %;a\n12 %;b\n"), columns=9)
    assert [row[0] for row in percent.rows] == ["1,5 %", "12\u2008\u2007 %"]


def test_rows_are_shown_side_by_side_only_as_far_as_a_telephone_is_wide() -> None:
    narrow = shown(one(b"a,b,c,d\n1,2,3,4\n"), columns=99)
    wide = shown(one(b"a,b,c,d,e\n1,2,3,4,5\n6,7,8,9,10\n"), columns=99)
    assert (len(narrow.columns), len(narrow.rows), narrow.columns[0].values) == (NARROW, 1, ())
    assert (wide.rows, wide.columns[0].values) == ((), ("1", "6"))


def test_numbers_that_are_too_long_for_a_telephone_are_not_side_by_side() -> None:
    long = ",".join(["12345678901234567"] * 4)
    assert shown(one(f"a,b,c,d\n{long}\n".encode()), columns=99).rows == ()


def test_every_column_of_a_wide_table_is_described() -> None:
    answer = answer_to(a_csv=(CASES / "68-300-columns.csv").read_bytes())
    assert answer.html
    assert (answer.html.count("<dt>"), answer.text.count("\n  - ")) == (300, 300)


def test_a_table_from_right_to_left_is_shown_so() -> None:
    hebrew = answer_to(a_csv="שם,סכום\nדנה,5\nשרה,7\n".encode()).html or ""
    english = answer_to(a_csv=b"name,sum\nDana,5\nRuth,7\n").html or ""
    mixed = answer_to(a_csv="sku,שם\nA,דנה כהן\n".encode()).html or ""
    assert ('<table dir="rtl">' in hebrew, '<table dir="rtl">' in english) == (True, False)
    assert '<td dir="auto">' in mixed


def test_what_the_reply_uses_of_html_survives_its_sanitising() -> None:
    email = receive(mail_with({"a.csv": "שם,סכום\nדנה,5\nשרה,7\nמשה,20\n".encode()}))
    part = email.reply(email.process("tables")).get_body(("html",))
    assert part
    html = part.get_content()
    for kept in (
        '<table dir="rtl">',
        'class="n"',
        'dir="ltr"',
        'align="right"',
        'width="240"',
        "<dt>",
        'src="cid:bars-1"',
    ):
        assert kept in html


def test_the_text_has_what_the_html_has() -> None:
    answer = answer_to(a_csv=(CASES / "01-german-excel.csv").read_bytes())
    for told in (
        "Müller GmbH",
        "1.234,56",
        "a (cleaned).xlsx",
        "a (cleaned).csv",
    ):
        assert told in answer.text
        assert told in (answer.html or "")


def test_what_the_sender_wrote_is_no_markup() -> None:
    answer = answer_to(a_csv=b"<b>x</b>,<i>\n<script>,1\n<img src=x>,5\n")
    assert answer.html
    assert not re.search(r"<(script|i|img src=x)>", answer.html)
    assert "&lt;script&gt;" in answer.html


def pixels_of(counts: tuple[int, ...], lowest: str = "", highest: str = "") -> list[list[int]]:
    width, height, rows, _ = png.Reader(bytes=histogram(counts, lowest=lowest, highest=highest)).read()
    assert (width, height) == (WIDTH, HEIGHT)
    return [list(row) for row in rows]


def bar_heights(pixels: list[list[int]]) -> list[int]:
    """The height of each bar, from left to right; a gap has no height."""
    heights = [sum(row[x] == 1 for row in pixels) for x in range(WIDTH)]
    return [height for x, height in enumerate(heights) if height and (x == 0 or heights[x - 1] == 0)]


def test_a_chart_has_a_bar_for_each_count_in_proportion() -> None:
    full, half, little = bar_heights(pixels_of((1000, 0, 500, 1)))
    assert (half, little) == (full // 2, 1)


def test_a_chart_has_an_axis_that_names_its_ends_and_its_highest_count() -> None:
    def ink(lowest: str = "", highest: str = "") -> int:
        return sum(row.count(2) for row in pixels_of((3, 1), lowest, highest))

    assert ink() > 2 * WIDTH - 100, "two lines, and the highest count"
    assert ink("1") > ink()
    assert ink("1", "9.5") > ink("1")
    # Far too long labels stay within the picture.
    pixels_of((3, 1), "1" * 99, "9" * 99)


def test_a_chart_says_what_it_shows_to_those_who_do_not_see_it() -> None:
    html = answer_to(a_csv=column("0", "1", "2", "3", "24", "24").replace("|", ",").encode()).html or ""
    assert "in each of 12 equal intervals from 0 to 24: 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2" in html


def test_a_table_is_answered_with_summary_pictures_and_the_table_back() -> None:
    answer = answer_to(t_csv=b"sku,n\nA,1\nB,5\n<b>,9\n", bad_xlsx=b"PK\x03\x04 broken")
    picture, workbook, cleaned = answer.attachments
    assert (picture.media_type, picture.content_id, picture.content[:8]) == (
        *("image/png", "bars-1", b"\x89PNG\r\n\x1a\n"),
    )
    assert (workbook.filename, cleaned.filename) == ("t (cleaned).xlsx", "t (cleaned).csv")
    assert cleaned.content.decode("utf-8-sig") == '"sku","n"\r\n"A","1"\r\n"B","5"\r\n"<b>","9"\r\n'
    assert 'src="cid:bars-1"' in (answer.html or "")
    assert "3 rows, 2 columns" in answer.text
    assert "not a workbook that can be read" in answer.text
