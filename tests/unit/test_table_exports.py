"""Tables with what banks, databases, shops and instruments write around them."""

from datetime import date
from typing import Any

import pytest
from openpyxl import Workbook

from mailstep.process.processors.tables.layout import BLOCKS_DIVIDED
from mailstep.process.processors.tables.limits import TableQuota
from mailstep.process.processors.tables.reading import read
from mailstep.testing import receive
from tests.support.messages import mail_with
from tests.support.tables import figures_of, one, saved

# By program: the text; the header; the kinds of the columns; the number of rows.
EXPORTED: dict[str, tuple[str, str, str, int]] = {
    "bank-with-names-and-values-above": (
        "Konto:;CH03 0900;\nVon:;2024-01-01;\nBis:;2024-01-31;\nSaldo:;1000.00;\n\n"
        "Datum;Text;Betrag;Saldo;\n2024-01-31;Coop;-54.40;945.60;\n2024-01-30;Lohn;1400.00;2345.60;\n",
        "Datum|Text|Betrag|Saldo",
        "date text number number",
        2,
    ),
    "bank-with-a-currency-beside-a-value": (
        "Umsätze;Datei vom 01.02.2024\nSaldo;1.234,56;EUR\nBank;ING\n\nDer Export hat alle Umsätze.\n\n"
        "Buchung;Valuta;Empfänger;Text;Zweck;Saldo;Währung;Betrag;Währung\n"
        "31.01.2024;31.01.2024;REWE;Lastschrift;Einkauf;1.234,56;EUR;-23,45;EUR\n"
        "30.01.2024;30.01.2024;Firma;Gehalt;Lohn;1.258,01;EUR;1.000,00;EUR\n",
        "Buchung|Valuta|Empfänger|Text|Zweck|Saldo|Währung|Betrag|Währung",
        "date date text text text number text number text",
        2,
    ),
    "bookkeeping-with-a-wider-record-above": (
        '"EXTF";700;21;"Buchungsstapel";13;20240131101112345;;"RE"\n"Umsatz";"S/H";"Konto";"Text"\n'
        '1234,56;"S";8400;"Erlös"\n99,00;"H";1200;"Miete"\n5,00;"S";1200;"Porto"\n',
        "Umsatz|S/H|Konto|Text",
        "number text number text",
        3,
    ),
    "instrument-with-names-and-values-above": (
        "Instrument:\tSpectrum\nSerial:\tSN-1\nDate:\t2024-01-31\n\nWavelength\tAbsorbance\tStd\n"
        "400.0\t1.23E-03\t0.001\n400.5\t2.5E-3\t0.002\n",
        "Wavelength|Absorbance|Std",
        "number number number",
        2,
    ),
    "units-in-a-row-of-their-own": (
        "Date;Temp;Rain\n;°C;mm\n01.01.2024;1,5;0,0\n02.01.2024;2,5;3,2\n",
        "Date|Temp °C|Rain mm",
        "date number number",
        2,
    ),
    "survey-with-its-choices-below": (
        "ID,Start,Which brand?,,\n,,Alpha,Beta,Other\n901,01/31/2024,Alpha,,\n902,02/01/2024,,Beta,none of these\n",
        "ID|Start|Which brand? Alpha|Which brand? Beta|Which brand? Other",
        "number date text text text",
        2,
    ),
    "statistics-with-more-remarks-than-rows": (
        "Bevölkerung: Deutschland, Stichtag\nFortschreibung\nDeutschland\n;Insgesamt;männlich;weiblich\n"
        "31.12.2020;83155031;41027575;42127456\n31.12.2021;83237124;41066785;42170339\n"
        "__________\nStichtag: 31.12.\n© Statistisches Bundesamt, Wiesbaden 2024\n",
        "|Insgesamt|männlich|weiblich",
        "date number number number",
        2,
    ),
    "mysql": (
        "+----+-------+--------+\n| id | name  | amount |\n+----+-------+--------+\n|  1 | Ann   |  10.50 |\n"
        "|  2 | Bob   |  20.00 |\n+----+-------+--------+\n2 rows in set (0.00 sec)\n",
        "id|name|amount",
        "number text number",
        2,
    ),
    "psql": (
        " id | name  | amount \n----+-------+--------\n  1 | Ann   |  10.50\n  2 | Bob   |  20.00\n(2 rows)\n\n",
        "id|name|amount",
        "number text number",
        2,
    ),
    "sqlcmd": (
        "id,name,amount\n--,----,------\n1,Ann,10.50\n2,NULL,20.00\n\n(2 rows affected)\n",
        "id|name|amount",
        "number text number",
        2,
    ),
    "sap": (
        f"01.02.2024    Liste    1\n{'-' * 40}\n|Material  |Werk|  Menge  |ME |  Betrag |\n{'-' * 40}\n"
        f"|4711      |1000|   10,000|ST |1.234,56 |\n|4712      |1000|    2,500|KG |   99,00-|\n{'-' * 40}\n",
        "Material|Werk|Menge|ME|Betrag",
        "number number number text number",
        2,
    ),
}


ORDERS: list[list[Any]] = [["Item", "Qty"], ["a", 1], ["b", 2]]
SALES: list[list[Any]] = [["Region", "Sales", "Date"], ["N", 10.5, date(2024, 1, 31)], ["S", 20, date(2024, 2, 1)]]


def as_sheet(*rows: list[Any]) -> bytes:
    workbook = Workbook()
    for row in rows:
        workbook["Sheet"].append(row)
    return saved(workbook)


def as_lines(*rows: list[Any]) -> bytes:
    return "".join(",".join(map(str, row)) + "\n" for row in rows).encode()


def as_even_lines(*rows: list[Any]) -> bytes:
    return as_lines(*([*row, "", "", ""][:3] for row in rows))


@pytest.mark.parametrize(("text", "header", "kinds", "rows"), EXPORTED.values(), ids=EXPORTED)
def test_what_stands_around_a_table_is_no_row_of_it(text: str, header: str, kinds: str, rows: int) -> None:
    table = one(text.encode())
    assert table.header == tuple(header.split("|"))
    assert [column.kind for column in table.columns] == kinds.split()
    assert table.rows == rows


def test_what_a_bank_says_above_its_table_is_told() -> None:
    [told] = one(EXPORTED["bank-with-names-and-values-above"][0].encode()).notes
    assert told.startswith("4 lines above the table were left out: “Konto: CH03 0900”")


def test_names_of_groups_in_three_rows_are_joined() -> None:
    content = as_sheet(
        ["Name", "2023", None, None, None],
        [None, "H1", None, "H2", None],
        [None, "Q1", "Q2", "Q3", "Q4"],
        ["a", 1, 2, 3, 4],
        ["b", 2, 3, 4, 5],
    )
    table = one(content, "t.xlsx")
    assert table.header == ("Name", "2023 H1 Q1", "2023 H1 Q2", "2023 H2 Q3", "2023 H2 Q4")
    assert table.rows == 2


@pytest.mark.parametrize(
    "text",
    [
        "name,math,sport\nAnn,absent,absent\nBob,2,3\nCy,1,4\n",
        "item,price\na,pending\nb,5\nc,6\n",
        "a,b,c\n1,2,\n3,4,\n5,6,x\n",
    ],
)
def test_a_first_row_that_lacks_its_values_stays_a_row(text: str) -> None:
    table = one(text.encode())
    assert table.header == tuple(text.split("\n", maxsplit=1)[0].split(","))
    assert table.rows == 3


def test_a_grand_total_is_no_row_and_subtotals_are_told() -> None:
    text = "Region,Item,Price\nN,a,1\nN,b,2\nN Total,,3\nS,c,4\nS,d,5\nS Total,,9\nGrand Total,,12\n"
    table = one(text.encode())
    assert (table.rows, figures_of(table.columns[2]).maximum) == (6, 9)
    assert "2 rows within the table are subtotals. The figures count them, too." in table.notes


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (as_sheet(*ORDERS, [], ["Sales by region"], *SALES), "t.xlsx"),
        (as_lines(*ORDERS, [], *SALES), "t.csv"),
        (as_even_lines(*ORDERS, [], ["Sales by region"], [], *SALES), "t.csv"),
    ],
)
def test_tables_that_an_empty_row_divides_are_read_by_themselves(content: bytes, name: str) -> None:
    orders, sales = read(name, content, TableQuota())
    assert (orders.header, orders.rows, figures_of(orders.columns[1]).total) == (("Item", "Qty"), 2, 3)
    assert (sales.header, sales.rows) == (("Region", "Sales", "Date"), 2)
    assert [column.kind for column in sales.columns] == ["text", "number", "date"]
    assert orders.name.endswith(", table 1")
    assert sales.name.endswith(", table 2")


@pytest.mark.parametrize(
    "text",
    [
        "Item,Qty,Price\na,1,1.5\n\nb,2,2.5\n\nTotal,3,4.0\n",
        "Item,Qty,Price\na,1,1.5\nb,2,2.5\n\n* without VAT, subject to change\n",
        "Customer:,Acme\nNumber:,4711\n\nItem,Qty,Price\na,1,1.5\nb,2,2.5\n",
        "Item,Qty,Price\na,1,1.5\nb,2,2.5\n\n,Net,4.0\n,VAT,0.4\n",
    ],
)
def test_an_empty_row_within_one_table_divides_nothing(text: str) -> None:
    assert one(text.encode()).header == ("Item", "Qty", "Price")


def test_the_files_of_divided_tables_have_a_name_each() -> None:
    answer = receive(mail_with({"t.csv": as_lines(*ORDERS, [], *SALES)})).process("tables")
    names = [file.filename for file in answer.attachments if file.media_type != "image/png"]
    assert names == ["t (cleaned).xlsx", "t, table 1 (cleaned).csv", "t, table 2 (cleaned).csv"]


@pytest.mark.parametrize(
    ("text", "header", "kinds"),
    [
        (
            "ID   Name        Amount  Date\n1    Ann Archer   10.50  2024-01-31\n2    Bob          20.00  2024-02-01\n",
            ("ID", "Name", "Amount", "Date"),
            "number text number date",
        ),
        (
            "Konto     Bezeichnung         Saldo\n001200    Bank             1.234,56\n"
            "008400    Erlöse             -99,00\n",
            ("Konto", "Bezeichnung", "Saldo"),
            "text text number",
        ),
        (
            "        ID NAME       AMOUNT\n---------- ---------- ----------\n"
            "         1 Ann             10.5\n         2 Bob Young        .75\n",
            ("ID", "NAME", "AMOUNT"),
            "number text number",
        ),
        ("A001   10.5   2024-01-31\nB002    7.5   2024-02-01\nC003  100.0   2024-02-02\n", None, "text number date"),
        ("1.5 2.5 3.5\n4.5 5.5 6.5\n7.5 8.5 9.5\n", None, "number number number"),
    ],
    ids=["names-and-amounts", "decimal-commas", "line-below-the-names", "no-names", "one-space"],
)
def test_columns_that_spaces_divide_are_read(text: str, header: tuple[str, ...] | None, kinds: str) -> None:
    table = one(text.encode(), "list.txt")
    assert table.header == header
    assert [column.kind for column in table.columns] == kinds.split()


@pytest.mark.parametrize(
    "text",
    [
        "name\nAnn  Archer\nBob  Young\nCy  Twombly\n",
        "a\n1 234\n5 678\n12 345 678\n",
        "12 345 678\n11 234 567\n",
        "1 234 567.50\n2 345 678.75\n9 999 999.00\n",
        "+49 30 1234567\n+49 89 7654321\n+49 40 555123\n",
        "10:11:12\n10:11:13\n10:11:14\n",
    ],
)
def test_spaces_within_names_and_numbers_divide_nothing(text: str) -> None:
    assert len(one(text.encode()).columns) == 1


def test_a_line_that_does_not_keep_the_columns_keeps_its_text() -> None:
    lines = ["id   amount  note", "1      10.5  a", "2       7.5  b"] * 400
    table = one("\n".join([*lines, "a very long remark of somebody"]).encode())
    assert "a very long remark of somebody" in [" ".join(filter(None, row)) for row in table.body]


def test_very_many_empty_rows_divide_nothing() -> None:
    """Each piece would be searched for a header of its own."""
    piece = [*ORDERS, []]
    assert len(read("t.csv", as_lines(*piece * BLOCKS_DIVIDED), TableQuota())) == BLOCKS_DIVIDED
    assert len(read("t.csv", as_lines(*piece * (BLOCKS_DIVIDED + 1)), TableQuota())) == 1
