"""Tables in attachments (CSV, TSV, XLSX): read through libraries, summarised per column."""

import csv
import io
import statistics
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePath

from charset_normalizer import from_bytes
from python_calamine import CalamineError, CalamineWorkbook

from mailstep.contracts import Attachment

ROWS_BOUND = 100_000
"""Rows read of one table: what can be summarised within the step's timeout and memory."""
SIZE_BOUND = 10 * 1024 * 1024
"""Octets of a table that is read; a larger one is named, not summarised."""

COLUMNS_BOUND = 200
"""Columns that are summarised; beyond, nobody would read the summary."""
UNPACKED_BOUND = 100 * 1024 * 1024
"""Octets that a workbook says it unpacks to: a small file can claim gigabytes."""

FREQUENT = 3
"""Values that are named of a column that has no numbers."""
SPREAD = 12
"""Parts in which the numbers of a column are counted."""

_FORMULA = {"=", "+", "-", "@", "\t", "\r"}
_SNIFFED = 4_096  # characters; the sniffer's time grows with their square
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


def summarise(attachment: Attachment, content: bytes) -> list[Table]:
    """One table for a delimited file, one for each sheet of a workbook.

    Raises:
        UnreadableTable: it is too large, or no table.
    """
    if len(content) > SIZE_BOUND:
        raise UnreadableTable(f"It has more than {SIZE_BOUND // 1024 // 1024} MB, too much to summarise here.")
    if content.startswith(b"PK\x03\x04"):
        return [_summary(name, rows) for name, rows in _sheets(content)]
    return [_summary(attachment.filename, _delimited_rows(content))]


def _sheets(content: bytes) -> Iterator[tuple[str, Iterable[Sequence[object]]]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(member.file_size for member in archive.infolist()) > UNPACKED_BOUND:
                raise UnreadableTable("It unpacks to more than can be summarised here.")
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        for name in workbook.sheet_names:
            yield name, workbook.get_sheet_by_name(name).iter_rows()
    except (CalamineError, zipfile.BadZipFile) as error:
        raise UnreadableTable("It is not a workbook that can be read; please save it as XLSX again.") from error


def _delimited_rows(content: bytes) -> Iterator[list[str]]:
    text = _text(content)
    try:
        dialect: type[csv.Dialect] | csv.Dialect = csv.Sniffer().sniff(text[:_SNIFFED], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    yield from csv.reader(io.StringIO(text, newline=""), dialect)


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        guess = from_bytes(content[: 256 * 1024]).best()
    if guess is None:
        raise UnreadableTable("It is not text; please save it as CSV (UTF-8) or XLSX.")
    return content.decode(guess.encoding, errors="replace").removeprefix("\ufeff")


def _summary(name: str, rows: Iterable[Sequence[object]]) -> Table:
    try:
        read = [[str(value).strip() for value in row] for row in islice(rows, ROWS_BOUND + 2)]
    except csv.Error as error:
        raise UnreadableTable(f"It cannot be read as a table: {error}.") from error
    filled = [row for row in read if any(row)]
    if not filled:
        raise UnreadableTable("It is empty.")
    header, body = filled[0], filled[1 : ROWS_BOUND + 1]
    titles = header[:COLUMNS_BOUND]
    cells = [[*row[: len(titles)], *[""] * (len(titles) - len(row))] for row in body]
    columns = tuple(
        _column(title or f"column {index + 1}", [row[index] for row in cells]) for index, title in enumerate(titles)
    )
    return Table(name=name, rows=len(body), columns=columns, body=cells, complete=len(read) <= ROWS_BOUND + 1)


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
    try:
        number = float(value)
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None
