"""The header of a table: how many of its first rows are names, by the kinds of the cells below them."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from mailstep.process.processors.tables import dates, numbers
from mailstep.process.processors.tables.missing_values import is_missing
from mailstep.process.processors.tables.model import Stored, StoredText
from mailstep.process.processors.tables.rows import Row

CELLS_SAMPLED = 20_000
"""Cells below a row that tell whether it is a header."""
ROWS_SAMPLED = 200
_GROUPED = (3, 2)
"""Rows of a header whose upper ones name groups."""
_BELOW_NAMES = 2
"""Rows below the names that say units, or how an instrument took the values."""

_DIGITS, _LETTERS = re.compile(r"[0-9]+"), re.compile(r"[^\W\d_]+")
_ADDRESS = re.compile(r"[^@\s]+@[^@\s.]+\.[^@\s]+|https?://\S+")
_TRUTH = {"true", "false", "yes", "no"}
_UNIT = re.compile(r"[(\[].{1,12}[)\]]")
_SHORT = 40  # characters
_YEARS = range(1900, 2101)


def filled(row: Row) -> int:
    """The number of cells that are not empty."""
    return len(row) - row.count("")


def width(row: Row) -> int:
    """The number of cells up to the last one that is not empty."""
    return next((index for index in range(len(row), 0, -1) if row[index - 1]), 0)


def kind(cell: str) -> str:
    """`number`, `date`, `truth` or `text`, as the cell alone tells; empty if it holds no value."""
    if not cell or is_missing(cell):
        return ""
    if isinstance(cell, Stored):
        if isinstance(cell.value, bool):
            return "truth"
        return "number" if isinstance(cell.value, int | float) else "date"
    # A wide table has thousands of equal cells in its first rows, which are looked at several times.
    return _kind_of_short(cell) if type(cell) is str and len(cell) <= _SHORT else _kind_of_text(cell)


def _kind_of_text(cell: str) -> str:
    if cell.lower() in _TRUTH:
        return "truth"
    if not isinstance(cell, StoredText) and numbers.written(cell):
        return "number"
    return "date" if dates.either_order(cell) is not None else "text"


_kind_of_short = lru_cache(10_000)(_kind_of_text)


def header_rows(rows: Sequence[Row], usual: int) -> int:
    """How many rows the header has, in a table that is usually so wide; 0 if it has none."""
    if not rows:
        return 0
    if grouped := next((count for count in _GROUPED if _are_groups(rows, count, usual)), 0):
        return grouped
    below = 0
    while below < _BELOW_NAMES and _are_units(rows[1 + below : 2 + below], rows[2 + below :]):
        below += 1
    return 1 + below if _is_header(rows[0], rows[1 + below :]) else 0


def are_proven(rows: Sequence[Row], usual: int) -> bool:
    """Whether the rows begin with a header, which the kinds of the cells below prove."""
    count = header_rows(rows, usual)
    return count > 0 and _supports(rows[0] if count == 1 else names(rows[:count]), rows[count:])


def _is_header(row: Row, below: Sequence[Row]) -> bool:
    if _is_scale(row) and below and all(line[0] for line in below[:ROWS_SAMPLED]):
        return True
    found = evidence(row, below)
    if found.support or found.doubt:
        return found.support > found.doubt
    if found.likeness:
        return False
    # No column tells. Names are texts.
    # `No` is the name of a column if no cell below says yes or no.
    said = {cell.lower() for line in below[: max(CELLS_SAMPLED // len(row), 5)] for cell in line}
    kinds = ["text" if own == "truth" and said.isdisjoint(_TRUTH) else own for own in map(kind, row)]
    numbered = [cell for cell, own in zip(row, kinds, strict=True) if own not in ("text", "")]
    return "text" in kinds and (not numbered or _are_years(numbered))


def _are_texts(row: Row) -> bool:
    return all(kind(cell) in ("text", "") for cell in row)


def are_names(row: Row) -> bool:
    """Whether all cells are texts, or years as names of columns."""
    others = [cell for cell in row if kind(cell) not in ("text", "")]
    return not others or (all(kind(cell) == "number" for cell in others) and _are_years(others))


def _are_groups(rows: Sequence[Row], count: int, usual: int) -> bool:
    """Whether the first `count` rows are a header whose upper rows name groups of columns."""
    header, below = rows[:count], rows[count : count + ROWS_SAMPLED]
    if not below or not all(map(are_names, header[:-1])) or not _are_texts(header[-1]):
        return False
    if not all(_has_gaps(upper, lower) for upper, lower in pairwise(header)):
        return False
    last = header[-1]
    if filled(last) >= usual - 1 and filled(header[0]) < filled(last) and _supports(last, below):
        return True
    # The lower row may name only the parts of a group: the first column, which is full, has its name above.
    joined = ["".join(cells) for cells in zip(*(_even(row, usual) for row in header), strict=True)]
    keyed = not last[0] and bool(header[0][0]) and all(row[0] for row in below if row)
    return keyed and all(joined) and _supports(joined, below)


def _supports(row: Row, below: Sequence[Row]) -> bool:
    found = evidence(row, below)
    return found.support > 0 and not found.doubt


def _has_gaps(upper: Row, lower: Row) -> bool:
    return any(cell and not (place < len(upper) and upper[place]) for place, cell in enumerate(lower))


def _even(row: Row, wide: int) -> list[str]:
    return [*row[:wide], *[""] * (wide - len(row))]


def _are_units(rows: Sequence[Row], below: Sequence[Row]) -> bool:
    """Whether the row says units of the columns, or how they were measured: only text, above values that are not."""
    if not rows or not below or not _are_texts(row := rows[0]):
        return False
    if 2 * sum(bool(_UNIT.fullmatch(cell)) for cell in row) >= len(row) and _supports(row, below):
        return True
    sampled = below[: _rows_sampled(row)]
    typed = [place for place in range(len(row)) if _is_typed([line[place] for line in sampled if place < len(line)])]
    said = [row[place] for place in typed if row[place]]
    # A row of the table itself may lack its values. Then it has a text where the other rows have one.
    others = filled(row) - len(said)
    return bool(said) and not others and ("" in row or len(set(said)) == len(said) > 1)


def _is_typed(cells: Sequence[str]) -> bool:
    kinds = [found for cell in cells if (found := kind(cell))]
    return len(kinds) > 1 and 2 * sum(found != "text" for found in kinds) > len(kinds)


@dataclass
class Evidence:
    """Columns that say whether a row is a header.

    `support` and `doubt` are by kind: a text above numbers, or a number above numbers. `likeness` counts texts that are
    like those below them, which only matters if no kind tells.
    """

    support: int = 0
    doubt: int = 0
    likeness: int = 0


def evidence(first: Row, rows: Sequence[Row]) -> Evidence:
    """What the rows below the first one say of it."""
    found = Evidence()
    below = rows[: _rows_sampled(first)]
    if not below:
        found.doubt = sum(kind(cell) not in ("text", "") for cell in first)
        return found
    kinds_of_first = list(map(kind, first))
    numbered = [cell for cell, own in zip(first, kinds_of_first, strict=True) if own == "number"]
    named = any(own in ("text", "") for own in kinds_of_first) or _follow(numbered)
    years = _are_years(numbered) and named
    whole_again = list(first) in [list(row) for row in below]
    for place, (name, own) in enumerate(zip(first, kinds_of_first, strict=True)):
        cells = [row[place] for row in below if place < len(row) and row[place]]
        kinds = Counter(known for cell in cells if (known := kind(cell)))
        if not kinds or not own:
            continue
        usual, count = kinds.most_common(1)[0]
        if own == "number" and years and not _are_years(cells):
            found.support += 1
        elif usual != "text" and count >= 0.8 * kinds.total():
            found.support += own != usual
            found.doubt += own == usual
        elif own == usual == "text" and not whole_again:
            found.likeness += name in cells or _is_like(name, cells)
    return found


def _rows_sampled(row: Row) -> int:
    """How many rows as wide as this one are looked at."""
    return max(min(ROWS_SAMPLED, CELLS_SAMPLED // max(len(row), 1)), 5)


def _are_years(cells: Sequence[str]) -> bool:
    """Whether the cells are different years, or 0, 1, … or 1, 2, 3, … as programs and people number columns."""
    if not cells or not all(_DIGITS.fullmatch(cell) and len(cell) < 6 for cell in cells):
        return False
    found = [int(cell) for cell in cells]
    counted = all(after - before == 1 for before, after in pairwise(found))
    if counted and found[0] in (0, 1) and len(found) > 1 + found[0]:
        return True
    return all(number in _YEARS for number in found) and len(set(found)) == len(found)


def _is_scale(row: Row) -> bool:
    """Whether numbers rise behind an empty cell: those of a table of two variables, whose other one stands below it."""
    found = [number.value(number.decimal or ".") for cell in row[1:] if (number := numbers.written(cell))]
    values = [value for value in found if value is not None]
    return not row[0] and len(values) == len(row) - 1 > 2 and all(a < b for a, b in pairwise(values))


def _follow(cells: Sequence[str]) -> bool:
    """Whether the cells are at least three years, one after another."""
    found = [int(cell) for cell in cells if _DIGITS.fullmatch(cell) and len(cell) < 6]
    return len(found) == len(cells) > 2 and found[0] in _YEARS and all(b - a == 1 for a, b in pairwise(found))


def _is_like(name: str, cells: Sequence[str]) -> bool:
    """Whether the name has the shape of the values below it: an address, or a code with the same groups of digits."""
    if _ADDRESS.fullmatch(name):
        return any(map(_ADDRESS.fullmatch, cells[:20]))
    if not _DIGITS.search(name):
        return False
    shape = _shape(name)
    return sum(_shape(cell) == shape for cell in cells) >= 0.8 * len(cells)


def _shape(text: str) -> str:
    return _LETTERS.sub("a", _DIGITS.sub("9", text))


def names(rows: Sequence[Row]) -> tuple[str, ...]:
    """The names of a header; in several rows, a name above names a group that reaches to the next name."""
    wide = max(map(len, rows))
    parts: list[list[str]] = [[] for _ in range(wide)]
    begins = [False] * wide
    for number, row in enumerate(rows):
        spreads = any(_has_gaps(row, lower) for lower in rows[number + 1 :])
        group = ""
        for place, cell in enumerate(_even(row, wide)):
            begins[place] = begins[place] or bool(cell)
            group = cell or (group if spreads and not begins[place] else "")
            if group:
                parts[place].append(group)
    return tuple(map(" ".join, parts)) if len(rows) > 1 else tuple(map(str, rows[0]))
