"""Reads tables in attachments (CSV, TSV, XLSX) and summarises each column."""

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
"""Rows read of one table: as many as the step can summarise within its timeout and memory."""

COLUMNS_BOUND = 200
"""Columns that are summarised in one table."""

FREQUENT = 3
"""Most frequent values that are listed for a column of text."""
SPREAD = 12
"""Bars in the chart of a column of numbers."""

_FORMULA = {"=", "+", "-", "@", "\t", "\r"}
_SAMPLED = 3_000  # characters in which the delimiter is looked for
# `0049` is text: digits that begin with 0 are an identifier. So is a number with more digits than any measurement.
_NUMBER = re.compile(r"[+-]?((0|[1-9][0-9]*)(\.[0-9]+)?|\.[0-9]+)([eE][+-]?[0-9]{1,2})?")
_NUMBER_CHARACTERS = 100
_COMPOUND_FILE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # [MS-CFB] 2.2: XLS, and XLSX under a password
_DELIMITED = {"text/csv", "text/tab-separated-values", "application/csv"}
_WORKBOOKS = {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


@dataclass(frozen=True)
class Column:
    """The summary of one column.

    Numbers have `minimum`, `maximum`, `mean` and `spread`, which counts the values in equal intervals between minimum
    and maximum. Other columns have `most_frequent`: pairs of value and count.
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
    """A summary, and the cells below the header; each row has one cell for each column."""

    name: str
    rows: int
    columns: tuple[Column, ...]
    body: list[list[str]]
    complete: bool = True


def is_table(attachment: Attachment) -> bool:
    """Whether the media type or the file name is that of a table."""
    suffix = PurePath(attachment.filename.lower()).suffix
    return attachment.media_type in _DELIMITED | _WORKBOOKS or suffix in {".csv", ".tsv", ".xlsx"}


def summarise(attachment: Attachment, content: bytes, room: Room) -> list[Table]:
    """One table for a delimited file; one for each sheet of a workbook that is not empty.

    Raises:
        UnreadableTable: the file is too large, or not a table.
    """
    if len(content) > SIZE_BOUND:
        raise UnreadableTable(
            f"It has more than {SIZE_BOUND // 1024 // 1024} MB, too much to summarise; please send it in smaller parts."
        )
    room.take_octets(len(content))
    if content.startswith(_COMPOUND_FILE):
        raise UnreadableTable("It has a password or an older format; please save it as XLSX without a password.")
    if content.startswith(b"PK\x03\x04"):
        tables = [_summary(name, rows) for name, rows in workbooks.sheets(content, room)]
    else:
        tables = [_summary(attachment.filename, _delimited_rows(content, room))]
    if not (filled := [table for table in tables if table]):
        raise UnreadableTable("It is empty.")
    return filled


def _delimited_rows(content: bytes, room: Room) -> list[list[str]]:
    text = _text(content)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), skipinitialspace=True)
    try:
        rows = [row[:COLUMNS_BOUND] for row in islice(reader, ROWS_BOUND + 2)]
    except csv.Error as error:
        raise UnreadableTable(
            f"It has a cell of more than {csv.field_size_limit():,} characters; perhaps a closing quotation "
            "mark is missing."
        ) from error
    room.lay_out(max(map(_width, rows), default=0), len(rows))
    return rows


def _delimiter(text: str) -> str:
    """The delimiter that makes the most even rows of the first lines; a comma where none makes two columns.

    csv.Sniffer takes minutes for 500 characters of quotation marks. Each trial here is one pass.
    """
    sample = text[:_SAMPLED].rpartition("\n")[0] or text[:_SAMPLED]

    def evenness(delimiter: str) -> float:
        rows = [row for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter) if row]
        [(columns, even)] = Counter(map(len, rows)).most_common(1) or [(0, 0)]
        return even / len(rows) if columns > 1 else 0

    # A comma comes last: it is in numbers and texts too.
    best = max("\t;|,", key=evenness)
    return best if evenness(best) else ","


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
    # A row may be wider than the header; its extra cells are kept.
    width = min(max(_width(row) for row in filled), COLUMNS_BOUND)
    titles, *cells = ([*row[:width], *[""] * (width - len(row))] for row in (header, *body))
    columns = tuple(
        _column(title or f"column {index + 1}", [row[index] for row in cells]) for index, title in enumerate(titles)
    )
    return Table(name=name, rows=len(body), columns=columns, body=cells, complete=len(read) <= ROWS_BOUND + 1)


def _width(row: list[str]) -> int:
    """The number of cells up to the last one that is not empty."""
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
    """The table as CSV in UTF-8, with the byte order mark that Excel needs to recognise UTF-8.

    A cell that a spreadsheet would run as a formula gets an apostrophe in front (OWASP, "CSV Injection").
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
