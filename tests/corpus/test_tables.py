"""Tables after the shapes of real exports: nearly all are read right, cell by cell."""

from mailstep.process.processors.tables.limits import Budget
from mailstep.process.processors.tables.reading import read
from tests.support.exported_tables import exported_tables

COUNT = 400


def test_nearly_all_exported_tables_are_read_right() -> None:
    cells = headers = kinds = 0
    for made in exported_tables(COUNT):
        [table] = read("export.csv", made.content, Budget())
        right = table.body == [[cell.strip() for cell in row] for row in made.rows]
        cells += right
        headers += right and table.header == made.header
        kinds += right and table.header == made.header and [column.kind for column in table.columns] == made.kinds
    assert cells >= 0.95 * COUNT
    assert headers >= 0.9 * COUNT
    assert kinds >= 0.85 * COUNT
