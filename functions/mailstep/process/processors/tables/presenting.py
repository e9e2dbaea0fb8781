"""What a reply says of a table: how it was read, what each column holds, and its first rows."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from mailstep.process.processors.tables.column_names import KEY, NOT_ADDED
from mailstep.process.processors.tables.directions import is_right_to_left
from mailstep.process.processors.tables.model import Column, Moment, Number, Table
from mailstep.process.processors.tables.wording import shortened
from mailstep.texts.speaking import day, figure, notated, say

ROWS_SHOWN = 5
"""Rows that the reply shows of each table."""
NARROW = 4
"""Columns of a table whose rows fit on a telephone, beside each other. A wider table shows values by column."""
BREADTH = 36
"""Letters beside each other that fit on a telephone; text breaks between words, and numbers do not."""
NOTES_SHOWN = 20
"""Notes on one table; a workbook's columns may have one each."""
FEW = 10
"""Different values of a column that are always worth naming."""
_LARGE = 1e15  # cents of such an amount are not in a float
_LONG_KEY = 10**9  # different numbers as long as each other, from here on, are articles or orders
_WIDEST = 12  # decimals that are aligned
_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "spaces", ":": "colon"}
_POINT, _DIGIT = "\u2008", "\u2007"  # spaces as wide as a point and a digit
_LAST_DIGIT = re.compile(r"[0-9](?=[^0-9]*\Z)")
_DECIMALS = re.compile(r"[.,]([0-9]+)[^0-9]*\Z")


@dataclass(frozen=True)
class ShownColumn:
    """A column in the reply. `values` are its first ones, if the table is too wide to show rows."""

    name: str
    kind: str
    facts: tuple[str, ...]
    values: tuple[str, ...]
    is_number: bool
    column: Column


@dataclass(frozen=True)
class ShownTable:
    """A table in the reply: everything is text, on one line, and bounded.

    `reading` are sentences on how it was read, `notes` on what was changed or left out. `rows` are the first rows of
    a narrow table, its numbers padded so that their points are below each other.
    """

    name: str
    size: str
    reading: tuple[str, ...]
    notes: tuple[str, ...]
    columns: tuple[ShownColumn, ...]
    more_columns: int
    rows: tuple[tuple[str, ...], ...]
    direction: str


def shown(table: Table, *, columns: int) -> ShownTable:
    """The table as the reply shows it, with at most so many columns."""
    head = table.body[:ROWS_SHOWN]
    narrow = len(table.columns) <= min(NARROW, columns) and _breadth(table.columns, head) <= BREADTH
    described = tuple(
        ShownColumn(
            name=shortened(column.name),
            kind=_kind(column),
            facts=tuple(facts(column)),
            values=() if narrow else tuple(shortened(row[place], 30) for row in head[:3] if row[place]),
            is_number=column.kind == "number",
            column=column,
        )
        for place, column in enumerate(table.columns[:columns])
    )
    notes = [shortened(note, 300) for note in table.notes[:NOTES_SHOWN]]
    if len(table.notes) > NOTES_SHOWN:
        notes.append(say("tables.notes.more", count=len(table.notes) - NOTES_SHOWN))
    return ShownTable(
        name=shortened(table.name),
        size=say(
            "tables.size",
            rows=say("counts.rows", count=table.rows),
            columns=say("counts.columns", count=len(table.columns)),
        ),
        reading=tuple(_reading(table)),
        notes=tuple(notes),
        columns=described,
        more_columns=len(table.columns) - len(described),
        rows=_aligned(table.columns, head) if narrow else (),
        direction="rtl" if is_right_to_left(table) else "ltr",
    )


def _kind(column: Column) -> str:
    """The kind as the reply names it: a column of times of day, or of durations, has no dates."""
    timed = column.period is not None and not isinstance(column.period.earliest, date)
    return say("tables.kinds.time" if timed else f"tables.kinds.{column.kind}")


def _reading(table: Table) -> Iterator[str]:
    if table.encoding and table.delimiter:
        named = _DELIMITERS.get(table.delimiter)
        delimiter = say(f"tables.delimiters.{named}") if named else table.delimiter
        yield say("tables.reading.encoding_and_delimiter", encoding=table.encoding, delimiter=delimiter)
    elif table.encoding:
        yield say("tables.reading.encoding", encoding=table.encoding)
    yield say("tables.reading.no_header" if table.header is None else "tables.reading.header")
    if table.repeated:
        yield say("tables.reading.repeated", count=table.repeated)


def facts(column: Column) -> Iterator[str]:
    """What a column holds, in a few short phrases."""
    if column.missing and column.values:
        yield say("tables.facts.missing", count=column.missing)
    # Amounts nearly always differ, so this is not told of them; nor of yes and no.
    if column.all_different and column.kind != "boolean" and (not column.figures or is_key(column)):
        yield say("tables.facts.all_different")
    if column.figures:
        yield from _figures(column)
    elif column.period:
        first, last = _moment(column.period.earliest), _moment(column.period.latest)
        yield first if first == last else say("tables.facts.from_to", first=first, last=last)
    elif column.kind == "boolean" and column.distinct > 1:
        yield _counted(column.frequent)
    elif not column.all_different:
        yield from _frequent(column)
    if column.odd:
        yield _odd(column)


def is_key(column: Column) -> bool:
    """Whether a column's numbers name something, as an order number or a year does."""
    found = column.figures
    if not found or not isinstance(found.minimum, int) or not isinstance(found.maximum, int):
        return False
    consecutive = column.values > FEW and found.maximum - found.minimum + 1 == column.values
    long = found.minimum >= _LONG_KEY and len(str(found.minimum)) == len(str(found.maximum))
    return bool(KEY.search(column.name)) or (column.all_different and (consecutive or long))


def _figures(column: Column) -> Iterator[str]:
    found = column.figures
    assert found  # noqa: S101 - the caller looked

    def said(number: Number) -> str:
        # `2,024` is no year.
        return str(number) if is_key(column) else with_unit(number, column.unit, cents=column.cents)

    def between(key: str, lowest: Number, highest: Number) -> str:
        return say(f"tables.facts.{key}", lowest=said(lowest), highest=said(highest))

    same = found.minimum == found.maximum
    extent = said(found.minimum) if same else between("extent", found.minimum, found.maximum)
    if is_key(column):
        yield extent
        return
    if column.unit != "%" and not NOT_ADDED.search(column.name):
        yield say("tables.facts.sum", number=said(found.total))
    if same:
        yield say("tables.facts.always", value=extent)
        return
    yield say("tables.facts.median", number=said(found.median))
    yield say("tables.facts.mean", number=said(found.mean))
    yield extent
    if column.values > 3:
        yield between("half", found.lower_quartile, found.upper_quartile)


def with_unit(number: Number, unit: str, *, cents: bool = False) -> str:
    """A figure of a column: `5 %` for 0.05, `12 €`, `1.50` with cents."""
    if unit == "%":
        return say("language.percent", number=figure(number * 100))
    exact = (unit or cents) and isinstance(number, float) and abs(number) < _LARGE
    amount = notated(f"{number:,.2f}") if exact else figure(number)
    return f"{amount} {unit}".rstrip()


def _frequent(column: Column) -> Iterator[str]:
    if not column.frequent:
        return
    if column.distinct == 1:
        yield say("tables.facts.always", value=shortened(column.frequent[0][0]))
        return
    yield say("tables.facts.different", count=column.distinct)
    often = [(text, count) for text, count in column.frequent if count > 1]
    # In a column of names, one that is there twice says nothing.
    if often and (column.distinct <= FEW or 20 * often[0][1] >= column.values):
        yield say("tables.facts.frequent", values=_counted(often))


def _counted(values: Sequence[tuple[str, int]]) -> str:
    return ", ".join(f"{shortened(text)} ({figure(count)})" for text, count in values)


def _odd(column: Column) -> str:
    named = ", ".join(say("tables.facts.in_row", value=shortened(odd.text, 30), row=odd.row) for odd in column.odd)
    if more := column.odd_values - len(column.odd):
        named = say("tables.more", items=named, count=more)
    return say(f"tables.facts.no_{column.kind}", values=named)


def _moment(moment: Moment) -> str:
    match moment:
        case datetime():
            time = moment.timetz().isoformat("minutes" if not moment.second and not moment.microsecond else "seconds")
            return f"{day(moment)} {time}"
        case date():
            return day(moment)
        case timedelta():
            return _elapsed(moment)
    return str(moment)


def _elapsed(duration: timedelta) -> str:
    """A duration in hours, minutes and seconds, as spreadsheets show it."""
    seconds = abs(duration).total_seconds()
    hours, rest = divmod(int(seconds), 3600)
    fraction = f"{seconds % 1:.3f}"[1:].rstrip("0").rstrip(".")
    return f"{'-' if duration < timedelta() else ''}{hours}:{rest // 60:02}:{rest % 60:02}{fraction}"


def _breadth(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> int:
    """Letters that a table needs beside each other: the longest word of each column."""
    breadth = 0
    for place, column in enumerate(columns):
        cells = [shortened(row[place]) for row in rows]
        words = [word for text in (shortened(column.name), *cells) for word in text.split()]
        breadth += max(map(len, cells if column.kind == "number" else words), default=0)
    return breadth


def _aligned(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    places = [
        _points([row[place] for row in rows], column)
        if column.kind == "number"
        else [shortened(row[place]) for row in rows]
        for place, column in enumerate(columns)
    ]
    return tuple(zip(*places, strict=True))


def _points(cells: Sequence[str], column: Column) -> list[str]:
    decimals = [_decimals(cell, column) for cell in cells]
    most = min(max(decimals, default=0), _WIDEST)
    return [_padded(shortened(cell), own, most) for cell, own in zip(cells, decimals, strict=True)]


def _decimals(cell: str, column: Column) -> int:
    found = _DECIMALS.search(cell) if isinstance(column.value(cell), float) else None
    return len(found[1]) if found else 0


def _padded(cell: str, own: int, most: int) -> str:
    if own >= most or not (digit := _LAST_DIGIT.search(cell)):
        return cell
    space = ("" if own else _POINT) + _DIGIT * (most - own)
    return cell[: digit.end()] + space + cell[digit.end() :]
