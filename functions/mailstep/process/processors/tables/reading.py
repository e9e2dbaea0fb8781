"""Tables in attachments (CSV, TSV, XLSX): read through libraries, summarised per column."""

import csv
import io
import re
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePath

from charset_normalizer import from_bytes

from mailstep.contracts import Attachment
from mailstep.process.processors.tables import workbooks
from mailstep.process.processors.tables.limits import SIZE_BOUND, Room, UnreadableTable

ROWS_BOUND = 100_000
"""Rows read of one table: what can be summarised within the step's timeout and memory."""

COLUMNS_BOUND = 200
"""Columns that are summarised; beyond, nobody would read the summary."""

FREQUENT = 3
"""Values that are named of a column that has no numbers."""
SPREAD = 12
"""Parts in which the numbers of a column are counted."""

_FORMULA = {"=", "+", "-", "@", "\t", "\r"}
_SNIFFED = 3_000  # characters; the time of the sniffer grows with their square, and a message has many tables
# `0049` is text: figures that begin with 0 are a name for something. So is what no measurement has as many digits of.
_NUMBER = re.compile(r"[+-]?((0|[1-9][0-9]*)(\.[0-9]+)?|\.[0-9]+)([eE][+-]?[0-9]{1,2})?")
_NUMBER_CHARACTERS = 100
_COMPOUND_FILE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # [MS-CFB] 2.2: XLS, and XLSX under a password
_DELIMITED = {"text/csv", "text/tab-separated-values", "application/csv"}
_WORKBOOKS = {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


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


def summarise(attachment: Attachment, content: bytes, room: Room) -> list[Table]:
    """One table for a delimited file, one for each sheet of a workbook that is not empty.

    Raises:
        UnreadableTable: it is too large, or no table.
    """
    if len(content) > SIZE_BOUND:
        raise UnreadableTable(
            f"It has more than {SIZE_BOUND // 1024 // 1024} MB, too much to summarise here; please send it in parts."
        )
    room.take_octets(len(content))
    if content.startswith(_COMPOUND_FILE):
        raise UnreadableTable("It has a password, or an older format; please save it as XLSX without a password.")
    if content.startswith(b"PK\x03\x04"):
        tables = [_summary(name, rows) for name, rows in workbooks.sheets(content, room)]
    else:
        tables = [_summary(attachment.filename, _delimited_rows(content, room))]
    if not (filled := [table for table in tables if table]):
        raise UnreadableTable("It is empty.")
    return filled


def _delimited_rows(content: bytes, room: Room) -> list[list[str]]:
    text = _text(content)
    try:
        # Only its delimiter: how it quotes, the Sniffer guesses from the first lines, wrongly where a `""` comes later.
        delimiter = csv.Sniffer().sniff(text[:_SNIFFED], delimiters=",;\t|").delimiter
    except csv.Error:
        delimiter = ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    try:
        rows = [row[:COLUMNS_BOUND] for row in islice(reader, ROWS_BOUND + 2)]
    except csv.Error as error:
        raise UnreadableTable(
            f"It has a cell of more than {csv.field_size_limit():,} characters; perhaps a quotation mark is not closed."
        ) from error
    room.lay_out(max(map(_width, rows), default=0), len(rows))
    return rows


def _text(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        guess = from_bytes(content[: 256 * 1024]).best()
        text = content.decode(guess.encoding, errors="replace").removeprefix("\ufeff") if guess else "\0"
    if "\0" in text:
        raise UnreadableTable("It is not text; please save it as CSV (UTF-8) or XLSX.")
    return text


def _summary(name: str, rows: Sequence[Sequence[str]]) -> Table | None:
    read = [[cell.strip() for cell in row] for row in rows[: ROWS_BOUND + 2]]
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
    return float(value) if len(value) <= _NUMBER_CHARACTERS and _NUMBER.fullmatch(value) else None
