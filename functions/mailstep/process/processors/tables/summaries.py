"""The summary of a column: its figures, its period, its frequent values, and the values that do not fit it."""

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import pairwise

from mailstep.process.processors.tables.dates import comparable
from mailstep.process.processors.tables.model import Column, Figures, Moment, Number, Odd, Period, Value
from mailstep.process.processors.tables.values import MISSING, Reading, read_column

FREQUENT = 3
"""Most frequent values that are named for a column."""
ODD = 3
"""Values that do not fit their column, of which so many are named."""
SPREAD = 12
"""Intervals in which a column's numbers are counted."""


def summarise(name: str, cells: Sequence[str], *, decimal: str | None = None, day_first: bool = True) -> Column:
    """The summary of one column. `decimal` and `day_first` decide what its cells leave open."""
    reading = read_column(name, cells, decimal=decimal, day_first=day_first)
    found = _found(reading, cells)
    values = reading.counts.total()
    odd = values - len(found) if found else 0
    return Column(
        name=name,
        kind=reading.kind,
        values=values,
        missing=reading.missing,
        distinct=len(reading.counts),
        value=reading.value,
        figures=figures(found) if reading.kind == "number" else None,  # type: ignore[arg-type]
        period=_period(found) if reading.kind == "date" else None,  # type: ignore[arg-type]
        frequent=tuple(reading.counts.most_common(FREQUENT)),
        odd=tuple(_odd(reading, cells)) if odd else (),
        odd_values=odd,
        unit=reading.unit,
        notes=reading.notes,
    )


def _found(reading: Reading, cells: Sequence[str]) -> list[Number] | list[Moment]:
    """The values of the cells that are numbers, or dates, as their column is."""
    if reading.fitting:
        return [value for value in map(reading.fitting.get, cells) if value is not None]  # type: ignore[arg-type, return-value]
    return [value for cell in cells if _fits(reading, value := reading.value(cell))]  # type: ignore[misc]


def _fits(reading: Reading, value: Value) -> bool:
    match reading.kind:
        case "number":
            return isinstance(value, Number) and not isinstance(value, bool)
        case "date":
            return isinstance(value, Moment)
        case _:
            return False


def figures(numbers: list[Number]) -> Figures:
    """The figures of at least one number. Whole numbers are added exactly, others with one rounding."""
    ordered = sorted(numbers)
    total = sum(ordered) if set(map(type, ordered)) == {int} else math.fsum(ordered)
    least, most = ordered[0], ordered[-1]
    return Figures(
        total=total,
        mean=total / len(ordered),
        median=_quantile(ordered, 1, 2),
        minimum=least,
        maximum=most,
        lower_quartile=_quantile(ordered, 1, 4),
        upper_quartile=_quantile(ordered, 3, 4),
        spread=_spread(ordered, least, most),
    )


def _quantile(ordered: list[Number], part: int, parts: int) -> Number:
    """Between two values by their distance, as Excel's QUARTILE.INC does."""
    place, rest = divmod((len(ordered) - 1) * part, parts)
    if not rest:
        return ordered[place]
    below, above = ordered[place], ordered[place + 1]
    way = (above - below) * rest
    # Whole numbers beyond 2^53 keep every digit.
    return below + (way // parts if isinstance(way, int) and way % parts == 0 else way / parts)


def _spread(ordered: list[Number], least: Number, most: Number) -> tuple[int, ...]:
    width = (most - least) / SPREAD
    if not 0 < width < math.inf:
        return ()
    # The numbers are in order, so each interval's count is the distance between two places.
    ends = [bisect_left(ordered, least + width * part) for part in range(1, SPREAD)]
    return tuple(end - start for start, end in pairwise((0, *ends, len(ordered))))


def _period(moments: list[Moment]) -> Period | None:
    return Period(min(moments, key=comparable), max(moments, key=comparable)) if moments else None


def _odd(reading: Reading, cells: Sequence[str]) -> Iterator[Odd]:
    found = (
        Odd(row, cell)
        for row, cell in enumerate(cells, 1)
        if cell.lower() not in MISSING and not _fits(reading, reading.value(cell))
    )
    for odd, _ in zip(found, range(ODD), strict=False):
        yield odd
