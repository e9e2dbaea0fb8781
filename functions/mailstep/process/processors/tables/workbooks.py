"""Streams XLSX workbooks (ECMA-376): ignores the sizes that a file declares, and counts everything before reading it.

Libraries allocate a sheet as large as it declares itself, and run out of memory if that is too large.

Over 300 lines, because the parts of a workbook are read by one streaming reader and counted by one budget.
"""

import io
import posixpath
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import NoReturn
from xml.parsers import expat
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from mailstep.process.processors.tables.limits import TEXT_BOUND, Budget, UnreadableTable
from mailstep.zip_errors import UNREADABLE

Attributes = dict[str, str]
Row = list[str]

MAX_ROWS, MAX_COLUMNS = 1_048_576, 16_384
"""The size of a sheet (Microsoft, "Excel specifications and limits")."""
DEPTH_BOUND = 100
"""Nesting of XML elements; a cell's text is seven deep."""
FORMATS_BOUND = 65_490
"""Cell formats of a workbook (Microsoft, "Excel specifications and limits")."""
NAME_BOUND = 100
"""Characters of a sheet's name; Excel allows 31."""

_PIECE = 64 * 1024
_TAG_BOUND = 1024 * 1024  # octets of one tag or comment: the parser buffers it whole
_PLACE = re.compile(r"\s*([A-Za-z]{0,9})([0-9]{0,18})\s*")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
# Parts of a number format unrelated to date and time: literals, fill and width, colours and conditions.
_LITERAL = re.compile(r'"[^"]*"?|[\\_*].?|\[(?!(?:h+|m+|s+)\])[^\]]*\]?', re.IGNORECASE | re.DOTALL)
# Built-in number formats (ECMA-376 part 1, 18.8.30).
_BUILT_IN = dict.fromkeys(map(str, [*range(14, 23), 45, 47]), "datetime") | {"46": "duration"}
_BROKEN = "It is not a workbook that can be read; please save it as XLSX again."


def sheets(content: bytes, budget: Budget) -> Iterator[tuple[str, list[Row]]]:
    """The name and the rows of each worksheet. Empty rows, and empty columns on the left, are left out.

    Raises:
        UnreadableTable: it is not a workbook, or exceeds a limit.
    """
    try:
        with ZipFile(io.BytesIO(content)) as archive:
            yield from _Workbook(archive, budget).sheets()
    except (UnreadableTable, MemoryError):
        raise
    except (expat.ExpatError, *UNREADABLE) as error:
        raise UnreadableTable(_BROKEN) from error


class _Workbook:
    def __init__(self, archive: ZipFile, budget: Budget) -> None:
        self.archive, self.budget = archive, budget
        # Names are case-insensitive (ECMA-376 part 2, 6.2.2.3); some writers use backslashes.
        self.members = {member.filename.replace("\\", "/").lower(): member for member in archive.infolist()}

    def sheets(self) -> Iterator[tuple[str, list[Row]]]:
        [main] = [target for kind, target in self.relationships("").values() if kind == "officeDocument"]
        related = self.relationships(main)
        kinds = dict(related.values())
        book = self.read(main, _Book())
        strings = self.read(kinds["sharedStrings"], _Strings()).strings if "sharedStrings" in kinds else []
        styles = self.read(kinds["styles"], _Styles()).kinds if "styles" in kinds else {}
        for name, identity in book.sheets:
            kind, target = related[identity]
            if kind == "worksheet":
                self.budget.take_sheet()
                sheet = self.read(target, _Sheet(self.budget, strings, styles, since_1904=book.since_1904))
                self.budget.lay_out(sheet.width, sheet.height)
                yield name, [sheet.rows[number][sheet.first - 1 :] for number in sorted(sheet.rows)]

    def relationships(self, part: str) -> dict[str, tuple[str, str]]:
        """The relationships of a part, by identifier: last word of the type, and target (ECMA-376 part 2, 6.5)."""
        folder, name = posixpath.split(part)
        return self.read(f"{folder}/_rels/{name}.rels".lstrip("/"), _Relationships(folder)).found

    def read[P: _Part](self, name: str, part: P) -> P:
        member = self.members[name.lower()]
        if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            # A package has no other method (ECMA-376 part 2, annex B), and zipfile inflates others without a limit.
            raise UnreadableTable(_BROKEN)
        with self.archive.open(member) as stream:
            part.parse(lambda: stream.read(_PIECE), self.budget)
        return part


class _Part:
    """A part of the package. `started`, `ended` and `said` are called for its elements, with their local names."""

    def started(self, name: str, attributes: Attributes) -> None:
        """An element begins."""

    def ended(self, name: str) -> None:
        """An element ends."""

    def said(self, text: str) -> None:
        """Some text of an element, perhaps not all."""

    def parse(self, read: Callable[[], bytes], budget: Budget) -> None:
        """Read XML piece by piece, within limits.

        Raises:
            UnreadableTable: it exceeds a limit, or has a DTD, which is not allowed (ECMA-376 part 2, 6.2.5).
        """
        depth = 0

        def start(name: str, attributes: Attributes) -> None:
            nonlocal depth
            depth += 1
            if depth > DEPTH_BOUND:
                raise UnreadableTable(_BROKEN)
            self.started(name.rpartition(":")[2] if ":" in name else name, attributes)

        def end(name: str) -> None:
            nonlocal depth
            depth -= 1
            self.ended(name.rpartition(":")[2] if ":" in name else name)

        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = start, end
        parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = self.said, _refuse_doctype
        fed = 0
        while piece := read():
            budget.take_unpacked(len(piece))
            # Tags, attributes and references cost parser time, so they are counted before parsing.
            budget.take_markup(sum(map(piece.count, (b"<", b"=", b"&"))))
            fed += len(piece)
            parser.Parse(piece, False)
            if fed - parser.CurrentByteIndex > _TAG_BOUND:
                raise UnreadableTable(_BROKEN)
        parser.Parse(b"", True)


def _refuse_doctype(*_declared: object) -> NoReturn:
    raise UnreadableTable(_BROKEN)


class _Relationships(_Part):
    def __init__(self, folder: str) -> None:
        self.folder, self.found = folder, dict[str, tuple[str, str]]()

    def started(self, name: str, attributes: Attributes) -> None:
        if name == "Relationship" and attributes.get("TargetMode") != "External":
            target = posixpath.normpath(posixpath.join("/", self.folder, attributes["Target"].replace("\\", "/")))
            self.found[attributes["Id"]] = attributes["Type"].rpartition("/")[2], target.lstrip("/")


class _Book(_Part):
    def __init__(self) -> None:
        self.sheets, self.since_1904 = list[tuple[str, str]](), False

    def started(self, name: str, attributes: Attributes) -> None:
        if name == "sheet":
            [identity] = [value for key, value in attributes.items() if key.endswith(":id")]
            self.sheets.append((" ".join(attributes["name"].split())[:NAME_BOUND], identity))
        elif name == "workbookPr":
            self.since_1904 = attributes.get("date1904") in {"1", "true", "on"}


class _Styles(_Part):
    """Which cell formats, by index, show a number as `datetime` or `duration` (ECMA-376 part 1, 18.8)."""

    def __init__(self) -> None:
        self.kinds, self.custom = dict[str, str | None](), dict[str, str | None]()
        self.of_cells = False

    def started(self, name: str, attributes: Attributes) -> None:
        if name == "cellXfs":
            self.of_cells = True
        elif name == "numFmt":
            self.custom[attributes["numFmtId"]] = _kind(attributes["formatCode"])
        elif name == "xf" and self.of_cells and len(self.kinds) < FORMATS_BOUND:
            identity = attributes.get("numFmtId", "")
            self.kinds[str(len(self.kinds))] = self.custom.get(identity, _BUILT_IN.get(identity))

    def ended(self, name: str) -> None:
        if name == "cellXfs":
            self.of_cells = False


def _kind(code: str) -> str | None:
    """What the first section of a number format shows (ECMA-376 part 1, 18.8.31)."""
    shown = _LITERAL.sub("", code).partition(";")[0].lower()
    if "[" in shown:
        return "duration"
    return "datetime" if set(shown) & set("dmyhs") else None


class _Text(_Part):
    """Text of `<t>` elements: joins the runs of rich text, and skips phonetic runs (ECMA-376 part 1, 18.4)."""

    def __init__(self) -> None:
        self.pieces, self.heard, self.phonetic = list[str](), False, False

    def started(self, name: str, attributes: Attributes) -> None:
        if name == "t":
            self.heard = not self.phonetic
        elif name == "rPh":
            self.phonetic = True

    def ended(self, name: str) -> None:
        self.heard = False
        if name == "rPh":
            self.phonetic = False

    def said(self, text: str) -> None:
        if self.heard:
            self.pieces.append(text)

    def taken(self) -> str:
        """The text since the last call, with escaped characters decoded (22.9.2.19, ST_Xstring)."""
        text = "".join(self.pieces)
        self.pieces.clear()
        if "_x" not in text:
            return text
        text = _ESCAPED.sub(lambda escaped: chr(int(escaped[1], 16)), text)
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").replace("\0", "")


class _Strings(_Text):
    def __init__(self) -> None:
        super().__init__()
        self.strings, self.left = list[str](), TEXT_BOUND

    def ended(self, name: str) -> None:
        super().ended(name)
        if name == "si":
            self.strings.append(self.taken())

    def said(self, text: str) -> None:
        self.left -= len(text)
        if self.left < 0:
            raise UnreadableTable(
                "It has more text than can be summarised; please send fewer rows, or send it by itself."
            )
        super().said(text)


class _Sheet(_Text):
    """The rows of a worksheet by their number. A cell without a value does not count, however it is formatted."""

    def __init__(self, budget: Budget, strings: list[str], styles: dict[str, str | None], *, since_1904: bool) -> None:
        super().__init__()
        self.rows: dict[int, Row] = {}
        self.budget, self.strings, self.styles = budget, strings, styles
        self.epoch = datetime(1904, 1, 1) if since_1904 else datetime(1899, 12, 30)
        self.row = self.column = self.width = self.height = 0
        self.first = MAX_COLUMNS
        self.kind, self.style, self.filled = "n", "", False

    def started(self, name: str, attributes: Attributes) -> None:
        if name == "c":
            self._place(attributes.get("r"))
            self.kind, self.style, self.filled = attributes.get("t", "n"), attributes.get("s", ""), False
        elif name == "v":
            self.heard = self.filled = self.kind != "inlineStr"
        elif name == "row":
            _, number = _place(attributes["r"]) if "r" in attributes else (0, 0)
            self.row, self.column = number or self.row + 1, 0
            self._reach(0)
        elif name == "is":
            self.filled = True
        else:
            super().started(name, attributes)

    def _place(self, place: str | None) -> None:
        """Move to the cell's reference, or else one past the previous cell (ECMA-376 part 1, 18.3.1.4)."""
        column, row = _place(place) if place else (0, 0)
        self.column = column or self.column + 1
        self.row = row or self.row
        self._reach(self.column)

    def _reach(self, column: int) -> None:
        if self.row > MAX_ROWS or column > MAX_COLUMNS:
            raise UnreadableTable(
                f"It reaches to row {self.row:,} and column {max(column, 1):,}, farther than a sheet can; "
                "please delete any cells far from the table."
            )

    def ended(self, name: str) -> None:
        super().ended(name)
        if name == "c" and self.filled:
            self._keep(self._shown(self.taken()))

    def said(self, text: str) -> None:
        if self.heard:
            self.budget.take_text(text)
            self.pieces.append(text)

    def _keep(self, text: str) -> None:
        if not text:
            return
        if self.column > self.width or self.row > self.height:
            self.width, self.height = max(self.width, self.column), max(self.height, self.row)
            self.budget.reach(self.width, self.height)
        self.first = min(self.first, self.column)
        row = self.rows.setdefault(self.row, [])
        row.extend([""] * (self.column - len(row)))
        row[self.column - 1] = text

    def _shown(self, value: str) -> str:
        match self.kind:
            case "s":
                text = self.strings[int(value)] if value else ""
                self.budget.take_text(text)
                return text
            case "n":
                return self._number(value.strip())
            case "b":
                return str(value != "0") if value else ""
            case "e":
                return ""
            case _:
                return value

    def _number(self, value: str) -> str:
        """A number with all its digits; a date, time or duration as Python writes it."""
        try:
            number = float(value)
        except ValueError:
            return value
        if kind := self.styles.get(self.style):
            # A value outside the calendar stays a number.
            with suppress(OverflowError, ValueError):
                return _duration(number) if kind == "duration" else _moment(number, self.epoch)
        if number.is_integer() and abs(number) < 1e15:
            return str(int(number))
        return value if value.removeprefix("-").isdigit() else str(number)


def _duration(days: float) -> str:
    return str(timedelta(milliseconds=round(days * 86_400_000)))


def _moment(days: float, epoch: datetime) -> str:
    """A time of day, a date, or both (ECMA-376 part 1, 18.17.4.1). The 1900 calendar has a day 60 that never was."""
    if days < 0:
        raise ValueError("before the calendar")
    shifted = days + 1 if days < 60 and epoch.year < 1900 else days
    moment = epoch + timedelta(milliseconds=round(shifted * 86_400_000))
    if days < 1:
        return str(moment.time())
    return str(moment.date() if days.is_integer() else moment)


def _place(place: str) -> tuple[int, int]:
    """Column and row of a reference such as `B3`, counted from 1; 0 if a part is missing."""
    if not (parts := _PLACE.fullmatch(place)):
        raise UnreadableTable(_BROKEN)
    column = 0
    for letter in parts[1].upper():
        column = column * 26 + ord(letter) - ord("A") + 1
    return column, int(parts[2] or 0)
