"""Where a table lies in its rows: titles and comments above it, its header if it has one, totals at its foot."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

from mailstep.process.processors.tables import headers, numbers
from mailstep.process.processors.tables.headers import filled, kind, width
from mailstep.process.processors.tables.model import Stored
from mailstep.process.processors.tables.rows import Row, Rows, is_line
from mailstep.texts.speaking import say

TITLES = 30
"""Lines above a table that may be titles."""
SAMPLED_FOR_REMARK = 20
FOOT = 5
"""Rows at the end that may be totals or remarks."""
ROWS_DIVIDED = 10_000
"""Rows of the longest file in which empty rows may divide tables."""
BLOCKS_DIVIDED, BLOCKS_ABOVE = 30, 5
"""Pieces between empty rows that are looked at, and how many may stand above the first table."""
CELLS_PROVING = 2_000
"""Cells that tell whether a piece begins with a header."""
_PAIR = 3
"""Cells of a line above a table that says a name and its value, with a unit at most."""

_TOTAL = re.compile(
    r"\W*(?:(?:grand|sub)[ -]?)?(?:total(?:s|e|en|t)?|sum|summe|gesamt\w*|insgesamt|zwischensumme|endsumme|somme|suma|"
    r"soma|totaal|summa|yhteens\u00e4|i alt|razem|celkem|spolu|\u00f6sszesen|toplam|"
    r"\u03c3\u03cd\u03bd\u03bf\u03bb\u03bf|"
    r"\u0432\u0441\u044c\u043e\u0433\u043e|итого|всего|合計|总计|合计|\uCD1D\uACC4|\uD569\uACC4)\b.{0,40}",
    re.IGNORECASE,
)
_MEAN = re.compile(
    r"\W*(?:average|mean|avg|mittelwert|durchschnitt|mittel|moyenne|promedio|media|m\u00e9dia|gemiddelde|\u00f8)\b.{0,40}",
    re.IGNORECASE,
)
_SUBTOTAL = re.compile(r".{1,60}\b(?:total|summe|zwischensumme|ergebnis)\W*", re.IGNORECASE)
_COUNT = re.compile(r"\(?[0-9]+ [^\W\d_]+\)?")
_RULE = re.compile(r":?-{2,}:?|={3,}")


@dataclass
class Layout:
    """The rows of a table by their part. `header` is None if the table has none."""

    header: tuple[str, ...] | None
    body: Sequence[Row]
    notes: list[str] = field(default_factory=list)


def divided(rows: Sequence[Row]) -> list[Sequence[Row]]:
    """The filled rows of each table. Empty rows divide tables if each has a header that its columns prove."""
    filled_rows = rows.filled() if isinstance(rows, Rows) else [row for row in rows if any(row)]
    if len(filled_rows) == len(rows) or len(rows) > ROWS_DIVIDED:
        return [filled_rows]
    blocks = [list(block) for has_cells, block in groupby(rows, any) if has_cells]
    if len(blocks) > BLOCKS_DIVIDED:
        return [filled_rows]
    parts: list[list[Row]] = [[]]
    title: list[Row] = []
    is_table = False
    for number, block in enumerate(blocks):
        if is_table and not title and all(filled(row) == 1 for row in block):
            title = block
        elif is_table and _begins_table(block):
            parts.append(title + block)
            title = []
        else:
            parts[-1] += title + block
            title = []
            is_table = is_table or (number < BLOCKS_ABOVE and _begins_table(parts[-1]))
    parts[-1] += title
    return [*parts] if len(parts) > 1 else [filled_rows]


def _begins_table(rows: Sequence[Row]) -> bool:
    """Whether a header that the kinds of its columns prove stands in the rows, below titles at most."""
    usual = _usual_width(rows)
    above = _titles(rows, usual)
    above += _preamble(rows[above:], usual)
    rows = rows[: above + max(CELLS_PROVING // max(usual, 1), 5)]
    # Two cells in two rows may as well be names with their values.
    is_pairs = usual == 2 and (len(rows) < above + 3 or any(row[0].endswith(":") for row in rows))
    return usual > 1 and not is_pairs and headers.are_proven(rows[above:], usual)


def lay_out(rows: Sequence[Row]) -> Layout:
    """Find the parts of a table in its rows. The cells are stripped, and no row is empty."""
    notes: list[str] = []
    # Database clients and SAP draw lines around the table, and below its header.
    if not isinstance(rows, Rows):
        rows = [row for row in rows if not is_line(row)] or rows
    usual = _usual_width(rows)
    above = _titles(rows, usual)
    above += _preamble(rows[above:], usual)
    titles = tuple(" ".join(cell for cell in row if cell) for row in rows[:above])
    rest = rows[above:]
    names = headers.header_rows(rest, usual)
    body = rest[names:]
    if names and len(body) > 1 and _is_rule(body[0]):
        body = body[1:]
    if names > 1:
        notes.append(say("tables.notes.header_rows", rows=names))
    foot = _foot(body, usual)
    body, foot_rows = (body[:-foot], body[-foot:]) if foot else (body, [])
    if titles:
        notes.append(_told("tables.notes.titles", titles))
    if foot:
        below = [" ".join(cell for cell in row if cell) for row in foot_rows]
        notes.append(_told("tables.notes.totals", below))
    if within := sum(map(_is_subtotal, body)) if foot else 0:
        notes.append(say("tables.notes.subtotals", count=within))
    return Layout(
        header=headers.names(rest[:names]) if names else None,
        body=body,
        notes=notes,
    )


def _is_rule(row: Row) -> bool:
    return filled(row) > 1 and "---" in "".join(row) and all(not cell or _RULE.fullmatch(cell) for cell in row)


def _told(key: str, lines: Sequence[str]) -> str:
    """A sentence that says which lines were left out."""
    quoted = say("language.list_mark").join(say("tables.notes.quoted_line", line=line[:60]) for line in lines[:3])
    ended = say("tables.notes.quoted_more" if len(lines) > 3 else "tables.notes.quoted_end", lines=quoted)
    return say(key, count=len(lines), lines=ended)


def _usual_width(rows: Sequence[Row]) -> int:
    """The width that has the most cells: lines about the table may be more than its rows, but they are narrow."""
    widths = Counter(width(row) for row in rows[: TITLES + headers.ROWS_SAMPLED])
    several = {each: count for each, count in widths.items() if count > 1} or widths
    return max(several, key=lambda each: (each * several[each], each), default=0)


def _titles(rows: Sequence[Row], usual: int) -> int:
    """How many rows above the table are titles or comments: one cell, or two far from the usual width."""
    if usual < 2:
        comments = next((place for place, row in enumerate(rows) if not row[0].startswith("#")), 0)
        return comments if comments < len(rows) - 1 else 0
    for place, row in enumerate(rows[: TITLES + 1]):
        if not _is_title(row, usual, rows[place + 1 : place + 2]) and not _is_comment(rows, place, usual):
            return place
    return 0


def _is_title(row: Row, usual: int, below: Sequence[Row]) -> bool:
    cells = filled(row)
    if not row[0] or cells > 2:
        return False
    if cells == 2:
        # A name above an empty cell is that of a column, and its neighbour that of a group.
        grouped = bool(below) and not below[0][0]
        return usual >= 4 and width(row) == 2 and 2 * len(row) <= usual and not grouped
    # `name,` in a table of two columns is a header that lacks a name; so is a lone cell that has its delimiter.
    return usual > 2 or len(row) == 1


def _preamble(rows: Sequence[Row], usual: int) -> int:
    """How many rows say something about the table, above a header that the kinds of its columns prove.

    They are names with their values, as banks and instruments write them, or one record that is wider than the table.
    """
    place = next((place for place, row in enumerate(rows[: TITLES + 1]) if not _is_pair(row, usual)), 0)
    if place == 0 and len(rows) > 1 and width(rows[0]) > usual == width(rows[1]) and not headers.are_names(rows[0]):
        place = 1
    elif (place == 1 and not _says_value(rows[0])) or _is_table(rows[:place]):
        return 0
    return place if place and width(rows[place]) == usual and headers.are_proven(rows[place:], usual) else 0


def _is_pair(row: Row, usual: int) -> bool:
    return bool(row[0]) and filled(row) == width(row) <= min(_PAIR, usual - 1)


def _is_table(pairs: Sequence[Row]) -> bool:
    """Whether the rows are a table of two columns themselves."""
    return not any(row[0].endswith(":") for row in pairs) and headers.are_proven(pairs, 2)


def _says_value(row: Row) -> bool:
    """Whether a single row is a name and its value, not a name and that of a group of columns."""
    return row[0].endswith(":") or not headers.are_names(row)


def _is_comment(rows: Sequence[Row], place: int, usual: int) -> bool:
    """Whether the row begins with `#` and is not the header: some programs put `#` before the first name."""
    row = rows[place]
    if not row[0].startswith("#"):
        return False
    below = rows[place + 1] if place + 1 < len(rows) else [""]
    return below[0].startswith("#") or width(row) != usual or headers.evidence(below, rows[place + 2 :]).support > 0


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
    if usual < 2 or len(row) != 1 or (len(row[0].split()) < 3 and not _COUNT.fullmatch(row[0])):
        return False
    kinds = Counter(kind(line[0]) for line in above if line)
    return usual > 2 or kinds.most_common(1)[0][0] in ("number", "date")


def _is_total(row: Row, above: Sequence[Row]) -> bool:
    """Whether the row says that it is a total or a mean, and one of its numbers is that of those above it.

    A total that the workbook has not calculated has no number. Without a name, all of its numbers must be sums.
    """
    label = next((cell for cell in row if cell), "")
    if len(above) < 2:
        return False
    if _MEAN.fullmatch(label):
        parts = _without_subtotals(above)
        return any(_agrees(row, parts, place, mean=True) for place in range(len(row)))
    if not row[0] and all(line[0] for line in above):
        return all(_agrees(row, above, place) for place, cell in enumerate(row) if cell)
    if not _TOTAL.fullmatch(label):
        return False
    if filled(row) == 1 and len(row) < max(map(width, above[-2:])):
        return True
    return any(_agrees(row, lines, place) for lines in (above, _without_subtotals(above)) for place in range(len(row)))


def _without_subtotals(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if not _is_subtotal(row)]


def _is_subtotal(row: Row) -> bool:
    label = next((cell for cell in row if cell), "")
    return bool(_TOTAL.fullmatch(label) or _SUBTOTAL.fullmatch(label))


def _agrees(row: Row, above: Sequence[Row], place: int, *, mean: bool = False) -> bool:
    """Whether the row's number is the sum of those above it, or their mean."""
    if not (own := _amount(row[place])):
        return False
    found = [number for line in above if place < len(line) and (number := _amount(line[place])) is not None]
    expected = sum(found) / (len(found) if mean and found else 1)
    return len(found) > 1 and abs(expected - own) <= 0.005 * max(abs(own), 1)


def _amount(cell: str) -> int | float | None:
    if isinstance(cell, Stored):
        return cell.value if isinstance(cell.value, int | float) else None
    if (number := numbers.written(cell)) is None:
        return None
    return number.value(number.decimal or ".")
