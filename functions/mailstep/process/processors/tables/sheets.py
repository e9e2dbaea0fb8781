"""A sheet of a workbook while it is read: only cells that hold something count, within the message's quota."""

from dataclasses import dataclass, field

from mailstep.process.processors.tables.limits import TableQuota, TooMuch, UnreadableTable
from mailstep.process.processors.tables.model import StoredText
from mailstep.process.processors.tables.numbers import written
from mailstep.texts.speaking import say

MAX_ROWS, MAX_COLUMNS = 1_048_576, 16_384
"""The size of a sheet (Microsoft, "Excel specifications and limits")."""
NAME_BOUND = 100
"""Characters of a sheet's name; Excel allows 31."""
BROKEN, LOCKED = "tables.problems.broken", "tables.problems.locked"
"""Sentences on a workbook that cannot be read."""
_NUMERIC = frozenset("0123456789+-.,($€£¥")


@dataclass
class Sheet:
    """The rows of a sheet, from its first column that holds something; any rows without a cell are one empty row."""

    name: str
    rows: list[list[str]]
    notes: tuple[str, ...] = ()
    complete: bool = True


@dataclass
class Grid:
    """Cells by their place, counted from 1."""

    quota: TableQuota
    rows: dict[int, list[str]] = field(default_factory=dict)
    width: int = 0
    height: int = 0
    first: int = MAX_COLUMNS
    uncalculated: int = 0
    """Formulas without a stored value."""

    def reach(self, row: int, column: int) -> None:
        """Check a place.

        Raises:
            UnreadableTable: no sheet is so large.
        """
        if row > MAX_ROWS or column > MAX_COLUMNS:
            raise UnreadableTable(say("tables.problems.beyond_sheet", row=row, column=max(column, 1)))

    def put(self, row: int, column: int, text: str) -> None:
        """Set a cell, unless it is empty.

        Raises:
            UnreadableTable: the cell is too far from the others.
            TooMuch: the quota has no room for more rows.
        """
        if not text or text.isspace():
            return
        self._grow(row, column)
        self.first = min(self.first, column)
        line = self.rows.setdefault(row, [])
        line.extend([""] * (column - len(line)))
        line[column - 1] = text if not text[:1].isspace() and not text[-1:].isspace() else stripped(text)

    def put_row(self, row: int, cells: list[str]) -> None:
        """Set a whole row of stripped cells, as `put` sets each of its cells."""
        self._grow(row, len(cells))
        self.first = min(self.first, next((place for place, cell in enumerate(cells, 1) if cell), MAX_COLUMNS))
        self.rows[row] = list(cells)

    def _grow(self, row: int, column: int) -> None:
        if column <= self.width and row <= self.height:
            return
        width, height = max(self.width, column), max(self.height, row)
        grown = width * height - self.width * self.height
        if width * height > self.quota.cells and self.rows and grown <= self.quota.cells // 10:
            # The table grew row by row: it is long, and no stray cell makes it so.
            raise TooMuch
        self.quota.reach(width, height)
        self.width, self.height = width, height

    def sheet(self, name: str, *, hidden: bool, complete: bool = True) -> Sheet:
        """The sheet that was read."""
        self.quota.lay_out(self.width, self.height)
        notes = [] if complete else [say("tables.notes.workbook_cut")]
        if hidden:
            notes.append(say("tables.notes.hidden"))
        if self.uncalculated:
            notes.append(say("tables.notes.uncalculated", count=self.uncalculated))
        rows, last = list[list[str]](), 0
        for number in sorted(self.rows):
            rows += ([[]] if rows and number > last + 1 else []) + [self.rows.pop(number)[self.first - 1 :]]
            last = number
        shown = " ".join(name.split())[:NAME_BOUND]
        return Sheet(shown, rows, notes=tuple(notes), complete=complete)


def stripped(text: str) -> str:
    """The text of a cell without white space around it; what a format puts there stays."""
    return type(text)(text.strip()) if type(text) in (str, StoredText) else text


def text_cell(text: str) -> str:
    """A cell that the workbook stores as text: marked as such if it looks like a number."""
    if (text[:1] in _NUMERIC or text[-1:] in _NUMERIC) and written(text.strip()):
        return StoredText(text.strip())
    return text
