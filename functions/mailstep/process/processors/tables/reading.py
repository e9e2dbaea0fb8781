"""Reads the tables of a file: opens it by its content, finds each table's parts, and summarises its columns."""

import gc
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import PurePath
from typing import Any
from zipfile import ZipFile

from mailstep.contracts import Attachment
from mailstep.media_types import COMPOUND_FILE_SIGNATURE, XLSX
from mailstep.process.processors.tables import (
    binary_workbooks,
    containers,
    delimited,
    encoding,
    formulas,
    legacy_workbooks,
    numbers,
    open_document,
    workbooks,
)
from mailstep.process.processors.tables.layout import ROWS_DIVIDED, Layout, divided, lay_out
from mailstep.process.processors.tables.limits import SIZE_BOUND, TableQuota, UnreadableTable
from mailstep.process.processors.tables.model import Column, Table
from mailstep.process.processors.tables.rows import Row, Rows, columns_of
from mailstep.process.processors.tables.sheets import BROKEN, LOCKED, Sheet
from mailstep.process.processors.tables.summaries import summarise
from mailstep.texts.speaking import say
from mailstep.zip_errors import UNREADABLE

_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")  # [MS-OFFCRYPTO] 2.3.4.4
_OLD_XLS = (b"\x09\x00\x04\x00", b"\x09\x02\x06\x00", b"\x09\x04\x06\x00", b"\x09\x08\x08\x00")  # [MS-XLS] 2.4.21, BOF
_PACKAGE, _GZIP = b"PK\x03\x04", b"\x1f\x8b"
_NO_TABLES = (
    (b"%pdf-", "tables.problems.pdf"),
    (b"{\\rtf", "tables.problems.text_document"),
    (b"<?xml", "tables.problems.xml"),
    (b"<html", "tables.problems.web_page"),
    (b"<!doctype html", "tables.problems.web_page"),
    (b"<table", "tables.problems.web_page"),
)
_CELLS_SAMPLED = 2_000  # that tell the decimal mark of a table
_DELIMITED = {".csv", ".tsv", ".tab", ".psv", ".txt"}
_WORKBOOKS = {".xlsx", ".xlsm", ".xltx", ".xltm", ".xls", ".xlt", ".xlsb", ".ods", ".ots"}
_ARCHIVES = {".zip", ".gz"}
_MEDIA_TYPES = {
    *("text/csv", "text/tab-separated-values", "application/csv", "text/x-csv", "text/comma-separated-values"),
    *("application/vnd.ms-excel", "application/vnd.oasis.opendocument.spreadsheet"),
    XLSX,
    "application/vnd.ms-excel.sheet.macroenabled.12",
    "application/vnd.ms-excel.sheet.binary.macroenabled.12",
}


def is_table(attachment: Attachment) -> bool:
    """Whether the media type or the file name is that of a table, or of an archive of tables."""
    suffix = _suffix(attachment.filename)
    return attachment.media_type.lower() in _MEDIA_TYPES or suffix in _DELIMITED | _WORKBOOKS | _ARCHIVES


def read(filename: str, content: bytes, quota: TableQuota, *, declared: str | None = None) -> list[Table]:
    """One table for a delimited file; one for each sheet of a workbook that is not empty, and of each file of a ZIP.

    The octets decide what a file is, not its name. `declared` is the character set that the message declares for it.

    Raises:
        UnreadableTable: the file is too large, or not a table.
    """
    if len(content) > SIZE_BOUND:
        raise UnreadableTable(say("tables.problems.too_large", megabytes=SIZE_BOUND // 1024 // 1024))
    quota.take_octets(len(content))
    with _collector_paused():
        if content.startswith(_GZIP):
            filename, content = filename.removesuffix(".gz"), containers.gunzipped(content, quota)
        tables = _tables(filename, content, quota, declared)
    if not tables:
        raise UnreadableTable(say("tables.problems.empty"))
    return tables


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Without Python's garbage collector, which would look through a million rows for cycles again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _tables(filename: str, content: bytes, quota: TableQuota, declared: str | None = None) -> list[Table]:
    # A compound file is an XLS, or an XLSX under a password.
    if content.startswith(COMPOUND_FILE_SIGNATURE) or (content.startswith(_OLD_XLS) and _suffix(filename) == ".xls"):
        if _ENCRYPTED in content:
            raise UnreadableTable(say(LOCKED))
        return _of_sheets(legacy_workbooks.sheets(content, quota))
    if content.startswith(_PACKAGE):
        return _package(content, quota)
    start = content[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for mark, problem in _NO_TABLES:
        if start.startswith(mark):
            raise UnreadableTable(say(problem))
    return _delimited(filename, content, quota, declared)


def _package(content: bytes, quota: TableQuota) -> list[Table]:
    """The tables of a ZIP archive: it is a workbook, or it has files that are."""
    try:
        with ZipFile(io.BytesIO(content)) as archive:
            names = {name.replace("\\", "/").lower() for name in archive.namelist()}
            if binary_workbooks.MAIN in names:
                return _of_sheets(binary_workbooks.sheets(content, quota))
            if "content.xml" in names:
                return _of_sheets(open_document.sheets(content, quota))
            if "[content_types].xml" in names or any(name.startswith(("xl/", "_rels/")) for name in names):
                return _of_sheets(workbooks.sheets(content, quota))
            return _archived(archive, quota)
    except UnreadableTable:
        raise
    except UNREADABLE as error:
        raise UnreadableTable(say(BROKEN)) from error


def _archived(archive: ZipFile, quota: TableQuota) -> list[Table]:
    tables: list[Table] = []
    problems: list[str] = []
    for name, content in containers.members(archive, quota, _DELIMITED | _WORKBOOKS):
        if content.startswith(_PACKAGE) and _suffix(name) in _DELIMITED:
            continue
        try:
            tables += _tables(name, content, quota)
        except UnreadableTable as error:
            problems.append(say("tables.notes.in_archive", file=name, problem=error))
    if not tables:
        raise UnreadableTable(problems[0] if problems else say("tables.problems.no_table_in_archive"))
    return [replace(tables[0], notes=(*tables[0].notes, *problems)), *tables[1:]]


def _of_sheets(sheets: Iterable[Sheet]) -> list[Table]:
    return [
        table
        for sheet in sheets
        for table in _divided(sheet.name, sheet.rows, notes=sheet.notes, complete=sheet.complete)
    ]


def _suffix(filename: str) -> str:
    return PurePath(filename.lower()).suffix


def _delimited(filename: str, content: bytes, quota: TableQuota, declared: str | None) -> list[Table]:
    text = encoding.decode(content, declared=declared)
    suffix = _suffix(filename)
    found = delimited.read(text.text, quota, suffix=suffix)
    as_text = '="' in text.text and formulas.take_texts(found.rows)
    if as_text:
        found.notes.append(say("tables.notes.text_formulas"))
    rows = found.rows
    if found.empty_before and len(rows) <= ROWS_DIVIDED:
        places = set(found.empty_before)
        rows = [line for place, row in enumerate(rows) for line in ([[], row] if place in places else [row])]
    tables = _divided(
        filename,
        rows,
        encoding=text.encoding,
        delimiter=found.delimiter,
        notes=(*text.notes, *found.notes),
        complete=found.complete,
        stored=as_text,
    )
    if suffix == ".txt" and tables and all(len(table.columns) < 2 for table in tables):
        raise UnreadableTable(say("tables.problems.no_columns"))
    return tables


def _divided(
    name: str, rows: Rows | list[list[str]], *, notes: tuple[str, ...], complete: bool, **read: Any
) -> list[Table]:
    """The tables of a sheet or a file: one, unless empty rows divide several. A cut ends the last one."""
    parts = list(filter(None, divided(rows)))
    return [
        _table(
            name if len(parts) == 1 else say("tables.part", name=name, number=number),
            part,
            notes=notes if number == 1 else (),
            complete=complete or number < len(parts),
            **read,
        )
        for number, part in enumerate(parts, 1)
    ]


def _table(
    name: str,
    rows: Sequence[Row],
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    notes: tuple[str, ...] = (),
    complete: bool = True,
    stored: bool = True,
) -> Table:
    layout = lay_out(rows)
    # A row may be wider than the header; its extra cells are kept.
    columns, header = _columns(layout)
    names = [
        title or say("tables.column_without_name", number=place)
        for place, title in enumerate(header or [""] * len(columns), 1)
    ]
    summaries = _summaries(names, columns, delimiter=delimiter, stored=stored)
    body = Rows(columns)
    cut = () if complete else (say("tables.notes.cut", count=len(body)),)
    return Table(
        name=name,
        columns=summaries,
        body=body,
        rows=len(body),
        header=header,
        encoding=encoding,
        delimiter=delimiter,
        notes=(*cut, *notes, *layout.notes, *(note for column in summaries for note in column.notes)),
        complete=complete,
        repeated=0
        if any(column.all_different for column in summaries)
        else len(body) - len(set(zip(*columns, strict=True))),
    )


def _columns(layout: Layout) -> tuple[list[list[str]], tuple[str, ...] | None]:
    """The cells of each column and the header, from the first column that holds something to the last one."""
    # A row may be wider than the header; its extra cells are kept.
    columns = columns_of(layout.body, at_least=len(layout.header or ()))
    header = layout.header
    if header is not None:
        header += ("",) * (len(columns) - len(header))
    used = [place for place, column in enumerate(columns) if (header and header[place]) or any(column)]
    first, last = (used[0], used[-1] + 1) if used else (0, 0)
    return columns[first:last], header[first:last] if header is not None else None


def _summaries(
    names: Sequence[str], columns: Sequence[Sequence[str]], *, delimiter: str | None, stored: bool
) -> tuple[Column, ...]:
    """The summary of each column. Where one does not tell its decimal mark, or its order of days, others do."""
    sampled = max(_CELLS_SAMPLED // max(len(columns), 1), 2)
    decimal = numbers.certain_mark(cell for column in columns for cell in column[:sampled])
    # Countries with a decimal comma separate cells by a semicolon.
    decimal = decimal or ("," if delimiter == ";" else None)
    summaries = tuple(
        summarise(title, column, decimal=decimal, stored=stored) for title, column in zip(names, columns, strict=True)
    )
    told = {one.day_first for one in summaries if one.day_first is not None}
    if len(told) != 1:
        return summaries
    # One column tells how the others write `03/04/2024`. What is uncertain has a note.
    [day_first] = told
    return tuple(
        summarise(one.name, column, day_first=day_first, stored=stored) if one.kind == "date" and one.notes else one
        for one, column in zip(summaries, columns, strict=True)
    )
