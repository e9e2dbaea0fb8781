"""Tables with what banks, databases, shops and instruments write around them."""

import pytest
from openpyxl import Workbook

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
    workbook = Workbook()
    for row in (
        ["Name", "2023", None, None, None],
        [None, "H1", None, "H2", None],
        [None, "Q1", "Q2", "Q3", "Q4"],
        ["a", 1, 2, 3, 4],
        ["b", 2, 3, 4, 5],
    ):
        workbook["Sheet"].append(row)
    table = one(saved(workbook), "t.xlsx")
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
