"""Tables as people send them: other delimiters and encodings, gaps, several sheets, and what is none."""

import io

import pytest
from openpyxl import Workbook

from mailstep.contracts import Attachment
from mailstep.tables import Table, UnreadableTable, is_table, summarise


def attachment(filename: str = "t.csv", media_type: str = "text/csv") -> Attachment:
    return Attachment(filename=filename, media_type=media_type, size_octets=1, sha256="", key="k")


def one(content: bytes, filename: str = "t.csv") -> Table:
    [table] = summarise(attachment(filename), content)
    return table


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
    assert (number.kind, number.minimum, number.mean, number.maximum, number.missing) == ("number", 1, 3, 6, 0)
    assert (colour.kind, colour.most_frequent, colour.missing, colour.mean) == ("text", "red", 1, None)
    assert (none.kind, none.missing) == ("empty", 3)


def test_a_ragged_table_is_read_as_far_as_it_goes() -> None:
    table = one(b"a,b\n1\n2,3,4\n")
    assert (table.rows, [column.missing for column in table.columns]) == (2, [0, 1])


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
    prices, stock = summarise(attachment("t.xlsx"), stream.getvalue())
    assert (prices.name, prices.rows, prices.columns[1].mean) == ("Prices", 1, 1.5)
    assert (stock.name, stock.rows) == ("Stock", 0)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"PK\x03\x04 broken", b"\x00\x01\x02\xff" * 50])
def test_what_is_no_table_gets_a_sentence(content: bytes) -> None:
    with pytest.raises(UnreadableTable, match=r"\.$"):
        summarise(attachment(), content)


def test_a_table_is_known_by_media_type_or_name() -> None:
    assert is_table(attachment("x", "text/csv"))
    assert is_table(attachment("STOCK.XLSX", "application/octet-stream"))
    assert not is_table(attachment("photo.jpg", "image/jpeg"))


def test_a_long_table_in_chinese_is_read() -> None:
    table = one(("城市,值\n" + "北京市,1\n" * 30_000).encode())
    assert (table.rows, table.columns[0].most_frequent) == (30_000, "北京市")
