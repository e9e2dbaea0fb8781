"""Writes cleaned tables as a workbook (ECMA-376 Part 1): a sheet each, typed cells, no formulas, streamed.

Our own, because XlsxWriter takes eight times the time: a million rows would not be answered within the function's 30 s.
"""

import io
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import batched
from zipfile import ZIP_DEFLATED, ZipFile

from mailstep.process.processors.tables import number_formats
from mailstep.process.processors.tables.directions import is_right_to_left
from mailstep.process.processors.tables.formulas import harmless
from mailstep.process.processors.tables.limits import TooLargeToReturn
from mailstep.process.processors.tables.model import Column, Table, Value
from mailstep.process.processors.tables.numbers import written
from mailstep.process.processors.tables.sheets import MAX_COLUMNS, MAX_ROWS
from mailstep.texts.speaking import say

CELL_CHARACTERS = 32_767
"""Characters of a cell (Microsoft, "Excel specifications and limits"), counted in UTF-16."""
SHEET_NAME = 31
"""Characters of a sheet's name (the same document)."""
_WHOLE = 10**15  # Excel keeps 15 digits of a number; longer ones stay text
_PLAIN = {
    mark: re.compile(rf"-?(?:0|[1-9][0-9]{{0,14}})|-?(?:0|[1-9][0-9]{{0,8}})\{mark}[0-9]{{1,6}}") for mark in ".,"
}
_LONG = 50  # characters of a cell that is not kept in case that it repeats
_FIRST = date(1900, 3, 1)  # Excel counts a 29 February 1900, which was no day
_EPOCH = number_formats.EPOCH.date()
_DAY = 86_400
_ROWS = 1_000  # that are written at once
_SAMPLE = 100  # rows that tell how wide a column is
# ECMA-376 Part 1, 22.9.2.19 (ST_Xstring): what XML cannot hold is written as _xHHHH_, and so is what looks like that.
_ESCAPED = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_SPECIAL = re.compile("[&<>_\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

# Places in the list of formats (cellXfs) of `_styles`. A quoted text stays text when somebody edits the cell.
_GENERAL, _TEXT, _QUOTED, _NAME, _DATE, _DATETIME, _TIME, _DURATION = range(8)
_FORMATS = ("General", "@", "@", "@", "yyyy\\-mm\\-dd", "yyyy\\-mm\\-dd\\ hh:mm:ss", "hh:mm:ss", "[h]:mm:ss")


@dataclass
class _Units:
    """The formats of numbers with a unit, numbered as they are needed."""

    places: dict[str, int] = field(default_factory=dict)

    def place(self, unit: str) -> int:
        """The format's place in the list of formats."""
        return self.places.setdefault(unit, len(_FORMATS) + len(self.places)) if unit else _GENERAL

    @property
    def formats(self) -> list[str]:
        return ["0.00%" if unit == "%" else f'General" {unit}"' for unit in self.places]


def as_xlsx(tables: Sequence[Table], *, room: int) -> bytes:
    """A workbook with a sheet for each table.

    Numbers of more than 15 digits, dates before March 1900, and times with an offset from UTC stay text: a workbook
    cannot hold them.

    Raises:
        TooLargeToReturn: it has more than `room` octets, or a sheet or a cell cannot hold a table or a text.
    """
    octets, units = io.BytesIO(), _Units()
    with ZipFile(octets, "w", ZIP_DEFLATED, compresslevel=4) as package:
        for number, table in enumerate(tables, 1):
            if table.rows + (table.header is not None) > MAX_ROWS or len(table.columns) > MAX_COLUMNS:
                raise TooLargeToReturn(say("tables.sheet_too_small"))
            with package.open(f"xl/worksheets/sheet{number}.xml", "w") as sheet:
                for markup in _sheet(table, units):
                    sheet.write(markup.encode())
                    if octets.tell() > room:
                        raise TooLargeToReturn(say("tables.reply_too_large"))
        for name, markup in _parts(_sheet_names(tables), units):
            package.writestr(name, _XML + markup)
    return octets.getvalue()


def _parts(names: Sequence[str], units: _Units) -> Iterator[tuple[str, str]]:
    numbers = range(1, len(names) + 1)
    part = '<Override PartName="/xl/{}.xml" ContentType="{}.{}+xml"/>'.format
    sheets = "".join(part(f"worksheets/sheet{number}", _TYPE, "worksheet") for number in numbers)
    yield (
        "[Content_Types].xml",
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f"{part('workbook', _TYPE, 'sheet.main')}{part('styles', _TYPE, 'styles')}{sheets}</Types>",
    )
    relation = '<Relationship Id="r{}" Type="' + _DOCUMENT + '/{}" Target="{}"/>'
    relations = f'<Relationships xmlns="{_PACKAGE}/relationships">{{}}</Relationships>'
    yield "_rels/.rels", relations.format(relation.format(1, "officeDocument", "xl/workbook.xml"))
    targets = "".join(relation.format(number, "worksheet", f"worksheets/sheet{number}.xml") for number in numbers)
    yield "xl/_rels/workbook.xml.rels", relations.format(targets + relation.format(0, "styles", "styles.xml"))
    entries = "".join(
        f'<sheet name="{_escaped(name).replace('"', "&quot;")}" sheetId="{number}" r:id="r{number}"/>'
        for number, name in zip(numbers, names, strict=True)
    )
    yield (
        "xl/workbook.xml",
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_DOCUMENT}"><bookViews><workbookView/></bookViews>'
        f"<sheets>{entries}</sheets></workbook>",
    )
    yield "xl/styles.xml", _styles(units)


def _styles(units: _Units) -> str:
    formats = [*_FORMATS, *units.formats]
    codes = "".join(
        f'<numFmt numFmtId="{164 + place}" formatCode="{_escaped(code).replace('"', "&quot;")}"/>'
        for place, code in enumerate(formats)
    )
    cells = "".join(
        f'<xf numFmtId="{164 + place}" fontId="{int(place == _NAME)}" fillId="0" borderId="0" xfId="0" '
        f'applyNumberFormat="1"{' quotePrefix="1"' if place == _QUOTED else ""}/>'
        for place in range(len(formats))
    )
    return (
        f'<styleSheet xmlns="{_MAIN}"><numFmts count="{len(formats)}">{codes}</numFmts>'
        '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
        '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        f'<cellXfs count="{len(formats)}">{cells}</cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    )


def _sheet_names(tables: Sequence[Table]) -> list[str]:
    """Names that Excel accepts: of 31 characters at most, without some signs, and told apart without regard to case."""
    names: list[str] = []
    taken: set[str] = set()
    for number, table in enumerate(tables, 1):
        plain = re.sub(r"[\x00-\x1f\[\]:*?/\\\ud800-\udfff\ufffe\uffff]", " ", table.name).strip("' ")
        name = _cut(plain, SHEET_NAME) or f"Sheet {number}"
        # Excel keeps `History` for itself.
        if name.lower() in taken | {"history"}:
            name = f"{_cut(plain, SHEET_NAME - 7)} ({number})"
        taken.add(name.lower())
        names.append(name)
    return names


def _cut(text: str, units: int) -> str:
    return text.encode("utf-16-le")[: 2 * units].decode("utf-16-le", errors="ignore").strip("' ")


def _sheet(table: Table, units: _Units) -> Iterator[str]:
    direction = ' rightToLeft="1"' if is_right_to_left(table) else ""
    frozen = table.header is not None
    pane = '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>' if frozen else ""
    yield (
        f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView{direction} workbookViewId="0">{pane}</sheetView>'
        f"</sheetViews>{_widths(table)}<sheetData>"
    )
    if frozen:
        yield f"<row>{''.join(_text(column.name, _NAME) for column in table.columns)}</row>"
    cells = [_writer(column, units) for column in table.columns]
    for rows in batched(table.body, _ROWS, strict=False):
        yield "".join(
            f"<row>{''.join([write(cell) for write, cell in zip(cells, row, strict=True)])}</row>" for row in rows
        )
    yield "</sheetData></worksheet>"


def _widths(table: Table) -> str:
    sample = table.body[:_SAMPLE]
    widest = [
        max(len(column.name), 8, *(len(row[place]) for row in sample)) for place, column in enumerate(table.columns)
    ]
    columns = "".join(
        f'<col min="{place}" max="{place}" width="{min(width, 48) + 2}" customWidth="1"/>'
        for place, width in enumerate(widest, 1)
    )
    return f"<cols>{columns}</cols>" if columns else ""


def _writer(column: Column, units: _Units) -> Callable[[str], str]:
    """How a cell of this column is written."""
    mark = next((mark for mark in ".," if _is_decimal_mark(mark, column)), "")
    plain = _PLAIN[mark].fullmatch if mark else None

    def write(cell: str) -> str:
        return _cell(cell, column.value(cell), units) if cell else "<c/>"

    repeated = lru_cache(10_000)(write)

    def write_fast(cell: str) -> str:
        # Cells of a workbook may look the same, but store different values.
        if type(cell) is not str or len(cell) > _LONG:
            return write(cell)
        if plain and plain(cell):
            return f"<c><v>{cell.replace(',', '.')}</v></c>"
        return repeated(cell)

    return write_fast


def _is_decimal_mark(mark: str, column: Column) -> bool:
    """Whether each cell of the column that has only digits and this mark is that number: then it is copied."""
    return column.kind == "number" and column.value(f"1{mark}5") == 1.5 and column.value(f"1{mark}234") == 1.234


def _cell(cell: str, value: Value, units: _Units) -> str:
    match value:
        case bool():
            return f'<c t="b"><v>{int(value)}</v></c>'
        case int() | float() if math.isfinite(value) and (isinstance(value, float) or abs(value) < _WHOLE):
            return f'<c s="{units.place(_unit(cell))}"><v>{value!r}</v></c>'
        case date() | time() | timedelta() if moment := _moment(value):
            return f'<c s="{moment[0]}"><v>{moment[1]!r}</v></c>'
    return _text(str(cell))


def _unit(cell: str) -> str:
    if cell[0] in "0123456789-" and cell[-1] in "0123456789":
        return ""
    number = written(cell)
    return number.unit if number else ""


def _moment(value: date | time | timedelta) -> tuple[int, float] | None:
    """The format and the serial number (ECMA-376 Part 1, 18.17.4); None if Excel has none for it."""
    match value:
        case datetime() if value.tzinfo is None and value.date() >= _FIRST:
            days = (value.date() - _EPOCH).days
            return _DATETIME, days + _seconds(value.time()) / _DAY
        case date() if not isinstance(value, datetime) and value >= _FIRST:
            return _DATE, (value - _EPOCH).days
        case time() if value.tzinfo is None:
            return _TIME, _seconds(value) / _DAY
        case timedelta() if value >= timedelta():
            return _DURATION, value.total_seconds() / _DAY
    return None


def _seconds(moment: time) -> float:
    return moment.hour * 3600 + moment.minute * 60 + moment.second + moment.microsecond / 1e6


def _text(text: str, style: int | None = None) -> str:
    if len(text) > CELL_CHARACTERS // 2 and len(text.encode("utf-16-le", "surrogatepass")) > 2 * CELL_CHARACTERS:
        raise TooLargeToReturn(say("tables.cell_too_small"))
    if style is None:
        style = _QUOTED if harmless(text) != text or written(text) else _TEXT
    return f'<c s="{style}" t="inlineStr"><is><t xml:space="preserve">{_escaped(text)}</t></is></c>'


def _escaped(text: str) -> str:
    if not _SPECIAL.search(text):
        return text
    text = _ESCAPED.sub(lambda found: f"_x{ord(found[0]):04X}_", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
