"""Where a table lies in its rows: titles and comments above it, its header if it has one, totals at its foot.

Over 300 lines, because each part is found by the same evidence of kinds.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from mailstep.process.processors.tables import dates, numbers
from mailstep.process.processors.tables.missing_values import is_missing
from mailstep.process.processors.tables.model import Stored, StoredText
from mailstep.process.processors.tables.rows import Row
from mailstep.texts.speaking import say

CELLS_SAMPLED = 20_000
"""Cells below a row that tell whether it is a header."""
ROWS_SAMPLED = 200
TITLES = 30
"""Lines above a table that may be titles."""
SAMPLED_FOR_REMARK = 20
FOOT = 5
"""Rows at the end that may be totals or remarks."""

_TOTAL = re.compile(
    r"\W*(?:(?:grand|sub)[ -]?)?(?:total(?:s|e|en)?|sum|summe|gesamt\w*|insgesamt|zwischensumme|endsumme|somme|suma|"
    r"soma|totaal|razem|celkem|итого|всего|合計|总计|合计)\b.{0,40}",
    re.IGNORECASE,
)
_RULE = re.compile(r":?-{3,}:?|={3,}")
_DIGITS, _LETTERS = re.compile(r"[0-9]+"), re.compile(r"[^\W\d_]+")
_ADDRESS = re.compile(r"[^@\s]+@[^@\s.]+\.[^@\s]+|https?://\S+")
_TRUTH = {"true", "false", "yes", "no"}
_UNIT = re.compile(r"[(\[].{1,12}[)\]]")
_YEARS = range(1900, 2101)


@dataclass
class Layout:
    """The rows of a table by their part. `header` is None if the table has none."""

    header: tuple[str, ...] | None
    body: Sequence[Row]
    notes: list[str] = field(default_factory=list)


def lay_out(rows: Sequence[Row]) -> Layout:
    """Find the parts of a table in its rows, whose cells are stripped and of which none is empty."""
    notes: list[str] = []
    usual = _usual_width(rows)
    above = _titles(rows, usual)
    titles = tuple(" ".join(cell for cell in row if cell) for row in rows[:above])
    rest = rows[above:]
    headers = _header_rows(rest, usual)
    body = rest[headers:]
    # Markdown and SQL clients draw a line below the header.
    if headers and len(body) > 1 and _is_rule(body[0]):
        body = body[1:]
    if headers > 1:
        notes.append(say("tables.notes.header_rows", rows=headers))
    foot = _foot(body, usual)
    body, foot_rows = (body[:-foot], body[-foot:]) if foot else (body, [])
    if titles:
        notes.append(_told("tables.notes.titles", titles))
    if foot:
        below = [" ".join(cell for cell in row if cell) for row in foot_rows]
        notes.append(_told("tables.notes.totals", below))
    return Layout(
        header=_names(rest[:headers]) if headers else None,
        body=body,
        notes=notes,
    )


def _is_rule(row: Row) -> bool:
    return _filled(row) > 1 and all(not cell or _RULE.fullmatch(cell) for cell in row)


def _told(key: str, lines: Sequence[str]) -> str:
    """A sentence that says which lines were left out."""
    quoted = say("language.list_mark").join(say("tables.notes.quoted_line", line=line[:60]) for line in lines[:3])
    ended = say("tables.notes.quoted_more" if len(lines) > 3 else "tables.notes.quoted_end", lines=quoted)
    return say(key, count=len(lines), lines=ended)


def _filled(row: Row) -> int:
    return len(row) - row.count("")


def width(row: Row) -> int:
    """The number of cells up to the last one that is not empty."""
    return next((index for index in range(len(row), 0, -1) if row[index - 1]), 0)


def _usual_width(rows: Sequence[Row]) -> int:
    """The width of most rows; of two that are as frequent, the larger one."""
    widths = Counter(width(row) for row in rows[: TITLES + ROWS_SAMPLED])
    return max(widths, key=lambda each: (widths[each], each), default=0)


def _titles(rows: Sequence[Row], usual: int) -> int:
    """How many rows above the table are titles or comments: one cell, or two far from the usual width."""
    if usual < 2:
        comments = next((place for place, row in enumerate(rows) if not row[0].startswith("#")), 0)
        return comments if comments < len(rows) - 1 else 0
    for place, row in enumerate(rows[: TITLES + 1]):
        if not _is_title(row, usual) and not _is_comment(rows, place, usual):
            return place
    return 0


def _is_title(row: Row, usual: int) -> bool:
    filled = _filled(row)
    if not row[0] or filled > 2:
        return False
    if filled == 2:
        return usual >= 4 and width(row) == 2 and 2 * len(row) <= usual
    # `name,` in a table of two columns is a header that lacks a name; so is a lone cell that has its delimiter.
    return usual > 2 or len(row) == 1


def _is_comment(rows: Sequence[Row], place: int, usual: int) -> bool:
    """Whether the row begins with `#` and is not the header: some programs put `#` before the first name."""
    row = rows[place]
    if not row[0].startswith("#"):
        return False
    below = rows[place + 1] if place + 1 < len(rows) else [""]
    return below[0].startswith("#") or width(row) != usual or _evidence(rows[place + 1 :]).support > 0


def _kind(cell: str) -> str:
    if not cell or is_missing(cell):
        return ""
    if isinstance(cell, Stored):
        if isinstance(cell.value, bool):
            return "truth"
        return "number" if isinstance(cell.value, int | float) else "date"
    if cell.lower() in _TRUTH:
        return "truth"
    if not isinstance(cell, StoredText) and numbers.written(cell):
        return "number"
    return "date" if dates.either_order(cell) is not None else "text"


def _header_rows(rows: Sequence[Row], usual: int) -> int:
    """How many rows the header has: 0, 1, or 2."""
    if not rows:
        return 0
    if len(rows) > 2 and _is_upper_header(rows, usual):
        return 2
    found = _evidence(rows)
    if found.support or found.doubt:
        return int(found.support > found.doubt)
    if found.likeness:
        return 0
    # No column tells. Names are texts.
    kinds = [_kind(cell) for cell in rows[0]]
    numbered = [cell for cell, kind in zip(rows[0], kinds, strict=True) if kind not in ("text", "")]
    return int("text" in kinds and (not numbered or _are_years(numbered)))


def _is_upper_header(rows: Sequence[Row], usual: int) -> bool:
    """Whether the first two rows are a header: groups above names, or units below them."""
    first, second = rows[0], rows[1]
    found = _evidence(rows[1:])
    if not found.support or found.doubt or any(_kind(cell) not in ("text", "") for cell in second):
        return False
    kinds = [_kind(cell) for cell in first]
    if any(kind not in ("text", "") for kind in kinds) and not _are_years([c for c in first if _kind(c) == "number"]):
        return False
    gaps = _filled(first) < _filled(second)
    units = 2 * sum(bool(_UNIT.fullmatch(cell)) for cell in second) >= len(second)
    return (gaps and _filled(second) >= usual - 1) or units


@dataclass
class _Evidence:
    """Columns that say whether the first row is a header.

    `support` and `doubt` are by kind: a text above numbers, or a number above numbers. `likeness` counts texts that are
    like those below them, which only matters if no kind tells.
    """

    support: int = 0
    doubt: int = 0
    likeness: int = 0


def _evidence(rows: Sequence[Row]) -> _Evidence:
    found = _Evidence()
    first = rows[0] if rows else ()
    below = rows[1 : 1 + max(min(ROWS_SAMPLED, CELLS_SAMPLED // max(len(first), 1)), 5)]
    if not below:
        found.doubt = sum(_kind(cell) not in ("text", "") for cell in first)
        return found
    kinds_of_first = list(map(_kind, first))
    numbered = [cell for cell, kind in zip(first, kinds_of_first, strict=True) if kind == "number"]
    years = _are_years(numbered) and any(kind in ("text", "") for kind in kinds_of_first)
    whole_again = list(first) in [list(row) for row in below]
    for place, (name, own) in enumerate(zip(first, kinds_of_first, strict=True)):
        cells = [row[place] for row in below if place < len(row) and row[place]]
        kinds = Counter(kind for cell in cells if (kind := _kind(cell)))
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


def _are_years(cells: Sequence[str]) -> bool:
    """Whether the cells are different years, or 0, 1, … or 1, 2, 3, … as programs and people number columns."""
    if not cells or not all(_DIGITS.fullmatch(cell) and len(cell) < 6 for cell in cells):
        return False
    found = [int(cell) for cell in cells]
    counted = all(after - before == 1 for before, after in pairwise(found))
    if counted and found[0] in (0, 1) and len(found) > 1 + found[0]:
        return True
    return all(number in _YEARS for number in found) and len(set(found)) == len(found)


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


def _names(rows: Sequence[Row]) -> tuple[str, ...]:
    """The names of a header; if it has two rows, the upper one names groups that reach to the next name."""
    if len(rows) == 1:
        return tuple(map(str, rows[0]))
    upper, lower = rows
    names, group = [], ""
    gaps = _filled(upper) < _filled(lower)
    for place in range(max(len(upper), len(lower))):
        above = upper[place] if place < len(upper) else ""
        group = above or (group if gaps else "")
        below = lower[place] if place < len(lower) else ""
        names.append(" ".join(part for part in (group, below) if part))
    return tuple(names)


def _foot(body: Sequence[Row], usual: int) -> int:
    """How many rows at the end are totals or remarks."""
    rows, most = 0, min(FOOT, len(body) - 1)
    while rows < most and _is_remark(body[-1 - rows], body[:SAMPLED_FOR_REMARK], usual):
        rows += 1
    # Above a remark, its title or a line of signs is part of it.
    while 0 < rows < most and usual > 2 and len(body[-1 - rows]) == 1:
        rows += 1
    for total in range(rows + 1, min(FOOT, len(body) - 1) + 1):
        if _is_total(body[-total], body[:-total]):
            rows = total
        else:
            break
    return rows


def _is_remark(row: Row, above: Sequence[Row], usual: int) -> bool:
    """Whether the row is one sentence without a delimiter, in a wide table or below a column that is no text."""
    if usual < 2 or len(row) != 1 or len(row[0].split()) < 3:
        return False
    kinds = Counter(_kind(line[0]) for line in above if line)
    return usual > 2 or kinds.most_common(1)[0][0] in ("number", "date")


def _is_total(row: Row, above: Sequence[Row]) -> bool:
    """Whether the row says that it is a total, and one of its numbers is the sum of those above it.

    A total that the workbook has not calculated has no number.
    """
    label = next((cell for cell in row if cell), "")
    if not _TOTAL.fullmatch(label) or len(above) < 2:
        return False
    if _filled(row) == 1 and len(row) < max(map(width, above[-2:])):
        return True
    for place, cell in enumerate(row):
        if not (own := _amount(cell)):
            continue
        cells = [line[place] for line in above if place < len(line)]
        found = [number for number in map(_amount, cells) if number is not None]
        if len(found) > 1 and abs(sum(found) - own) <= 0.005 * max(abs(own), 1):
            return True
    return False


def _amount(cell: str) -> int | float | None:
    if isinstance(cell, Stored):
        return cell.value if isinstance(cell.value, int | float) else None
    if (number := numbers.written(cell)) is None:
        return None
    return number.value(number.decimal or ".")
