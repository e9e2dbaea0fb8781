"""The rows of a table that is kept by column: what they say of themselves is what rows of lists would say."""

import pytest

from mailstep.process.processors.tables.delimited import read
from mailstep.process.processors.tables.limits import TableQuota
from mailstep.process.processors.tables.rows import Rows
from mailstep.process.processors.tables.summaries import figures
from tests.support.tables import one


def test_equal_cells_of_a_column_are_one_string() -> None:
    # 6 different texts in 100,000 cells: each would take 52 octets.
    body = one(b"city,n\n" + b"".join(b"Bern %d,%d\n" % (n % 6, n) for n in range(50_000))).body
    assert len({id(row[0]) for row in body}) == 6


@pytest.mark.parametrize("rows", [20, 3_000])
@pytest.mark.parametrize("cell", ["  Bern  ", '" Bern "', "\tBern", "Bern\u3000", "Be"])
def test_white_space_around_a_cell_is_left_out_however_long_the_table_is(cell: str, rows: int) -> None:
    for others in ("Bern", "{}"):
        lines = [f"{others.format(n)},{n}" for n in range(rows)]
        found = read("\n".join([*lines, f"{cell},1", *lines]), TableQuota()).rows
        assert found[rows] == [cell.strip('" \t\u3000'), "1"]


@pytest.mark.parametrize("odd", ["a", "a,b,c,d", ""])
@pytest.mark.parametrize("place", [0, 1, 600, 2_000])
def test_a_row_of_another_width_is_kept_in_its_place(odd: str, place: int) -> None:
    lines = [f"x,{n},y" for n in range(2_000)]
    lines.insert(place, odd)
    assert list(read("\n".join(lines), TableQuota()).rows) == [line.split(",") for line in lines if line]


def test_a_slice_of_rows_is_rows_and_rows_without_a_cell_are_left_out() -> None:
    rows = Rows([["a", "", "b", ""], ["", "", "c", "d"]])
    assert rows[1:] == [["", ""], ["b", "c"], ["", "d"]]
    assert (rows[2:][-1], rows[1:][:2][1], len(rows[:-3])) == (["", "d"], ["b", "c"], 1)
    assert rows.filled() == [["a", ""], ["b", "c"], ["", "d"]]
    assert rows[1:3].columns() == [["", "b"], ["", "c"]]


def test_figures_weigh_each_number_by_how_often_it_is_there() -> None:
    # 1, 1, 1, 2, 10: the median is the third, and the quartiles are Excel's QUARTILE.INC.
    found = figures([10, 1, 2, 1], [1, 2, 1, 1])
    assert (found.total, found.mean, found.median) == (15, 3, 1)
    assert (found.lower_quartile, found.upper_quartile, found.minimum, found.maximum) == (1, 2, 1, 10)
    assert sum(found.spread) == 5


def test_a_million_rows_of_four_columns_are_read_to_the_last() -> None:
    table = one(b"a,b,c,d\n" + b"1,2,3,4\n" * 1_000_000)
    assert (table.rows, table.complete) == (1_000_000, True)


def test_any_number_of_empty_lines_is_no_row() -> None:
    assert list(read("a,1\n" + "\n" * 2_000 + "b,2\n", TableQuota()).rows) == [["a", "1"], ["b", "2"]]
