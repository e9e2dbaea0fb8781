"""Rows of delimited text: which delimiter it has, and its cells, also where quotation marks are not closed."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, groupby, islice

from mailstep.process.processors.tables import dates, fixed_width, numbers
from mailstep.process.processors.tables.limits import TableQuota, TooMuch
from mailstep.process.processors.tables.rows import Gathering, Row, Rows, is_line
from mailstep.texts.speaking import say

DELIMITERS = "\t;|,"
"""In order of preference between equals: a comma is in numbers and texts, too."""
_RARE = (" ", ":", "^", "~")
_SAMPLED = 64 * 1024  # characters in which the delimiter is looked for
_ROWS_SAMPLED = 500
_CELLS_SAMPLED = 100_000
_CELLS_SCORED = 2_000  # each may be looked for in the whole sample
_CHUNK = 500  # rows, whose cells are still in the processor's cache when their columns are taken
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)  # Excel's own line
_BY_NAME = {".tsv": "\t", ".tab": "\t", ".psv": "|"}
_QUOTED_WITHIN = re.compile(r'[,;|\t]"|"[,;|\t]')
_LINES_ENCLOSED = re.compile(r'(?:"[^\r\n]*"(?:[\r\n]+|\Z))+')
_LINE_END = re.compile(r"\r\n|\r|\n")
# A cell may be as long as the file; the file's own size is bounded.
csv.field_size_limit(2**31 - 1)


@dataclass
class Delimited:
    """The rows of a delimited file, its delimiter (None if it has one column), and what was changed."""

    rows: Rows | list[list[str]]
    delimiter: str | None
    notes: list[str] = field(default_factory=list)
    complete: bool = True
    empty_before: tuple[int, ...] = ()
    """Rows before which the text has empty lines."""


def read(text: str, quota: TableQuota, *, suffix: str = "") -> Delimited:
    """The rows of a delimited text, with stripped cells. If there are more than the quota has, the last rows are cut.

    `suffix` is that of the file's name, which decides between equal delimiters.

    Raises:
        TooMuch: not even the first row fits the quota.
    """
    notes, delimiter = [], None
    if line := _SEPARATOR_LINE.match(text):
        delimiter, text = line[1], text[line.end() :]
        notes.append(say("tables.notes.separator_line"))
    if delimiter is None and fixed_width.may_be_fixed(_sample(text)) and (rows := fixed_width.split(text)):
        split = _taken(rows, quota.cells)
        delimiter = " "
    else:
        delimiter = delimiter or find_delimiter(text, suffix=suffix)
        split = _split(text, delimiter or "\0", quota.cells)
    # Some programs enclose whole lines, and double the quotation marks within.
    if delimiter is None and _LINES_ENCLOSED.fullmatch(text):
        inner = "\n".join(row[0] for row in split.rows)
        if (within := find_delimiter(inner, suffix=suffix)) and isinstance(
            (opened := _split(inner, within, quota.cells)).rows, Rows
        ):
            delimiter, split, notes = within, opened, [*notes, say("tables.notes.lines_enclosed")]
    # Some programs enclose cells in apostrophes. They do here if only this makes the rows even.
    if '"' not in text and "'" in text and not isinstance(split.rows, Rows):
        enclosed = _strict(text, delimiter or "\0", quota.cells, "'")
        if enclosed and isinstance(enclosed.rows, Rows):
            split, notes = enclosed, [*notes, say("tables.notes.apostrophes")]
    if not split.complete and len(split.rows) < 2:
        raise TooMuch
    quota.take_cells(split.cells)
    return Delimited(split.rows, delimiter, [*notes, *split.notes], split.complete, split.empty_before)


def cells_taken(rows: Sequence[Row]) -> int:
    """What rows take of the quota: a row itself needs as much memory as three cells."""
    return sum(map(len, rows)) + 3 * len(rows)


def find_delimiter(text: str, *, suffix: str = "") -> str | None:
    """The delimiter that makes the most even rows of the first lines; None if the text has one column.

    csv.Sniffer takes minutes for 500 characters of quotation marks. Each trial here is one pass.
    """
    sample = _sample(text)
    tried = sorted(DELIMITERS, key=lambda each: each != _BY_NAME.get(suffix))
    scores = {each: _score(sample, each) for each in tried if each in sample}
    if scores and scores[best := max(scores, key=lambda each: scores[each])] > (0.5, 0, 0):
        return best
    return next((each for each in _RARE if each in sample and _is_grid(sample, each)), None)


def _sample(text: str) -> str:
    """The first lines, as far as they are whole; a longer piece if not one of them is."""
    if len(text) <= _SAMPLED:
        return text
    piece = text[:_SAMPLED]
    return piece[: max(piece.rfind("\n"), piece.rfind("\r")) + 1] or text[: 16 * _SAMPLED]


def _score(sample: str, delimiter: str) -> tuple[float, float, int]:
    """How even the rows are and how clean their cells, how many rows have the delimiter, and the usual width."""
    rows = [row for row in _split(sample, delimiter, _CELLS_SAMPLED).rows if any(row) and not is_line(row)]
    rows = rows[:_ROWS_SAMPLED]
    widths = Counter(len(row) for row in rows)
    divided = sum(count for width, count in widths.items() if width > 1) / max(len(rows), 1)
    if not divided:
        return 0, 0, 0
    del widths[1]
    [(usual, count)] = widths.most_common(1)
    prose = delimiter == "," and _is_prose(sample)
    if prose and usual == 2 and len(rows[0]) == 1:
        return 0, 0, 0
    evenness = count / len(rows)
    if evenness <= 0.5 and (divided < 0.5 or prose) and not _is_block(rows, delimiter):
        return 0, 0, 0
    cells = [cell for row in rows[:100] for cell in row if cell][:_CELLS_SCORED]
    unclean = sum(_is_unclean(cell, delimiter) and f'"{cell}' not in sample for cell in cells) / len(cells)
    typed = sum(bool(numbers.written(cell) or dates.moment_in(cell, day_first=True)) for cell in cells) / len(cells)
    return max(evenness, 0.51) * (1 - unclean / 2) + typed / 20, divided, usual


def _is_block(rows: Sequence[Row], delimiter: str) -> bool:
    """Whether the rows with the delimiter follow each other and are equally wide: the others are titles and remarks."""
    runs = [(wide, len(list(run))) for wide, run in groupby(map(len, rows))]
    wide_ones = [(wide, count) for wide, count in runs if wide > 1]
    return delimiter != "," and len(wide_ones) == 1 and wide_ones[0][0] > 2 and wide_ones[0][1] > 2


def _is_prose(sample: str) -> bool:
    """Whether every comma has a space behind it, as in sentences and in names such as `Smith, John`."""
    return sample.count(",") == len(re.findall(r",[ \u00a0]", sample))


def _is_unclean(cell: str, delimiter: str) -> bool:
    """Whether another delimiter is in the cell, or one beside a quotation mark, except a comma in a number or text."""
    if any(each in cell for each in "\t;|" if each != delimiter) or _QUOTED_WITHIN.search(cell):
        return True
    return delimiter != "," and "," in cell and ", " not in cell and not numbers.written(cell)


def _is_grid(sample: str, delimiter: str) -> bool:
    """Whether the text is a grid of at least three columns below names: no sentences, and no times of day."""
    rows = [row for row in _split(sample, delimiter, _CELLS_SAMPLED).rows if any(row)][:_ROWS_SAMPLED]
    if len(rows) < 2 or len({len(row) for row in rows}) > 1 or len(rows[0]) < 3:
        return False
    if any(numbers.written(name) for name in rows[0]):
        # Numbers without names are a grid if spaces divide them, and they are no telephone numbers, dates or thousands.
        if delimiter != " " or not all(numbers.written(cell) for row in rows for cell in row):
            return False
        decimals = any(all("." in cell for cell in column) for column in zip(*rows, strict=True))
        return decimals and not all(numbers.written(" ".join(row)) for row in rows)
    return any(all(numbers.written(row[place]) for row in rows[1:]) for place in range(len(rows[0])))


@dataclass
class _Split:
    rows: Rows | list[list[str]]
    cells: int
    complete: bool = True
    notes: tuple[str, ...] = ()
    empty_before: tuple[int, ...] = ()


def _split(text: str, delimiter: str, most: int) -> _Split:
    """The rows of a text (RFC 4180). A quotation mark without a partner is part of its cell."""
    if split := _strict(text, delimiter, most):
        return split
    if '\\"' in text and (split := _strict(text.replace('\\"', '""'), delimiter, most)):
        split.notes = (say("tables.notes.quotes_escaped"),)
        return split
    split = _taken(_tolerant(text, delimiter), most)
    split.notes = (say("tables.notes.quotes_kept"),)
    return split


def _strict(text: str, delimiter: str, most: int, quote: str = '"') -> _Split | None:
    """The rows by csv, if all quotation marks pair and no cell is made of whole rows."""
    # A StringIO would take four octets for each character.
    lines = io.TextIOWrapper(io.BytesIO(text.encode("utf-8", "surrogatepass")), "utf-8", "surrogatepass", newline="")
    reader = csv.reader(lines, delimiter=delimiter, quotechar=quote, strict=True, skipinitialspace=True)
    try:
        split = _taken(reader, most)
    except csv.Error:
        return None
    if reader.line_num > len(split.rows):
        usual = _usual(row for row in split.rows if not any("\n" in cell or "\r" in cell for cell in row))
        if any(_swallows(row, delimiter, usual) for row in split.rows):
            return None
    return split


def _taken(lines: Iterator[list[str]], most: int) -> _Split:
    """The rows up to so many cells, with stripped cells. Empty lines are no rows."""
    taken, left = Gathering(), most
    count, empty_before = 0, list[int]()
    while rows_read := list(islice(lines, _CHUNK)):
        rows = list(filter(None, rows_read))
        if len(rows) < len(rows_read):
            full = accumulate(map(bool, rows_read), initial=count)
            empty_before += [place for place, row in zip(full, rows_read, strict=False) if not row]
        count += len(rows)
        wanted = cells_taken(rows)
        complete = wanted <= left
        while rows and wanted > left:
            wanted -= cells_taken([rows.pop()])
        taken.add(rows)
        left -= wanted
        if not complete:
            return _Split(taken.rows(), most - left, complete=False)
    return _Split(taken.rows(), most - left, empty_before=tuple(empty_before))


@dataclass(frozen=True)
class _Usual:
    """The width of most rows, and their columns that hold numbers."""

    width: int
    numbers: tuple[int, ...]


def _usual(rows: Iterable[Row]) -> _Usual:
    sampled = list(islice(filter(None, rows), _ROWS_SAMPLED))
    if not sampled:
        return _Usual(0, ())
    [(width, _)] = Counter(map(len, sampled)).most_common(1)
    even = [row for row in sampled if len(row) == width]
    counts = [sum(bool(numbers.written(row[place])) for row in even) for place in range(width)]
    # The header, and a missing value here and there, are no numbers.
    return _Usual(width, tuple(place for place, count in enumerate(counts) if 2 * count >= len(even)))


def _swallows(row: Row, delimiter: str, usual: _Usual) -> bool:
    """Whether a cell of several lines is made of whole rows, because a lone quotation mark opens it.

    Its lines are rows if they are as wide as others, and have numbers in the same places.
    """
    for place, cell in enumerate(row):
        if "\n" in cell or "\r" in cell:
            lines = [line.split(delimiter) for line in _LINE_END.split(cell)]
            lines[0] = [*row[:place], *lines[0]]
            lines[-1] = [*lines[-1], *row[place + 1 :]]
            return bool(usual.numbers) and all(_is_row(line, usual) for line in lines)
    return False


def _is_row(cells: Row, usual: _Usual) -> bool:
    return len(cells) == usual.width and all(numbers.written(cells[place].strip()) for place in usual.numbers)


def _tolerant(text: str, delimiter: str) -> Iterator[list[str]]:
    """Rows of a text in which not every quotation mark opens or closes a cell. Takes one pass."""
    end_of_cell = re.compile(rf"[{re.escape(delimiter)}\r\n]|\Z")
    quoted = re.compile(rf' *+"([^"]*+(?:""[^"]*+)*+)" *+(?=[{re.escape(delimiter)}\r\n]|\Z)')
    lines = islice((line for line in _LINE_END.split(text) if '"' not in line), _ROWS_SAMPLED)
    return _tolerant_rows(text, delimiter, quoted, end_of_cell, _usual(line.split(delimiter) for line in lines))


def _tolerant_rows(
    text: str, delimiter: str, quoted: re.Pattern[str], end_of_cell: re.Pattern[str], usual: _Usual
) -> Iterator[list[str]]:
    at = 0
    row: list[str] = []
    while at < len(text):
        found = quoted.match(text, at)
        if found and not _swallows_in(text, found, row, delimiter, usual):
            row.append(found[1].replace('""', '"'))
            at = found.end()
        else:
            end = end_of_cell.search(text, at)
            stop = end.start() if end else len(text)
            row.append(text[at:stop])
            at = stop
        if text[at : at + 1] == delimiter:
            at += 1
            if at == len(text):
                row.append("")
            continue
        at += 2 if text.startswith("\r\n", at) else 1
        yield row
        row = []
    if row:
        yield row


def _swallows_in(text: str, found: re.Match[str], row: list[str], delimiter: str, usual: _Usual) -> bool:
    if "\n" not in found[1] and "\r" not in found[1]:
        return False
    # Most often the width alone tells, without a copy of a row that may have millions of cells.
    if len(row) + _LINE_END.split(found[1], 1)[0].count(delimiter) + 1 != usual.width:
        return False
    end = _LINE_END.search(text, found.end())
    rest = text[found.end() : end.start() if end else len(text)].split(delimiter)[1:]
    return _swallows([*row, found[1], *rest], delimiter, usual)
