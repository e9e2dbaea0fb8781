"""Streams OpenDocument spreadsheets (OpenDocument 1.3 part 3), which hold each cell as a person sees it."""

import io
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from xml.parsers import expat
from zipfile import ZipFile

from mailstep.process.processors.tables import number_formats
from mailstep.process.processors.tables.limits import TableQuota, TooMuch, UnreadableTable
from mailstep.process.processors.tables.model import Stored, Value
from mailstep.process.processors.tables.sheets import (
    BROKEN,
    LOCKED,
    MAX_COLUMNS,
    MAX_ROWS,
    Grid,
    Sheet,
    stripped,
    text_cell,
)
from mailstep.process.processors.tables.xml_parts import Attributes, Package, Part
from mailstep.texts.speaking import say
from mailstep.zip_errors import UNREADABLE

_DURATION = re.compile(r"(-)?P(?:([0-9]+)D)?T?(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9.]+)S)?")
_NO_CELL_TEXT = {"annotation", "shapes", "frame", "custom-shape", "tracked-changes"}


def sheets(content: bytes, quota: TableQuota) -> Iterator[Sheet]:
    """Each sheet of a spreadsheet.

    Raises:
        UnreadableTable: it is not a spreadsheet, has a password, or exceeds a limit.
    """
    try:
        with ZipFile(io.BytesIO(content)) as archive:
            package = Package(archive, quota)
            _refuse_password(package)
            spreadsheet = _Spreadsheet(quota)
            try:
                package.read("content.xml", spreadsheet)
            except TooMuch:
                if not spreadsheet.grid.rows:
                    raise
                spreadsheet.close(complete=False)
            yield from spreadsheet.sheets
    except UnreadableTable:
        raise
    except (expat.ExpatError, *UNREADABLE) as error:
        raise UnreadableTable(say(BROKEN)) from error


def _refuse_password(package: Package) -> None:
    if "META-INF/manifest.xml" in package and package.read("META-INF/manifest.xml", _Manifest()).encrypted:
        raise UnreadableTable(say(LOCKED))


class _Manifest(Part):
    def __init__(self) -> None:
        self.encrypted = False

    def started(self, name: str, attributes: Attributes) -> None:
        self.encrypted = self.encrypted or name == "encryption-data"


class _Spreadsheet(Part):
    """The tables of `content.xml`. Repeated rows and cells count as often as they are repeated."""

    def __init__(self, quota: TableQuota) -> None:
        self.quota, self.grid = quota, Grid(quota)
        self.sheets = list[Sheet]()
        self.hidden_styles, self.style = set[str](), ""
        self.name, self.hidden, self.tables = "", False, 0
        self.row, self.rows, self.line = 0, 1, list[str]()
        self.column, self.columns, self.attributes = 0, 1, dict[str, str]()
        self.pieces, self.paragraphs, self.heard, self.skipped = list[str](), 0, False, 0

    def started(self, name: str, attributes: Attributes) -> None:
        if self.skipped or name in _NO_CELL_TEXT:
            self.skipped += 1
            return
        local = {key.rpartition(":")[2]: value for key, value in reversed(attributes.items())}
        match name:
            case "style":
                self.style = local.get("name", "")
            case "table-properties":
                if local.get("display") == "false":
                    self.hidden_styles.add(self.style)
            case "table":
                self._begin(local)
            case "table-row":
                self.rows, self.column = _repeated(local, "number-rows-repeated", MAX_ROWS), 0
            case "table-cell" | "covered-table-cell":
                self.columns = _repeated(local, "number-columns-repeated", MAX_COLUMNS)
                self.attributes, self.paragraphs = local, 0
                self.pieces.clear()
            case "p":
                self.heard = True
                self.paragraphs += 1
                self.pieces.append("\n" if self.paragraphs > 1 else "")
            case "s":
                self.pieces.append(" " * min(_repeated(local, "c", 1_000), 1_000))
            case "tab" | "line-break":
                self.pieces.append("\t" if name == "tab" else "\n")

    def ended(self, name: str) -> None:
        if self.skipped:
            self.skipped -= 1
            return
        match name:
            case "p":
                self.heard = False
            case "table-cell" | "covered-table-cell":
                if text := self._cell():
                    self.grid.reach(self.row + 1, self.column + self.columns)
                    self.line += [""] * (self.column - len(self.line)) + [text] * self.columns
                self.column += self.columns
            case "table-row":
                self._end_row()
            case "table":
                self.close()

    def said(self, text: str) -> None:
        if self.heard and not self.skipped:
            self.quota.take_text(text)
            self.pieces.append(text)

    def _begin(self, attributes: dict[str, str]) -> None:
        self.quota.take_sheet()
        self.name, self.hidden = attributes.get("name", ""), attributes.get("style-name") in self.hidden_styles
        self.grid, self.row = Grid(self.quota), 0

    def close(self, *, complete: bool = True) -> None:
        """End the table that is being read."""
        self.sheets.append(self.grid.sheet(self.name, hidden=self.hidden, complete=complete))
        self.grid = Grid(self.quota)

    def _end_row(self) -> None:
        if self.line:
            self.grid.reach(self.row + self.rows, 0)
            cells = list(map(stripped, self.line))
            text = "".join(cells)
            for row in range(self.row + 1, self.row + self.rows + 1):
                self.quota.take_text(text)
                self.grid.put_row(row, cells)
        self.row += self.rows
        self.line = []

    def _cell(self) -> str:
        shown, attributes = "".join(self.pieces), self.attributes
        value = _value(attributes)
        if value is None:
            if attributes.get("formula") and not shown:
                self.grid.uncalculated += 1
            return text_cell(shown)
        if not shown:
            shown = number_formats.general(value) if isinstance(value, int | float) else str(value)
        if isinstance(value, int | float) and not isinstance(value, bool) and shown == number_formats.general(value):
            return shown
        return Stored(shown, value)


def _repeated(attributes: dict[str, str], name: str, most: int) -> int:
    digits = attributes.get(name, "1")
    return min(int(digits[:10]), most) if digits.isdecimal() else 1


def _value(attributes: dict[str, str]) -> Value:
    """The value of a cell (19.385); None if it is text."""
    with suppress(ValueError, OverflowError, KeyError):
        match attributes.get("value-type"):
            case "float" | "percentage" | "currency":
                return number_formats.whole(float(attributes["value"]))
            case "boolean":
                return attributes["boolean-value"] == "true"
            case "date":
                text = attributes["date-value"]
                moment = datetime.fromisoformat(text)
                return moment if "T" in text else moment.date()
            case "time":
                return _duration(attributes["time-value"])
    return None


def _duration(text: str) -> timedelta:
    if not (parts := _DURATION.fullmatch(text)):
        raise ValueError(text)
    days, hours, minutes = (int(parts[place] or 0) for place in (2, 3, 4))
    duration = timedelta(days=days, hours=hours, minutes=minutes, seconds=float(parts[5] or 0))
    return -duration if parts[1] else duration
