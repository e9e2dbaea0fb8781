"""Streams XLSX and XLSM workbooks (ECMA-376), with each cell as Excel shows it."""

import io
import posixpath
import re
from collections.abc import Iterator
from xml.parsers import expat
from zipfile import ZipFile

from mailstep.process.processors.tables import number_formats
from mailstep.process.processors.tables.limits import TEXT_BOUND, TableQuota, TooMuch, UnreadableTable
from mailstep.process.processors.tables.model import Stored
from mailstep.process.processors.tables.sheets import BROKEN, Grid, Sheet, text_cell
from mailstep.process.processors.tables.xml_parts import Attributes, Package, Part
from mailstep.texts.speaking import say
from mailstep.zip_errors import UNREADABLE

FORMATS_BOUND = 65_490
"""Cell formats of a workbook (Microsoft, "Excel specifications and limits")."""

_PLACE = re.compile(r"\s*\$?([A-Za-z]{0,9})\$?([0-9]{0,18})\s*")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


def sheets(content: bytes, quota: TableQuota) -> Iterator[Sheet]:
    """Each worksheet of a workbook.

    Raises:
        UnreadableTable: it is not a workbook, or exceeds a limit.
    """
    try:
        with ZipFile(io.BytesIO(content)) as archive:
            yield from _sheets(Package(archive, quota))
    except UnreadableTable:
        raise
    except (expat.ExpatError, *UNREADABLE) as error:
        raise UnreadableTable(say(BROKEN)) from error


def _sheets(package: Package) -> Iterator[Sheet]:
    [main] = [target for kind, target in relationships(package, "").values() if kind == "officeDocument"]
    related = relationships(package, main)
    kinds = dict(related.values())
    book = package.read(main, _Book())
    strings = package.read(kinds["sharedStrings"], _Strings()).cells if "sharedStrings" in kinds else []
    styles = package.read(kinds["styles"], _Styles()).codes if "styles" in kinds else []
    for name, identity, hidden in book.sheets:
        kind, target = related[identity]
        if kind != "worksheet":
            continue
        package.quota.take_sheet()
        part = _Sheet(Grid(package.quota), strings, styles, since_1904=book.since_1904)
        try:
            package.read(target, part)
        except TooMuch:
            if not part.grid.rows:
                raise
            # The rows so far are kept. Nothing behind them can be read.
            yield part.grid.sheet(name, hidden=hidden, complete=False)
            return
        yield part.grid.sheet(name, hidden=hidden)


def relationships(package: Package, part: str) -> dict[str, tuple[str, str]]:
    """The relationships of a part, by identifier: last word of the type, and target (ECMA-376 part 2, 6.5)."""
    folder, name = posixpath.split(part)
    return package.read(f"{folder}/_rels/{name}.rels".lstrip("/"), _Relationships(folder)).found


class _Relationships(Part):
    def __init__(self, folder: str) -> None:
        self.folder, self.found = folder, dict[str, tuple[str, str]]()

    def started(self, name: str, attributes: Attributes) -> None:
        if name == "Relationship" and attributes.get("TargetMode") != "External":
            target = posixpath.normpath(posixpath.join("/", self.folder, attributes["Target"].replace("\\", "/")))
            self.found[attributes["Id"]] = attributes["Type"].rpartition("/")[2], target.lstrip("/")


class _Book(Part):
    def __init__(self) -> None:
        self.sheets, self.since_1904 = list[tuple[str, str, bool]](), False

    def started(self, name: str, attributes: Attributes) -> None:
        if name == "sheet":
            [identity] = [value for key, value in attributes.items() if key.endswith(":id")]
            self.sheets.append((attributes["name"], identity, attributes.get("state", "visible") != "visible"))
        elif name == "workbookPr":
            self.since_1904 = attributes.get("date1904") in {"1", "true", "on"}


class _Styles(Part):
    """The number format of each cell format, by index (ECMA-376 part 1, 18.8)."""

    def __init__(self) -> None:
        self.codes, self.custom = list[str](), dict[str, str]()
        self.of_cells = False

    def started(self, name: str, attributes: Attributes) -> None:
        if name == "cellXfs":
            self.of_cells = True
        elif name == "numFmt":
            self.custom[attributes["numFmtId"]] = attributes["formatCode"][: number_formats.CODE_BOUND]
        elif name == "xf" and self.of_cells and len(self.codes) < FORMATS_BOUND:
            self.codes.append(attributes.get("numFmtId", "0"))

    def ended(self, name: str) -> None:
        if name == "cellXfs":
            self.of_cells = False
        elif name == "styleSheet":
            self.codes = [self.custom.get(identity) or _built_in(identity) for identity in self.codes]


def _built_in(identity: str) -> str:
    return (
        number_formats.BUILT_IN.get(int(identity), number_formats.GENERAL)
        if identity.isdecimal()
        else number_formats.GENERAL
    )


class _Text(Part):
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
        self.cells, self.left = list[str](), TEXT_BOUND

    def ended(self, name: str) -> None:
        super().ended(name)
        if name == "si":
            self.cells.append(text_cell(self.taken()))

    def said(self, text: str) -> None:
        self.left -= len(text)
        if self.left < 0:
            raise UnreadableTable(say("tables.problems.too_much_text"))
        super().said(text)


class _Sheet(_Text):
    """The cells of a worksheet. A cell without a value does not count, however it is formatted."""

    def __init__(self, grid: Grid, strings: list[str], codes: list[str], *, since_1904: bool) -> None:
        super().__init__()
        self.grid, self.strings, self.codes = grid, strings, codes
        self.epoch = number_formats.EPOCH_1904 if since_1904 else number_formats.EPOCH
        self.row = self.column = 0
        self.kind, self.style, self.filled, self.formula = "n", "", False, False

    def started(self, name: str, attributes: Attributes) -> None:
        if name == "c":
            self._place(attributes.get("r"))
            self.kind, self.style = attributes.get("t", "n"), attributes.get("s", "")
            self.filled = self.formula = False
        elif name == "v":
            self.heard = self.filled = self.kind != "inlineStr"
        elif name == "row":
            _, number = _place(attributes["r"]) if "r" in attributes else (0, 0)
            self.row, self.column = number or self.row + 1, 0
            self.grid.reach(self.row, 0)
        elif name == "is":
            self.filled = True
        elif name == "f":
            self.formula = True
        else:
            super().started(name, attributes)

    def _place(self, place: str | None) -> None:
        """Move to the cell's reference, or else one past the previous cell (ECMA-376 part 1, 18.3.1.4)."""
        column, row = _place(place) if place else (0, 0)
        self.column = column or self.column + 1
        self.row = row or self.row or 1
        self.grid.reach(self.row, self.column)

    def ended(self, name: str) -> None:
        super().ended(name)
        if name != "c":
            return
        text = self.taken()
        if self.filled and (text or self.kind == "str"):
            self.grid.put(self.row, self.column, self._shown(text))
        elif self.formula:
            self.grid.uncalculated += 1

    def said(self, text: str) -> None:
        if self.heard:
            self.grid.quota.take_text(text)
            self.pieces.append(text)

    def _shown(self, value: str) -> str:
        match self.kind:
            case "s":
                place = int(value)
                if place < 0:
                    raise UnreadableTable(say(BROKEN))
                text = self.strings[place]
                self.grid.quota.take_text(text)
                return text
            case "n":
                shown = self._number(value.strip())
                # The value itself was counted as it was read. A format may add 255 characters to each.
                self.grid.quota.take_text(shown[len(value) :])
                return shown
            case "b":
                true = value.strip() in ("1", "true")
                return Stored("TRUE" if true else "FALSE", true)
            case "d":
                return number_formats.iso_moment(value.strip())
            case "e":
                return value
            case _:
                return text_cell(value)

    def _number(self, value: str) -> str:
        try:
            number = int(value) if value.removeprefix("-").isdecimal() and len(value) < 100 else float(value)
        except ValueError:
            return value
        style = int(self.style) if self.style.isdecimal() else 0
        code = self.codes[style] if style < len(self.codes) else number_formats.GENERAL
        if code == number_formats.GENERAL:
            return number_formats.general(number)
        return number_formats.cell(number, code, self.epoch)


def _place(place: str) -> tuple[int, int]:
    """Column and row of a reference such as `B3`, counted from 1; 0 if a part is missing."""
    if not (parts := _PLACE.fullmatch(place)):
        raise UnreadableTable(say(BROKEN))
    column = 0
    for letter in parts[1].upper():
        column = column * 26 + ord(letter) - ord("A") + 1
    return column, int(parts[2] or 0)
