"""Reads XLS workbooks with xlrd, in a process of its own with limits on memory and time.

A hostile file cannot stop the function: only that process, which knows nothing but the file.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from mailstep import settings
from mailstep.budget import free_octets
from mailstep.process.processors.tables import legacy_reader, number_formats
from mailstep.process.processors.tables.legacy_reader import (
    ENCRYPTED,
    MEMORY_BOUND,
    OUTPUT_BOUND,
    SECONDS_BOUND,
    UNREADABLE,
)
from mailstep.process.processors.tables.limits import TableQuota, TooMuch, UnreadableTable
from mailstep.process.processors.tables.model import Stored
from mailstep.process.processors.tables.sheets import BROKEN, LOCKED, Grid, Sheet, text_cell
from mailstep.texts.speaking import say

_TOO_MUCH = "tables.problems.too_much_work"


def sheets(content: bytes, quota: TableQuota) -> Iterator[Sheet]:
    """Each worksheet of an XLS workbook.

    Raises:
        UnreadableTable: it is not a workbook, has a password, or exceeds a limit.
    """
    # Of the function's environment only the ways to libraries: no credentials. -P keeps this package's modules from
    # hiding others.
    environment = {
        "PYTHONPATH": os.pathsep.join(sys.path),
        "LD_LIBRARY_PATH": settings.Libraries.read().library_path,
    }
    command = [sys.executable, "-P", str(Path(legacy_reader.__file__)), str(_memory())]
    try:
        ended = subprocess.run(
            command, input=content, capture_output=True, timeout=SECONDS_BOUND, check=False, env=environment
        )
    except subprocess.TimeoutExpired:
        raise UnreadableTable(say(_TOO_MUCH)) from None
    if ended.returncode:
        raise UnreadableTable(say({ENCRYPTED: LOCKED, UNREADABLE: BROKEN}.get(ended.returncode, _TOO_MUCH)))
    lines = ended.stdout.split(b"\n")
    quota.take_unpacked(len(ended.stdout))
    del ended
    book = json.loads(lines[0])
    epoch = number_formats.EPOCH_1904 if book["since_1904"] else number_formats.EPOCH
    grid, name, hidden = Grid(quota), "", False
    for line in lines[1:]:
        read = json.loads(line) if line else {"name": ""}
        if isinstance(read, dict):
            if name:
                yield grid.sheet(name, hidden=hidden)
            if not line:
                return
            quota.take_sheet()
            grid, name, hidden = Grid(quota), read["name"] or " ", read["hidden"]
            continue
        row, cells = read
        try:
            for column, kind, value, code in cells:
                text = _cell(kind, value, book["formats"][code], epoch)
                quota.take_text(text)
                grid.put(row + 1, column + 1, text)
        except TooMuch:
            if not grid.rows:
                raise
            yield grid.sheet(name, hidden=hidden, complete=False)
            return


def _memory() -> int:
    """How many octets the other process may take: what is left beside this one and the output that it collects."""
    given = settings.Memory.read().memory_mb
    return max(min(MEMORY_BOUND, free_octets(given) - OUTPUT_BOUND), 0) if given else MEMORY_BOUND


def _cell(kind: str, value: Any, code: str, epoch: datetime) -> str:
    match kind:
        case "n":
            return number_formats.cell(number_formats.whole(float(value)), code, epoch)
        case "b":
            return Stored("TRUE" if value else "FALSE", bool(value))
        case "e":
            return str(value)
        case _:
            return text_cell(str(value))
