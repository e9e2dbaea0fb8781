"""The summary of a column: its figures, its period, its frequent values, and the values that do not fit it."""

import math
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, islice, pairwise
from operator import mul

from mailstep.process.processors.tables.dates import comparable
from mailstep.process.processors.tables.missing_values import is_missing
from mailstep.process.processors.tables.model import Column, Figures, Moment, Number, Odd, Period
from mailstep.process.processors.tables.values import Reading, kind_of, read_column

FREQUENT = 3
"""Most frequent values that are named for a column."""
ODD = 3
"""Values that do not fit their column, of which so many are named."""
SPREAD = 12
"""Intervals in which a column's numbers are counted."""
SAMPLED_FOR_CENTS = 200
"""Texts of a column that tell whether its numbers have two decimals."""
_CENTS = re.compile(r"[.,][0-9]{2}(?![0-9])[^0-9]*\Z")


def summarise(
    name: str, cells: Sequence[str], *, decimal: str | None = None, day_first: bool | None = None, stored: bool = True
) -> Column:
    """The summary of one column; see `read_column`."""
    reading = read_column(name, cells, decimal=decimal, day_first=day_first, stored=stored)
    values = sum(reading.counts.values())
    odd = values - sum(reading.weights) if reading.kind in ("number", "date") else 0
    return Column(
        name=name,
        kind=reading.kind,
        values=values,
        missing=reading.missing,
        distinct=len(reading.counts),
        value=reading.value,
        figures=figures(reading.read, reading.weights) if reading.kind == "number" else None,
        period=_period(reading.read) if reading.kind == "date" else None,
        frequent=tuple(Counter(reading.counts).most_common(FREQUENT)) if reading.kind in ("text", "boolean") else (),
        odd=tuple(islice(_odd(reading, cells), ODD)) if odd else (),
        odd_values=odd,
        unit=reading.unit,
        cents=reading.kind == "number" and _have_cents(reading.counts),
        day_first=reading.day_first,
        notes=reading.notes,
    )


def _have_cents(texts: Iterable[str]) -> bool:
    return all(map(_CENTS.search, islice(texts, SAMPLED_FOR_CENTS)))


def figures(numbers: Sequence[Number], weights: Sequence[int]) -> Figures:
    """The figures of at least one number, each of which is there as often as its weight says.

    Whole numbers are added exactly, others with one rounding.
    """
    ordered, ends = _in_order(numbers, weights)
    amounts = map(mul, numbers, weights)
    total = sum(amounts) if set(map(type, numbers)) == {int} else math.fsum(amounts)
    return Figures(
        total=total,
        mean=total / ends[-1],
        median=_quantile(ordered, ends, 1, 2),
        minimum=ordered[0],
        maximum=ordered[-1],
        lower_quartile=_quantile(ordered, ends, 1, 4),
        upper_quartile=_quantile(ordered, ends, 3, 4),
        spread=_spread(ordered, ends),
    )


def _in_order(numbers: Sequence[Number], weights: Sequence[int]) -> tuple[list[Number], Sequence[int]]:
    """The numbers in order, and how many values there are up to each."""
    if sum(weights) == len(weights):
        return sorted(numbers), range(1, len(weights) + 1)
    places = sorted(range(len(numbers)), key=numbers.__getitem__)
    return [numbers[place] for place in places], list(accumulate(weights[place] for place in places))


def _quantile(ordered: list[Number], ends: Sequence[int], part: int, parts: int) -> Number:
    """Between two values by their distance, as Excel's QUARTILE.INC does. `ends` counts the values up to each."""
    place, rest = divmod((ends[-1] - 1) * part, parts)
    below = ordered[bisect_left(ends, place + 1)]
    if not rest:
        return below
    above = ordered[bisect_left(ends, place + 2)]
    way = (above - below) * rest
    # Whole numbers beyond 2^53 keep every digit.
    return below + (way // parts if isinstance(way, int) and way % parts == 0 else way / parts)


def _spread(ordered: list[Number], ends: Sequence[int]) -> tuple[int, ...]:
    least = ordered[0]
    width = (ordered[-1] - least) / SPREAD
    if not 0 < width < math.inf:
        return ()
    places = [bisect_left(ordered, least + width * part) for part in range(1, SPREAD)]
    counts = [ends[place - 1] if place else 0 for place in places]
    return tuple(after - before for before, after in pairwise((0, *counts, ends[-1])))


def _period(moments: Sequence[Moment]) -> Period:
    return Period(min(moments, key=comparable), max(moments, key=comparable))


def _odd(reading: Reading, cells: Sequence[str]) -> Iterator[Odd]:
    for row, cell in enumerate(cells, 1):
        if not is_missing(cell) and kind_of(reading.value(cell)) != reading.kind:
            yield Odd(row, str(cell))
