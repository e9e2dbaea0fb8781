"""Rows of a text whose columns begin at the same place in each line, with spaces between them."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from mailstep.process.processors.tables import dates, numbers
from mailstep.process.processors.tables.rows import Row

_SAMPLED = 500  # lines, which tell where columns begin
_LONGEST = 2_000  # characters of a line
_GAP = 2  # spaces between columns at least: one is between words, too
_LEAST_LINES, _LEAST_COLUMNS = 3, 2
_RULE = re.compile(r"[ =-]*(?:-{2,}|={2,}) +(?:--|==)[ =-]*")  # as SQL*Plus writes below the names
_GROUP = re.compile(r"[=-]+")
_DECIMAL_COMMA = re.compile(r"(?<=[0-9]),(?=[0-9])")


def may_be_fixed(sample: str) -> bool:
    """Whether no other delimiter divides the cells: a comma is one, unless each stands within a number."""
    return (
        "  " in sample
        and not any(each in sample for each in '\t;|"')
        and sample.count(",") == len(_DECIMAL_COMMA.findall(sample))
    )


def split(text: str) -> Iterator[list[str]] | None:
    """The rows, with stripped cells; None if the columns are not aligned, or none of them has numbers or dates.

    The first lines tell the places, and all lines must keep them.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) < _LEAST_LINES or max(map(len, lines)) > _LONGEST:
        return None
    rule = next((line for line in lines[:2] if _RULE.fullmatch(line)), None)
    lines = [line for line in lines if not _RULE.fullmatch(line)]
    begins = [found.start() for found in _GROUP.finditer(rule)] if rule else _begins(lines[:_SAMPLED])
    spans = [*pairwise(begins), (begins[-1], _LONGEST)] if begins else []
    if len(spans) < _LEAST_COLUMNS or not all(_keeps(line, begins) for line in lines):
        return None
    rows = [[line[begin:end].strip() for begin, end in spans] for line in lines[:_SAMPLED]]
    if not any(_is_typed([row[place] for row in rows[1:]]) for place in range(1, len(spans))):
        return None
    return ([line[begin:end].strip() for begin, end in spans] for line in lines)


def _begins(lines: Sequence[str]) -> list[int]:
    """Where columns begin: behind places that are empty in all lines."""
    used = {place for line in lines for place, character in enumerate(line) if character != " "}
    return [place for place in sorted(used) if used.isdisjoint(range(place - _GAP, place))]


def _keeps(line: str, begins: Sequence[int]) -> bool:
    """Whether no cell of the line reaches over the beginning of the next column."""
    return not line[: begins[0]].strip() and all(line[place - 1 : place] in ("", " ") for place in begins[1:])


def _is_typed(cells: Row) -> bool:
    filled = list(filter(None, cells))
    return len(filled) > 1 and all(numbers.written(cell) or dates.either_order(cell) is not None for cell in filled)
