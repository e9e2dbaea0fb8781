"""Tables in attachments (CSV, TSV, XLSX): read through libraries, summarised per column."""

import csv
import io
import re
import statistics
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePath

from charset_normalizer import from_bytes
from python_calamine import CalamineError, CalamineWorkbook

from mailstep.archives import UNREADABLE
from mailstep.contracts import Attachment

ROWS_BOUND = 100_000
"""Rows read of one table: what can be summarised within the step's timeout and memory."""
SIZE_BOUND = 10 * 1024 * 1024
"""Octets of a table that is read; a larger one is named, not summarised."""

COLUMNS_BOUND = 200
"""Columns that are summarised; beyond, nobody would read the summary."""
UNPACKED_BOUND = 100 * 1024 * 1024
"""Octets that a workbook says it unpacks to: a small file can claim gigabytes."""
CELLS_BOUND = 3_000_000
"""Cells of a message's workbooks, each sheet up to its farthest one: it is read dense, and one stray cell in its corner
makes 17,000,000,000."""

FREQUENT = 3
"""Values that are named of a column that has no numbers."""
SPREAD = 12
"""Parts in which the numbers of a column are counted."""

_FORMULA = {"=", "+", "-", "@", "\t", "\r"}
_SNIFFED = 4_096  # characters; the sniffer's time grows with their square
# Where a cell or a row says that it is, in any notation that XML and its reader take.
_PLACE = re.compile(rb"""\sr\s*=\s*["']\s*([A-Za-z]{0,3})([0-9]{1,7})\s*["']""")
_ROW = re.compile(rb"<(?:[\w.-]+:)?row(?=[\s/>])")
_CELL = re.compile(rb"<(?:[\w.-]+:)?c[\s/>]")
# `0049` is none: figures that begin with 0 are a name for something.
_NUMBER = re.compile(r"[+-]?(0|[1-9][0-9]*)?(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?")
_DELIMITED = {"text/csv", "text/tab-separated-values", "application/csv"}
_WORKBOOKS = {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


class UnreadableTable(ValueError):
    """The attachment looks like a table but cannot be read; the text is a sentence for the sender."""


@dataclass(frozen=True)
class Column:
    """What is known of one column.

    Of numbers only: `minimum`, `maximum`, `mean`, and `spread`, how many values lie in each of equal parts between the
    two. Of others: `most_frequent`, the values that are there most often, with how often.
    """

    name: str
    kind: str
    missing: int
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    spread: tuple[int, ...] = ()
    most_frequent: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Table:
    """A summary, and the cells below the header: as many in each row as there are columns."""

    name: str
    rows: int
    columns: tuple[Column, ...]
    body: list[list[str]]
    complete: bool = True


def is_table(attachment: Attachment) -> bool:
    """Whether media type or file name say that the attachment is a table we read."""
    suffix = PurePath(attachment.filename.lower()).suffix
    return attachment.media_type in _DELIMITED | _WORKBOOKS or suffix in {".csv", ".tsv", ".xlsx"}


@dataclass
class Room:
    """What may still be read of a message's tables, all together."""

    octets: int = 2 * SIZE_BOUND
    cells: int = CELLS_BOUND


def summarise(attachment: Attachment, content: bytes, room: Room) -> list[Table]:
    """One table for a delimited file, one for each sheet of a workbook that is not empty.

    Raises:
        UnreadableTable: it is too large, or no table.
    """
    if len(content) > SIZE_BOUND:
        raise UnreadableTable(f"It has more than {SIZE_BOUND // 1024 // 1024} MB, too much to summarise here.")
    room.octets -= len(content)
    if room.octets < 0:
        raise UnreadableTable("Together with the others it is too much to summarise here; please send it by itself.")
    if content.startswith(b"PK\x03\x04"):
        tables = [_summary(name, rows) for name, rows in _sheets(content, room)]
    else:
        tables = [_summary(attachment.filename, _delimited_rows(content))]
    if not (filled := [table for table in tables if table]):
        raise UnreadableTable("It is empty.")
    return filled


def _sheets(content: bytes, room: Room) -> Iterator[tuple[str, Iterable[Sequence[object]]]]:
    try:
        _check_unpacked(content, room)
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        for name in workbook.sheet_names:
            yield name, workbook.get_sheet_by_name(name).iter_rows()
    except UnreadableTable:
        raise
    except (CalamineError, *UNREADABLE) as error:
        raise UnreadableTable("It is not a workbook that can be read; please save it as XLSX again.") from error


def _check_unpacked(content: bytes, room: Room) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(member.file_size for member in archive.infolist()) > UNPACKED_BOUND:
            raise UnreadableTable("It unpacks to more than can be summarised here.")
        for member in archive.infolist():
            # Read to its end: one that is larger than it says is a BadZipFile.
            width, height = _extent(archive.read(member))
            room.cells -= width * height
            if room.cells < 0:
                raise UnreadableTable(
                    f"A sheet reaches to row {height:,} and column {width:,}, too far to be read here; please delete "
                    "what stands far from the table, or send fewer sheets."
                )


def _extent(member: bytes) -> tuple[int, int]:
    """The columns and rows of a sheet as its reader would lay them out in memory, where it ends the whole process.

    A cell stands where it says, or where it says nothing, after the one before it (ECMA-376 part 1, 18.3.1.4).
    """
    width = height = unnumbered = 0
    for row in _ROW.split(member)[1:]:
        places = _PLACE.findall(row)
        named = [letters.upper() for letters, _ in places if letters]
        farthest = _column_number(max(named, key=lambda letters: (len(letters), letters), default=b""))
        width = max(width, farthest + max(0, len(_CELL.findall(row)) - len(named)))
        height = max(height, max((int(number) for _, number in places), default=0))
        unnumbered += not places
    return width, height + unnumbered


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


def _delimited_rows(content: bytes) -> Iterator[list[str]]:
    text = _text(content)
    try:
        # Only its delimiter: how it quotes, the Sniffer guesses from the first lines, wrongly where a `""` comes later.
        delimiter = csv.Sniffer().sniff(text[:_SNIFFED], delimiters=",;\t|").delimiter
    except csv.Error:
        delimiter = ","
    yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)


def _text(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        guess = from_bytes(content[: 256 * 1024]).best()
        text = content.decode(guess.encoding, errors="replace").removeprefix("\ufeff") if guess else "\0"
    if "\0" in text:
        raise UnreadableTable("It is not text; please save it as CSV (UTF-8) or XLSX.")
    return text


def _summary(name: str, rows: Iterable[Sequence[object]]) -> Table | None:
    try:
        read = [[_cell(value) for value in row] for row in islice(rows, ROWS_BOUND + 2)]
    except csv.Error as error:
        raise UnreadableTable(f"It cannot be read as a table: {error}.") from error
    filled = [row for row in read if any(row)]
    if not filled:
        return None
    header, body = filled[0], filled[1 : ROWS_BOUND + 1]
    # A row may be wider than the header: what it holds is kept too.
    width = min(max(_width(row) for row in filled), COLUMNS_BOUND)
    titles, *cells = ([*row[:width], *[""] * (width - len(row))] for row in (header, *body))
    columns = tuple(
        _column(title or f"column {index + 1}", [row[index] for row in cells]) for index, title in enumerate(titles)
    )
    return Table(name=name, rows=len(body), columns=columns, body=cells, complete=len(read) <= ROWS_BOUND + 1)


def _width(row: list[str]) -> int:
    """Up to the last cell that is not empty."""
    return next((index for index in range(len(row), 0, -1) if row[index - 1]), 0)


def _cell(value: object) -> str:
    """A cell as text; a workbook keeps every number as a float."""
    return str(int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else value).strip()


def _column(name: str, cells: list[str]) -> Column:
    values = [cell for cell in cells if cell]
    missing = len(cells) - len(values)
    numbers = [number for value in values if (number := _number(value)) is not None]
    if values and len(numbers) == len(values):
        least, most = min(numbers), max(numbers)
        return Column(name, "number", missing, least, most, statistics.fmean(numbers), _spread(numbers, least, most))
    return Column(
        name,
        "text" if values else "empty",
        missing,
        most_frequent=tuple(Counter(values).most_common(FREQUENT)),
    )


def _spread(numbers: list[float], least: float, most: float) -> tuple[int, ...]:
    width = (most - least) / SPREAD
    if not 0 < width < float("inf"):
        return ()
    parts = Counter(min(int((number - least) / width), SPREAD - 1) for number in numbers)
    return tuple(parts[part] for part in range(SPREAD))


def as_csv(table: Table) -> bytes:
    """The table as CSV in UTF-8, with the mark that makes Excel read it so.

    A cell that a spreadsheet would take for a formula begins with an apostrophe (OWASP, "CSV Injection").
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([_harmless(column.name) for column in table.columns])
    writer.writerows([_harmless(cell) for cell in row] for row in table.body)
    return text.getvalue().encode("utf-8-sig")


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell[:1] in _FORMULA and _number(cell) is None else cell


def _number(value: str) -> float | None:
    return float(value) if any(map(str.isdigit, value)) and _NUMBER.fullmatch(value) else None
