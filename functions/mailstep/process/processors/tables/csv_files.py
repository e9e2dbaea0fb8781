"""Writes a cleaned table as CSV (RFC 4180): UTF-8, every cell quoted, and no cell that a spreadsheet runs."""

import csv
import io
from itertools import batched

from mailstep.process.processors.tables.formulas import harmless, may_hold_formulas
from mailstep.process.processors.tables.limits import TooLargeToReturn
from mailstep.process.processors.tables.model import Table
from mailstep.texts.speaking import say

_ROWS = 1_000  # that are written at once


def as_csv(table: Table, *, room: int) -> bytes:
    """The table, its header first if it has one, with the byte order mark by which Excel recognises UTF-8.

    Raises:
        TooLargeToReturn: it has more than `room` octets.
    """
    octets = io.BytesIO()
    text = io.TextIOWrapper(octets, encoding="utf-8-sig", errors="replace", newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    if table.header is not None:
        writer.writerow([harmless(column.name) for column in table.columns])
    for rows in batched(table.body, _ROWS, strict=False):
        writer.writerows([list(map(harmless, row)) for row in rows] if may_hold_formulas(rows) else rows)
        text.flush()
        if octets.tell() > room:
            raise TooLargeToReturn(say("tables.reply_too_large"))
    text.flush()
    return octets.getvalue()
