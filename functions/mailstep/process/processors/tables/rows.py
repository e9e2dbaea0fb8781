"""The rows of a table, kept by column: what a column says can be told in C, and equal cells can be one string."""

from collections.abc import Iterator, Sequence
from itertools import compress
from typing import overload

Row = Sequence[str]


class Rows(Sequence[Row]):
    """Rows of the same width. A slice is a view: it copies no cell."""

    def __init__(self, columns: Sequence[Sequence[str]], within: range | None = None) -> None:
        """The rows of `columns`, which are equally long, or those whose places are in `within`."""
        self._columns = columns
        self._within = range(len(columns[0]) if columns else 0) if within is None else within

    @property
    def columns(self) -> Sequence[Sequence[str]]:
        """The cells of each column."""
        if not self._columns or self._within == range(len(self._columns[0])):
            return self._columns
        return [column[self._within.start : self._within.stop] for column in self._columns]

    def __len__(self) -> int:
        return len(self._within)

    def __iter__(self) -> Iterator[list[str]]:
        return map(list, zip(*self.columns, strict=True))

    @overload
    def __getitem__(self, place: int) -> list[str]: ...
    @overload
    def __getitem__(self, place: slice) -> "Rows": ...
    def __getitem__(self, place: int | slice) -> "list[str] | Rows":
        if isinstance(place, slice):
            return Rows(self._columns, self._within[place])
        return [column[self._within[place]] for column in self._columns]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # it compares by value, as a list does

    def filled(self) -> "Rows":
        """The rows in which a cell is not empty."""
        if any("" not in column for column in self._columns):
            return self
        filled = list(map(any, self))
        return self if all(filled) else Rows([list(compress(column, filled)) for column in self.columns])


class Gathering:
    """Takes rows of stripped cells one piece after another: by column as long as they are equally wide."""

    def __init__(self) -> None:
        self._columns: list[list[str]] = []
        self._known: list[dict[str, str]] = []
        self._uneven: list[list[str]] | None = None

    def add(self, rows: Sequence[list[str]]) -> None:
        """Take more rows, none of which is empty."""
        widths = {*map(len, rows)}
        if self._uneven is None and rows and not self._columns:
            self._columns = [[] for _ in rows[0]]
            # Columns of which each cell differs are not searched for equal ones.
            self._known = [{} for _ in rows[0]]
        if self._uneven is None and widths <= {len(self._columns)}:
            for column, known, cells in zip(self._columns, self._known, zip(*rows, strict=True), strict=True):
                column.extend(map(known.setdefault, cells, cells) if 2 * len(known) <= len(column) else cells)
            return
        if self._uneven is None:
            self._uneven = [*map(list, zip(*self._stripped(), strict=True))]
            self._columns, self._known = [], []
        self._uneven += [[*map(str.strip, row)] for row in rows]

    def rows(self) -> Rows | list[list[str]]:
        """All rows: a list of lists if some are wider than others."""
        return Rows(self._stripped()) if self._uneven is None else self._uneven

    def _stripped(self) -> list[list[str]]:
        for place, (column, known) in enumerate(zip(self._columns, self._known, strict=True)):
            different = list(known) if len(known) < len(column) else column
            if [*map(str.strip, different)] != different:
                self._columns[place] = [*map(str.strip, column)]
        return self._columns


def columns_of(rows: Sequence[Row], *, at_least: int) -> Sequence[Sequence[str]]:
    """The cells of each column, as many as the widest row has, or `at_least` so many; no cell is an empty one."""
    if isinstance(rows, Rows) and rows:
        columns = rows.columns
    else:
        wide = max(map(len, rows), default=0)
        columns = list(
            zip(*(row if len(row) == wide else [*row, *[""] * (wide - len(row))] for row in rows), strict=True)
        )
    return [*columns, *[[""] * len(rows)] * (at_least - len(columns))]
