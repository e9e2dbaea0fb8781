"""The rows of a table, kept by column: what a column says can be told in C, and equal cells can be one string."""

from collections.abc import Iterator, Sequence
from itertools import compress, islice
from typing import overload

Row = Sequence[str]
_LINES = ("---", "===", "___")


def is_line(row: Row) -> bool:
    """Whether the row is only a line of signs, such as `+----+----+`."""
    text = row[0]
    return len(row) == 1 and text[:1] in "-=+_|" and not text.strip("-=+_| ") and any(map(text.__contains__, _LINES))


class Rows(Sequence[list[str]]):
    """Rows of the same width. A slice is a view: it copies no cell."""

    def __init__(self, columns: Sequence[list[str]], within: range | None = None) -> None:
        """The rows of `columns`, which are equally long, or those whose places are in `within`."""
        self._columns = columns
        self._within = range(len(columns[0]) if columns else 0) if within is None else within

    def columns(self) -> Sequence[list[str]]:
        """The cells of each column, and no others: rows outside this view are given up."""
        for column in self._columns:
            del column[self._within.stop :], column[: self._within.start]
        self._within = range(len(self))
        return self._columns

    def __len__(self) -> int:
        return len(self._within)

    def __iter__(self) -> Iterator[list[str]]:
        start, stop = self._within.start, self._within.stop
        return map(list, zip(*(islice(column, start, stop) for column in self._columns), strict=True))

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
        return self if all(filled) else Rows([list(compress(column, filled)) for column in self._columns])


class Gathering:
    """Takes rows of stripped cells one piece after another: by column as long as they are equally wide."""

    def __init__(self) -> None:
        self._columns: list[list[str]] = []
        self._known: list[dict[str, str] | None] = []
        self._uneven: list[list[str]] | None = None

    def add(self, rows: Sequence[list[str]]) -> None:
        """Take more rows. No row is empty."""
        if not rows:
            return
        widths = {*map(len, rows)}
        if self._uneven is None and len(widths) == 1 and not self._columns:
            first = list(zip(*rows, strict=True))
            self._columns = [[] for _ in first]
            # No column is searched for equal cells if most of its first ones differ.
            self._known = [{} if 2 * len({*cells}) < len(cells) else None for cells in first]
        if self._uneven is None and widths <= {len(self._columns)}:
            for column, known, cells in zip(self._columns, self._known, zip(*rows, strict=True), strict=True):
                column.extend(map(str.strip, cells) if known is None else map(known.setdefault, cells, cells))
            return
        if self._uneven is None:
            self._uneven = [list(row) for row in zip(*self._stripped(), strict=True)]
            self._columns, self._known = [], []
        self._uneven += [[*map(str.strip, row)] for row in rows]

    def rows(self) -> Rows | list[list[str]]:
        """All rows: a list of lists if some are wider than others."""
        return Rows(self._stripped()) if self._uneven is None else self._uneven

    def _stripped(self) -> list[list[str]]:
        for place, (column, known) in enumerate(zip(self._columns, self._known, strict=True)):
            if known is not None and [*map(str.strip, known)] != [*known]:
                self._columns[place] = [*map(str.strip, column)]
        return self._columns


def columns_of(rows: Sequence[Row], *, at_least: int) -> list[list[str]]:
    """The cells of each column: as many columns as the widest row has, at least `at_least`. A missing cell is ""."""
    if isinstance(rows, Rows) and rows:
        columns = [*rows.columns()]
    else:
        wide = max(map(len, rows), default=0)
        even = (row if len(row) == wide else [*row, *[""] * (wide - len(row))] for row in rows)
        columns = [list(cells) for cells in zip(*even, strict=True)]
    return [*columns, *[[""] * len(rows)] * (at_least - len(columns))]
