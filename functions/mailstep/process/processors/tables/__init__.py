"""A processor for tables: summarises each column, shows the first rows, draws charts, returns the cleaned table."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice

from mailstep.process.processors import Answer, AnswerAttachment, Attachment, Message, OpenAttachment, work_on_each
from mailstep.process.processors.tables.limits import TableQuota
from mailstep.process.processors.tables.model import Column, Number, Table
from mailstep.process.processors.tables.pictures import histogram
from mailstep.process.processors.tables.presenting import ShownTable, is_key, shown
from mailstep.process.processors.tables.reading import is_table, read
from mailstep.process.processors.tables.returning import Files
from mailstep.rendering import render
from mailstep.texts.speaking import figure, notated, say

PICTURES_BOUND = 30
"""Charts in one reply, all tables together."""
DRAWN = 3
"""Values of a column that has a chart: fewer are better read as they are."""
COLUMNS_SHOWN = 1_000
"""Columns that one reply describes, all tables together."""
_LABEL = 9  # characters that name an end of an axis


@dataclass(frozen=True)
class _Received:
    """What the reply has of an attachment: its tables, its cleaned files, and sentences on files that are left out."""

    tables: tuple[ShownTable, ...]
    files: tuple[AnswerAttachment, ...]
    problems: tuple[str, ...]


@dataclass
class _Allowance:
    """What one reply may still read, attach and describe."""

    quota: TableQuota
    files: Files
    columns: int = COLUMNS_SHOWN


def process(message: Message, open_attachment: OpenAttachment) -> Answer:
    """Answer with a summary of each table of the message, and the tables themselves as XLSX and CSV."""
    allowance = _Allowance(TableQuota(), Files())
    received = work_on_each(
        message, open_attachment, lambda attachment, content: _received(attachment, content, allowance), only=is_table
    )
    done = [worked.result for worked in received if worked.result]
    pictures = dict(_charts(table for one in done for table in one.tables))
    context = {
        "message": message,
        # A picture within the text is no file that somebody sends to have it summarised.
        "received": [worked for worked in received if worked.result or worked.problem or not worked.attachment.inline],
        "found": any(worked.result or worked.problem for worked in received),
        "formats": say("tables.formats"),
        "picture_of": lambda column: pictures.get(id(column)),
        "alternative": _alternative,
    }
    return Answer(
        text=render("tables.txt.j2", **context),
        html=render("tables.html.j2", **context),
        attachments=(*pictures.values(), *(file for one in done for file in one.files)),
    )


def _received(attachment: Attachment, content: bytes, allowance: _Allowance) -> _Received:
    tables = read(attachment.filename, content, allowance.quota, declared=attachment.charset)
    files, problems = allowance.files.of(attachment, tables)
    return _Received(tuple(_shown(tables, allowance)), tuple(files), tuple(problems))


def _shown(tables: Sequence[Table], allowance: _Allowance) -> Iterator[ShownTable]:
    for table in tables:
        made = shown(table, columns=allowance.columns)
        allowance.columns -= len(made.columns)
        yield made


def _charts(tables: Iterator[ShownTable]) -> Iterator[tuple[int, AnswerAttachment]]:
    """The charts of the first columns that have a spread, by the identity of the column."""
    columns = (made.column for table in tables for made in table.columns)
    drawn = (column for column in columns if _is_drawn(column))
    for number, column in zip(count(1), islice(drawn, PICTURES_BOUND)):
        found = column.figures
        assert found  # noqa: S101 - it was looked at above
        lowest, highest = (_label(end, column.unit) for end in (found.minimum, found.maximum))
        yield (
            id(column),
            AnswerAttachment(
                filename=f"bars-{number}.png",
                media_type="image/png",
                content=histogram(found.spread, lowest=lowest, highest=highest),
                content_id=f"bars-{number}",
            ),
        )


def _is_drawn(column: Column) -> bool:
    found = column.figures
    return bool(found and found.spread and column.values >= DRAWN and not is_key(column))


def _label(number: Number, unit: str) -> str:
    percent = "%" if unit == "%" else ""
    label = figure(number * 100 if percent else number)
    return (label if len(label) <= _LABEL else notated(f"{float(number):.3g}")) + percent


def _alternative(column: Column) -> str:
    """What a chart shows, for a reader who does not see it."""
    found = column.figures
    if not found:
        return ""
    lowest, highest = (_label(end, column.unit) for end in (found.minimum, found.maximum))
    counts = ", ".join(map(str, found.spread))
    return say("tables.chart", intervals=len(found.spread), lowest=lowest, highest=highest, counts=counts)
