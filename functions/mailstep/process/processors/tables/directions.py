"""The direction in which a table is read: from right to left if most of its letters are."""

import unicodedata

from mailstep.process.processors.tables.model import Table

_ROWS, _CHARACTERS = 20, 20


def is_right_to_left(table: Table) -> bool:
    """Whether most letters of the names, or else of the first rows, are Hebrew, Arabic or the like (UAX #9)."""
    names = [name for name in table.header or () if name]
    cells = [cell for row in table.body[:_ROWS] for cell in row]
    for texts in (names, cells):
        letters = [unicodedata.bidirectional(c) for text in texts for c in text[:_CHARACTERS] if c.isalpha()]
        if letters:
            return 2 * sum(kind in {"R", "AL"} for kind in letters) > len(letters)
    return False
