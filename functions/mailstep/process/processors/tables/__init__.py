"""A processor for tables: summarises each column, shows the first rows, draws charts, returns the cleaned table."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import PurePath

from mailstep.process.processors import Answer, AnswerAttachment, Attachment, Message, OpenAttachment, work_on_each
from mailstep.process.processors.tables.limits import Budget
from mailstep.process.processors.tables.model import Column, Table
from mailstep.process.processors.tables.pictures import bars
from mailstep.process.processors.tables.reading import as_csv, is_table, read
from mailstep.rendering import render

PICTURES_BOUND = 30
"""Charts in one reply, all tables together."""
COLUMNS_SHOWN = 1_000
"""Columns that one reply describes, all tables together."""
ROWS_SHOWN = 5
"""Rows that the reply shows of each table."""


@dataclass(frozen=True)
class _Shown:
    """A table as the reply shows it, and the file that goes with it."""

    table: Table
    cleaned: AnswerAttachment


def process(message: Message, open_attachment: OpenAttachment) -> Answer:
    """Answer with a summary of each table of the message, and the table itself as CSV in UTF-8."""
    budget = Budget()
    received = work_on_each(
        message, open_attachment, lambda attachment, content: _shown(attachment, content, budget), only=is_table
    )
    shown = [one for worked in received for one in worked.result or ()]
    columns = [column for one in shown for column in one.table.columns]
    numbered = zip((column for column in columns if column.figures and column.figures.spread), count(1), strict=False)
    pictures = {id(column): f"bars-{number}" for column, number in numbered if number <= PICTURES_BOUND}
    described = {id(column) for column in columns[:COLUMNS_SHOWN]}
    context = {
        "message": message,
        "received": received,
        "picture_of": lambda column: pictures.get(id(column)),
        "described": lambda table: [column for column in table.columns if id(column) in described],
    }
    return Answer(
        text=render("tables.txt.j2", **context),
        html=render("tables.html.j2", **context),
        attachments=(*_pictures(columns, pictures), *(one.cleaned for one in shown)),
    )


def _shown(attachment: Attachment, content: bytes, budget: Budget) -> tuple[_Shown, ...]:
    tables = read(attachment.filename, content, budget)
    return tuple(
        # The other rows are dropped to save memory: a message may have many tables.
        _Shown(replace(table, body=table.body[:ROWS_SHOWN]), _cleaned(attachment, table, alone=len(tables) == 1))
        for table in tables
    )


def _pictures(columns: list[Column], identities: dict[int, str]) -> Iterator[AnswerAttachment]:
    for column in columns:
        if identity := identities.get(id(column)):
            yield AnswerAttachment(
                filename=f"{identity}.png",
                media_type="image/png",
                content=bars(column.figures.spread if column.figures else ()),
                content_id=identity,
            )


def _cleaned(attachment: Attachment, table: Table, *, alone: bool) -> AnswerAttachment:
    stem = PurePath(attachment.filename).stem
    name = stem if alone else f"{stem} {table.name}"
    return AnswerAttachment(filename=f"{name} (cleaned).csv", media_type="text/csv", content=as_csv(table))
