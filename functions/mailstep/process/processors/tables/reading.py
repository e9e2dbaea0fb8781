"""Reads the tables of a file: opens it by its content, finds each table's parts, and summarises its columns."""

import csv
import io
from pathlib import PurePath

from mailstep.contracts import Attachment
from mailstep.process.processors.tables import delimited, encoding, numbers, workbooks
from mailstep.process.processors.tables.layout import lay_out
from mailstep.process.processors.tables.limits import SIZE_BOUND, Budget, UnreadableTable
from mailstep.process.processors.tables.model import Table
from mailstep.process.processors.tables.summaries import summarise

_COMPOUND_FILE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # [MS-CFB] 2.2: XLS, and XLSX under a password
_FORMULA = {"=", "+", "-", "@", "\t", "\r"}
_MEDIA_TYPES = {
    "text/csv",
    "text/tab-separated-values",
    "application/csv",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_SUFFIXES = {".csv", ".tsv", ".xlsx"}


def is_table(attachment: Attachment) -> bool:
    """Whether the media type or the file name is that of a table."""
    return attachment.media_type in _MEDIA_TYPES or PurePath(attachment.filename.lower()).suffix in _SUFFIXES


def read(filename: str, content: bytes, budget: Budget, *, declared: str | None = None) -> list[Table]:
    """One table for a delimited file; one for each sheet of a workbook that is not empty.

    `declared` is the character set that the message declares for the file.

    Raises:
        UnreadableTable: the file is too large, or not a table.
    """
    if len(content) > SIZE_BOUND:
        raise UnreadableTable(
            f"It has more than {SIZE_BOUND // 1024 // 1024} MB, too much to summarise; please send it in smaller parts."
        )
    budget.take_octets(len(content))
    if content.startswith(_COMPOUND_FILE):
        raise UnreadableTable("It has a password or an older format; please save it as XLSX without a password.")
    if content.startswith(b"PK\x03\x04"):
        tables = [
            _table(sheet.name, sheet.rows, notes=sheet.notes, complete=sheet.complete, hidden=sheet.hidden)
            for sheet in workbooks.sheets(content, budget)
        ]
    else:
        tables = [_delimited(filename, content, budget, declared)]
    if not (filled := [table for table in tables if table]):
        raise UnreadableTable("It is empty.")
    return filled


def _delimited(filename: str, content: bytes, budget: Budget, declared: str | None) -> Table | None:
    text = encoding.decode(content, declared=declared)
    found = delimited.read(text.text, budget, suffix=PurePath(filename.lower()).suffix)
    return _table(
        filename,
        found.rows,
        encoding=text.encoding,
        delimiter=found.delimiter,
        notes=(*text.notes, *found.notes),
        complete=found.complete,
    )


def _table(
    name: str,
    rows: list[list[str]],
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    notes: tuple[str, ...] = (),
    complete: bool = True,
    hidden: bool = False,
) -> Table | None:
    filled = list(filter(any, rows))
    if not filled:
        return None
    layout = lay_out(filled)
    # A row may be wider than the header; its extra cells are kept.
    wide = max(len(layout.header or ()), max(map(len, layout.body), default=0))
    body = [row if len(row) == wide else [*row, *[""] * (wide - len(row))] for row in layout.body]
    columns = list(zip(*body, strict=True)) if body else [()] * wide
    header = [*layout.header, *[""] * (wide - len(layout.header))] if layout.header is not None else None
    used = [place for place in range(wide) if (header and header[place]) or any(columns[place])]
    first, last = (used[0], used[-1] + 1) if used else (0, 0)
    if last - first < wide:
        body = [row[first:last] for row in body]
        columns = columns[first:last]
        header = header[first:last] if header is not None else None
    names = [title or f"column {place}" for place, title in enumerate(header or [""] * len(columns), 1)]
    decimal = numbers.certain_mark(cell for column in columns for cell in column[:100])
    summaries = tuple(summarise(title, column, decimal=decimal) for title, column in zip(names, columns, strict=True))
    return Table(
        name=name,
        columns=summaries,
        body=body,
        rows=len(body),
        header=tuple(header) if header is not None else None,
        encoding=encoding,
        delimiter=delimiter,
        titles=layout.titles,
        foot=layout.foot,
        notes=(*notes, *layout.notes, *(note for column in summaries for note in column.notes)),
        complete=complete,
        hidden=hidden,
        repeated=0 if any(column.all_different for column in summaries) else len(body) - len(set(map(tuple, body))),
    )


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
    return f"'{cell}" if cell[:1] in _FORMULA and not numbers.written(cell) else cell
