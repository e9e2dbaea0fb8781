"""A table as it was read: its cells, what each column holds, and what the reader did to the file."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal

from mailstep.process.processors.tables.rows import Rows

Kind = Literal["number", "text", "date", "boolean", "empty"]
"""`date` also stands for dates with a time, times of day, and durations."""
Number = int | float
Moment = date | datetime | time | timedelta
Value = Number | Moment | bool | str | None


class Stored(str):
    """A cell of a workbook: the text that a person sees, with the `value` that the file stores."""

    __slots__ = ("value",)
    value: Value

    def __new__(cls, shown: str, value: Value) -> "Stored":
        """The text `shown` for a `value`."""
        cell = super().__new__(cls, shown)
        cell.value = value
        return cell


class StoredText(str):
    """A cell that a workbook stores as text although it looks like a number: it stays text."""

    __slots__ = ()


@dataclass(frozen=True)
class Figures:
    """The figures of a column of numbers. A share such as 5 % is 0.05.

    Quartiles are those of Excel's QUARTILE.INC. `spread` counts the values in equal intervals between minimum and
    maximum; it is empty if all values are equal.
    """

    total: Number
    mean: float
    median: Number
    minimum: Number
    maximum: Number
    lower_quartile: Number
    upper_quartile: Number
    spread: tuple[int, ...]


@dataclass(frozen=True)
class Period:
    """The earliest and the latest value of a column of dates (or times, or durations)."""

    earliest: Moment
    latest: Moment


@dataclass(frozen=True)
class Odd:
    """A value that does not fit its column, and its row of the body, counted from 1."""

    row: int
    text: str


@dataclass(frozen=True)
class Column:
    """The summary of one column.

    `values` are the cells that are neither empty nor a mark for a missing value such as `N/A`; `missing` are the
    others. `odd` names the first values that are not of the column's kind, and `odd_values` counts all of them.
    `frequent` are the most frequent texts or truth values. `unit` is `%` or a currency if every number has the same.
    `cents` says whether the numbers are written with two decimals.
    `value` reads a cell of this column: a number, a date or truth value where the cell is one, None where it is
    missing, else its text. `day_first` is the order of day and month that the dates of this column tell; None if they
    tell none.
    """

    name: str
    kind: Kind
    values: int
    missing: int
    distinct: int
    value: Callable[[str], Value]
    figures: Figures | None = None
    period: Period | None = None
    frequent: tuple[tuple[str, int], ...] = ()
    odd: tuple[Odd, ...] = ()
    odd_values: int = 0
    unit: str = ""
    cents: bool = False
    day_first: bool | None = None
    notes: tuple[str, ...] = ()

    @property
    def all_different(self) -> bool:
        """Whether no value repeats, as in a key."""
        return 1 < self.values == self.distinct


@dataclass(frozen=True)
class Table:
    """A table and its summary.

    `header` has the names as the file has them, or is None if the file has no header; `columns` have names in any
    case. Each row of `body` has one cell for each column, as a person sees it; `rows` counts them. `notes` are
    sentences about what was changed or left out, such as titles above the table and totals below it. `complete` is
    False if rows were cut. `repeated` counts rows that are equal to an earlier one.
    """

    name: str
    columns: tuple[Column, ...]
    body: Rows
    rows: int
    header: tuple[str, ...] | None = None
    encoding: str | None = None
    delimiter: str | None = None
    notes: tuple[str, ...] = ()
    complete: bool = True
    repeated: int = 0
