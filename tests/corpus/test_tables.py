"""Tables after the shapes of real exports: nearly all are read right, cell by cell."""

from mailstep.process.processors.tables.limits import TableQuota
from mailstep.process.processors.tables.reading import read
from tests.support.exported_tables import SHAPES, exported_tables

EACH = 3
"""Tables of each shape; `make bench` has more of them, beside DuckDB and pandas."""


def test_nearly_all_exported_tables_are_read_right() -> None:
    cells = headers = kinds = 0
    for made in exported_tables(EACH):
        [table] = read("export.csv", made.content, TableQuota())
        right = table.body == [[cell.strip() for cell in row] for row in made.rows]
        cells += right
        headers += right and table.header == made.header
        kinds += right and table.header == made.header and [column.kind for column in table.columns] == made.kinds
    count = EACH * len(SHAPES)
    assert count > 200
    assert cells >= 0.95 * count
    assert headers >= 0.9 * count
    assert kinds >= 0.85 * count
