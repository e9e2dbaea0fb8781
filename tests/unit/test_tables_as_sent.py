"""Tables as accountants, programs and careless people send them: each value is what a person reads in the file."""

from datetime import date
from typing import Any

import pytest
from openpyxl import Workbook

from mailstep.process.processors.tables.limits import TableQuota, UnreadableTable
from mailstep.process.processors.tables.model import Period
from mailstep.process.processors.tables.reading import read
from mailstep.testing import receive
from tests.support.messages import mail_with
from tests.support.tables import figures_of, one, saved

# By name: the text; the header (None if there is none); the kinds of the columns; and the first row.
SENT: dict[str, tuple[str, list[str] | None, str, list[str] | None]] = {
    "negative-in-red-brackets-currency": (
        "item;net\na;(1.234,50 €)\nb;2.000,00 €\n",
        ["item", "net"],
        "text number",
        ["a", "(1.234,50 €)"],
    ),
    "debit-credit-suffix": ("item,amount\na,100.00 DR\nb,250.00 CR\n", ["item", "amount"], "text text", None),
    "swiss-with-typographic-apostrophe": ("a;b\nx;1’234.50\ny;12’345’678.00\n", ["a", "b"], "text number", None),
    "spaces-thousands-plain": ("a;b\nx;1 234,50\ny;12 345 678,00\n", ["a", "b"], "text number", None),
    "en-dash-minus": ("a;b\nx;−1,50\ny;2,25\n", ["a", "b"], "text number", None),
    "percent-with-nbsp": ("a;b\nx;5,5\xa0%\ny;100,0\xa0%\n", ["a", "b"], "text number", None),
    "millions-suffix": ("a,b\nx,5M\ny,7K\n", ["a", "b"], "text text", None),
    "ean13-with-and-without-zero": ("ean,n\n4006381333931,1\n0012345678905,2\n", ["ean", "n"], "text number", None),
    "long-ids": (
        "id,n\n12345678901234567890,1\n12345678901234567891,2\n",
        ["id", "n"],
        "number number",
        ["12345678901234567890", "1"],
    ),
    "scientific-gene-names": ("gene,v\nSEPT2,1\nMARCH1,2\nDEC1,3\n", ["gene", "v"], "text number", None),
    "version-1.10": ("lib,version\na,1.10\nb,1.9\nc,2.0.1\n", ["lib", "version"], "text text", ["a", "1.10"]),
    "year-month": ("month,v\n2024-01,1\n2024-02,2\n", ["month", "v"], "text number", None),
    "compact-dates": ("day,v\n20240131,1\n20240229,2\n20231205,3\n", ["day", "v"], "date number", None),
    "compact-invalid-are-numbers": ("day,v\n20240131,1\n20241301,2\n", ["day", "v"], "number number", None),
    "epoch-stays-number": ("ts,v\n1706745600,1\n1706745700,2\n", ["ts", "v"], "number number", None),
    "iso-basic-datetime": ("ts,v\n20240131T080000Z,1\n20240201T090000Z,2\n", ["ts", "v"], "date number", None),
    "dates-with-weekday-german": ("Tag;v\nMo, 01.01.2024;1\nDi, 02.01.2024;2\n", ["Tag", "v"], "date number", None),
    "italian-date": ("giorno;v\n1 gennaio 2024;1\n15 marzo 2024;2\n", ["giorno", "v"], "date number", None),
    "polish-date": ("dzien;v\n1 stycznia 2024;1\n15 marca 2024;2\n", ["dzien", "v"], "date number", None),
    "japanese-date": ("日,v\n2024年1月31日,1\n2024年2月1日,2\n", ["日", "v"], "date number", None),
    "missing-marks": ("a,b\nx,1\ny,n/a\nz,#N/B\nw,—\n", ["a", "b"], "text number", None),
    "unknown-words": ("a;b\nx;1\ny;keine Angabe\nz;2\nw;3\n", ["a", "b"], "text text", None),
    "bool-mix-case": ("a,b\nx,True\ny,FALSE\nz,true\n", ["a", "b"], "text boolean", None),
    "x-marks": ("a,b,c\nx,x,1\ny,,2\nz,x,3\n", ["a", "b", "c"], "text text number", None),
    "header-with-numbers-in-names": (
        "2022 actual,2023 plan\n5,6\n7,8\n",
        ["2022 actual", "2023 plan"],
        "number number",
        None,
    ),
    "no-header-dates": ("2024-01-01,5\n2024-01-02,6\n", None, "date number", ["2024-01-01", "5"]),
    "total-row-with-label-in-2nd-col": (
        "id,item,sum\n1,a,5\n2,b,6\n,Total,11\n",
        ["id", "item", "sum"],
        "number text number",
        ["1", "a", "5"],
    ),
    "total-german-with-comma": (
        "Artikel;Preis\na;1,50\nb;2,50\nSumme:;4,00\n",
        ["Artikel", "Preis"],
        "text number",
        ["a", "1,50"],
    ),
    "years-alone-are-a-header": (
        "2021,2022,2023\n1.5,2.5,3.5\n2,3,4\n",
        ["2021", "2022", "2023"],
        "number number number",
        None,
    ),
    "numbers-that-rise-behind-an-empty-cell-are-a-header": (
        ",16.5,16.75,17.25\n61.5,0,2,1\n62.5,3,0,4\n",
        ["", "16.5", "16.75", "17.25"],
        "number number number number",
        None,
    ),
    "numbers-that-do-not-rise-are-a-row": (
        ",16.5,3,17.25\nx,0,2,1\ny,3,0,4\n",
        None,
        "text number number number",
        None,
    ),
    "no-is-the-name-of-a-column": ("No,Team\nI,A\nII,B\n", ["No", "Team"], "text text", None),
    "average-that-is-none-is-a-row": ("item,v\na,5\nb,7\nAverage,9\n", ["item", "v"], "text number", ["a", "5"]),
    "subtotal-inside-stays": ("item,v\na,5\nSubtotal,5\nb,7\nTotal,12\n", ["item", "v"], "text number", None),
    "footer-source": (
        "a,b,c\n1,2,3\n4,5,6\nSource: Statistical Office of the City\n",
        ["a", "b", "c"],
        "number number number",
        ["1", "2", "3"],
    ),
    "blank-lines-around": ("\n\n\na,b\n\n1,2\n\n3,4\n\n\n", ["a", "b"], "number number", ["1", "2"]),
    "quoted-newline-in-header": ('"order\nnumber",v\n1,2\n3,4\n', ["order\nnumber", "v"], "number number", None),
    "tab-with-commas": ("a\tb\n1,5\tx, y\n2,5\tz\n", ["a", "b"], "number text", None),
    "pipe-with-spaces": ("| a | b |\n| 1 | x |\n| 2 | y |\n", ["a", "b"], "number text", ["1", "x"]),
    "markdown-table": ("| a | b |\n|---|---|\n| 1 | x |\n| 2 | y |\n", ["a", "b"], "number text", ["1", "x"]),
    "double-quotes-doubled-all": (
        '"a","b"\n"say ""hi""","1"\n"no","2"\n',
        ["a", "b"],
        "text number",
        ['say "hi"', "1"],
    ),
    "whole-line-quoted": ('"a,b"\n"1,x"\n"2,y"\n', ["a", "b"], "number text", ["1", "x"]),
    "phone-plus-one": ("phone,b\n+14155550123,x\n+14155550124,y\n", ["phone", "b"], "text text", None),
    "phone-without-name": ("a,b\n+4930123456,x\n+4930123457,y\n", ["a", "b"], "text text", None),
    "zip-us": ("zip,b\n90210,x\n10001,y\n02134,z\n", ["zip", "b"], "text text", ["90210", "x"]),
    "units-in-cells": ("w,b\n5 kg,1\n7 kg,2\n", ["w", "b"], "text number", None),
    "mac-addr": ("mac,b\n00:1A:2B:3C:4D:5E,1\n00:1A:2B:3C:4D:5F,2\n", ["mac", "b"], "text number", None),
    "hex-no-prefix": ("h,b\n1e5,1\n2f3,2\nabc,3\n", ["h", "b"], "text number", None),
    "one-big-cell-column": (
        'text\n"a, long; text | here"\n"b, other; text"\n',
        ["text"],
        "text",
        ["a, long; text | here"],
    ),
    "currency-codes-mixed": ("a,b\nx,EUR 5.00\ny,USD 6.00\n", ["a", "b"], "text number", None),
    "five-decimals-comma": ("a;b\nx;0,00012\ny;0,00345\n", ["a", "b"], "text number", None),
    "telephone-in-other-words": (
        "Mobilnummer;Teléfono;Faxnummer\n1701234567;612345678;301234567\n1711234567;698765432;891234567\n",
        ["Mobilnummer", "Teléfono", "Faxnummer"],
        "text text text",
        None,
    ),
    "phones-and-cells-that-are-counted": ("phones,cell\n3,17\n5,20\n", ["phones", "cell"], "number number", None),
    "truth-in-other-words": (
        "a;b;c;d;e\n1;J;Да;Kyllä;ONWAAR\n2;N;Нет;Ei;WAAR\n",
        ["a", "b", "c", "d", "e"],
        "number boolean boolean boolean boolean",
        None,
    ),
    "text-that-excel-is-kept-from-changing": (
        'a,b\n"=""0012""",1\n"=""4711""",2\n',
        ["a", "b"],
        "text number",
        ["0012", "1"],
    ),
    "de-thousands-only": ("a;b\nx;1.234\ny;5.678\n", ["a", "b"], "text number", None),
}


@pytest.mark.parametrize(("text", "header", "kinds", "first"), SENT.values(), ids=SENT)
def test_a_table_reads_as_a_person_reads_it(
    text: str, header: list[str] | None, kinds: str, first: list[str] | None
) -> None:
    table = one(text.encode())
    assert table.header == (tuple(header) if header else None)
    assert [column.kind for column in table.columns] == kinds.split()
    assert first is None or table.body[0] == first


@pytest.mark.parametrize(
    ("cells", "total"),
    [
        (["CHF 12.–", "CHF 13.50", "CHF 14.-"], 39.5),
        (["12,- €", "13,50 €", "14,-- €", "1.000,- €"], 1039.5),
        (["$1,234.00", "$-", "$(56.50)"], 1177.5),
        (["1.234,00 €", "-   €", "-56,50 €"], 1177.5),
        (["-$5.00", "$-6.00", "($7.00)", "$ (8.00)"], -26),
    ],
)
def test_amounts_are_numbers_as_shops_and_bookkeepers_write_them(cells: list[str], total: float) -> None:
    column = one("\n".join(("item\tnet", *(f"x\t{cell}" for cell in cells))).encode(), "t.tsv").columns[1]
    assert column.kind == "number"
    assert figures_of(column).total == pytest.approx(total)


def test_dates_that_excel_kept_as_text_are_dates_of_their_column() -> None:
    workbook = Workbook()
    for row in (["d", "n"], [date(2024, 1, 31), 1], ["13.02.2024", 2], ["1885-03-01", 3]):
        workbook["Sheet"].append(row)
    column = one(saved(workbook), "t.xlsx").columns[0]
    assert (column.kind, column.odd_values) == ("date", 0)
    assert column.period == Period(date(1885, 3, 1), date(2024, 2, 13))


# Bytes of other times and other systems: the encoding, and words as people write them in it.
WORDS = {
    "cp1252": ["Größe;Straße", "Façade;Noël", "El Niño;Año", "½ pint;10 µm", "25 µg/m³;5 × 3", "l’été;5 €",
               "“so”;more…", "§ 5;20 °C", "Acme™;Paris–Lyon"],
    "cp850": ["Größe;Straße", "Où ça;Pâté", "Peñíscola;Logroño", "Perché;Città", "Malmö;Göteborg"],
    "mac_roman": ["Größe;Straße", "Où ça;Forêt", "Peñíscola;Logroño", "São Paulo;Conceição"],
    "cp1250": ["Plzeň;Třebíč", "Łódź;Gdańsk", "Székesfehérvár;Győr"],
    "cp1254": ["Eskişehir;Muğla", "Iğdır;Şırnak"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("encoding", "words"), [(encoding, words) for encoding, lists in WORDS.items() for words in lists]
)
def test_a_short_list_is_read_in_the_encoding_that_makes_words_of_it(encoding: str, words: str) -> None:
    rows = [word for word in words.split(";") for _ in range(3)]
    table = one("\r\n".join(["a;b", *(f"{word};5,5" for word in rows)]).encode(encoding))
    assert [row[0] for row in table.body] == rows


@pytest.mark.parametrize("name", ["Invoice no", "order_id", "Rechnungsnummer", "Code"])
def test_numbers_that_a_name_calls_numbers_are_no_dates(name: str) -> None:
    assert one(f"{name},n\n20240131,1\n20240201,2\n".encode()).columns[0].kind == "number"


@pytest.mark.parametrize(
    "foot",
    [
        *("Total;4,0", "Summa;4,0", "Yhteensä;4,0", "Összesen;4,0", "Toplam;4,0", "Totalt;4,0", "I alt;4,0"),
        *("Average;2,0", "Durchschnitt;2,0", ";4,0"),
    ],
)
def test_a_sum_or_a_mean_at_the_foot_is_no_row(foot: str) -> None:
    table = one(f"item;v\nx;1,5\ny;2,5\n{foot}\n".encode())
    assert (table.rows, figures_of(table.columns[1]).total) == (2, 4)
    assert any(foot.split(";")[1] in note for note in table.notes)


@pytest.mark.parametrize("foot", [";3,0", "Average;9,0", "Sumatra;4,0"])
def test_a_last_row_that_only_looks_like_a_total_stays(foot: str) -> None:
    assert one(f"item;v\nx;1,5\ny;2,5\n{foot}\n".encode()).rows == 3


@pytest.mark.parametrize(
    "mark", ["#VALEUR!", "#¡VALOR!", "#VALORE!", "#ARG!", "#ЗНАЧ!", "#WAARDE!", "#ÉRTÉK!", "#ERROR!", "0000-00-00"]
)
def test_an_error_in_the_spreadsheet_s_language_is_a_missing_value(mark: str) -> None:
    column = one(f"a;b\nx;{mark}\ny;1,5\nz;2\n".encode()).columns[1]
    assert (column.kind, column.missing) == ("number", 1)


@pytest.mark.parametrize("amount", ["=SUM(B2:B3)", 30])
def test_a_total_that_was_not_calculated_is_no_row_either(amount: str | int) -> None:
    workbook = Workbook()
    sheet = workbook["Sheet"]
    for row in (["item", "price"], ["a", 10], ["b", 20], ["Total", amount]):
        sheet.append(row)
    table = one(saved(workbook), "t.xlsx")
    assert (table.rows, table.columns[1].figures and table.columns[1].figures.total) == (2, 30)
    assert any("Total" in note for note in table.notes)


@pytest.mark.parametrize("number", [1.7e308, float("inf"), float("nan")])
def test_numbers_beyond_all_sums_are_named_and_the_others_keep_their_figures(number: float) -> None:
    workbook = Workbook()
    rows: list[list[Any]] = [
        ["item", "n"],
        *[["a", value] for value in range(40)],
        ["b", number],
        ["c", -number],
    ]
    for row in rows:
        workbook["Sheet"].append(row)
    column = one(saved(workbook), "t.xlsx").columns[1]
    assert column.figures
    assert (column.kind, column.figures.total, column.odd_values + column.missing) == ("number", 780, 2)


def test_a_truth_value_among_numbers_is_no_number() -> None:
    workbook = Workbook()
    rows: list[list[Any]] = [["n", "m"], *[[value, "x"] for value in range(1, 41)], [False, "x"]]
    for row in rows:
        workbook["Sheet"].append(row)
    column = one(saved(workbook), "t.xlsx").columns[0]
    assert (column.figures and column.figures.minimum, [odd.text for odd in column.odd]) == (1, ["FALSE"])


def test_the_remark_below_a_table_is_left_out_with_its_title() -> None:
    table = one(b"a;b;c\n1;2;3\n4;5;6\nDisclaimer:\nNot made by the bank itself.\n")
    assert (table.rows, table.body[1]) == (2, ["4", "5", "6"])
    assert any("Disclaimer" in note for note in table.notes)


@pytest.mark.parametrize("text", ["Dear all,\nplease see below.\nBest\n", "Dear all,\nsee the scan.\n", "Hello"])
def test_a_letter_in_a_txt_file_is_no_table(text: str) -> None:
    with pytest.raises(UnreadableTable, match="without columns"):
        read("letter.txt", text.encode(), TableQuota())


def test_the_german_mark_for_no_answer_is_a_missing_value() -> None:
    assert one("Ort;Alter\nBern;41\nKöln;k. A.\nUlm;k.A.\n".encode()).columns[1].missing == 2


def test_two_values_have_no_chart() -> None:
    def charts(values: int) -> int:
        rows = "".join(f"{7 * n % 5},x\n" for n in range(values))
        answer = receive(mail_with({"t.csv": f"n,m\n{rows}".encode()})).process("tables")
        return sum(one.media_type == "image/png" for one in answer.attachments)

    assert (charts(2), charts(3)) == (0, 1)
