"""Streams XLSB workbooks ([MS-XLSB]): the records of a binary workbook, with each cell as Excel shows it."""

import io
import struct
from collections.abc import Iterator
from datetime import datetime
from enum import IntEnum
from typing import IO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from mailstep.process.processors.tables import number_formats
from mailstep.process.processors.tables.limits import TEXT_BOUND, TableQuota, TooMuch, UnreadableTable
from mailstep.process.processors.tables.model import Stored
from mailstep.process.processors.tables.sheets import BROKEN, Grid, Sheet, text_cell
from mailstep.process.processors.tables.workbooks import FORMATS_BOUND, relationships
from mailstep.process.processors.tables.xml_parts import Package
from mailstep.texts.speaking import say
from mailstep.zip_errors import UNREADABLE

MAIN = "xl/workbook.bin"
RECORD_BOUND = 1024 * 1024
"""Octets of one record. A cell's text has at most 32,767 characters."""
_ERRORS = {
    0: "#NULL!",
    7: "#DIV/0!",
    15: "#VALUE!",
    23: "#REF!",
    29: "#NAME?",
    36: "#NUM!",
    42: "#N/A",
    43: "#GETTING_DATA",
}


class _Record(IntEnum):
    """The kinds of records that are read ([MS-XLSB] 2.3.2, "Record Enumeration", where each name begins with Brt)."""

    ROW_HDR = 0
    CELL_BLANK = 1
    CELL_RK = 2
    CELL_ERROR = 3
    CELL_BOOL = 4
    CELL_REAL = 5
    CELL_ST = 6
    CELL_ISST = 7
    FMLA_STRING = 8
    FMLA_NUM = 9
    FMLA_BOOL = 10
    FMLA_ERROR = 11
    SST_ITEM = 19
    FMT = 44
    XF = 47
    WB_PROP = 153
    BUNDLE_SH = 156
    BEGIN_CELL_XFS = 617
    END_CELL_XFS = 618


def sheets(content: bytes, quota: TableQuota) -> Iterator[Sheet]:
    """Each worksheet of a binary workbook.

    Raises:
        UnreadableTable: it is not a workbook, or exceeds a limit.
    """
    try:
        with ZipFile(io.BytesIO(content)) as archive:
            yield from _Workbook(Package(archive, quota)).sheets()
    except UnreadableTable:
        raise
    except (struct.error, UnicodeDecodeError, *UNREADABLE) as error:
        raise UnreadableTable(say(BROKEN)) from error


class _Workbook:
    def __init__(self, package: Package) -> None:
        self.package, self.quota = package, package.quota

    def sheets(self) -> Iterator[Sheet]:
        related = relationships(self.package, MAIN)
        kinds = dict(related.values())
        strings = list(self._strings(kinds["sharedStrings"])) if "sharedStrings" in kinds else []
        codes = self._formats(kinds["styles"]) if "styles" in kinds else []
        epoch = number_formats.EPOCH
        listed: list[tuple[str, str, bool]] = []
        for kind, record in self._records(MAIN):
            if kind == _Record.WB_PROP and record[0] & 1:
                epoch = number_formats.EPOCH_1904
            elif kind == _Record.BUNDLE_SH:
                state, _ = struct.unpack_from("<II", record)
                identity, end = _wide(record, 8)
                listed.append((_wide(record, end)[0], identity, state != 0))
        for name, identity, hidden in listed:
            kind_of_sheet, target = related[identity]
            if kind_of_sheet != "worksheet":
                continue
            self.quota.take_sheet()
            grid = Grid(self.quota)
            try:
                _read(self._records(target), grid, strings, codes, epoch)
            except TooMuch:
                if not grid.rows:
                    raise
                yield grid.sheet(name, hidden=hidden, complete=False)
                return
            yield grid.sheet(name, hidden=hidden)

    def _records(self, name: str) -> Iterator[tuple[int, bytes]]:
        """The records of a part: number and content ([MS-XLSB] 2.1.4)."""
        member = self.package.members[name.lower()]
        if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise UnreadableTable(say(BROKEN))
        with self.package.archive.open(member) as stream:
            while head := stream.read(1):
                kind = head[0]
                if kind & 0x80:
                    kind = (kind & 0x7F) | (stream.read(1)[0] & 0x7F) << 7
                size = _size(stream)
                if size > RECORD_BOUND:
                    raise UnreadableTable(say(BROKEN))
                self.quota.take_markup(1)
                self.quota.take_unpacked(size + 2)
                record = stream.read(size)
                if len(record) < size:
                    raise UnreadableTable(say(BROKEN))
                yield kind, record

    def _strings(self, name: str) -> Iterator[str]:
        left = TEXT_BOUND
        for kind, record in self._records(name):
            if kind == _Record.SST_ITEM:
                text = _wide(record, 1)[0]
                left -= len(text)
                if left < 0:
                    raise TooMuch
                yield text_cell(text)

    def _formats(self, name: str) -> list[str]:
        custom, codes, of_cells = dict[int, str](), list[str](), False
        for kind, record in self._records(name):
            if kind == _Record.FMT:
                custom[struct.unpack_from("<H", record)[0]] = _wide(record, 2)[0][: number_formats.CODE_BOUND]
            elif kind in (_Record.BEGIN_CELL_XFS, _Record.END_CELL_XFS):
                of_cells = kind == _Record.BEGIN_CELL_XFS
            elif kind == _Record.XF and of_cells and len(codes) < FORMATS_BOUND:
                number = struct.unpack_from("<H", record, 2)[0]
                codes.append(custom.get(number) or number_formats.BUILT_IN.get(number, number_formats.GENERAL))
        return codes


def _read(
    records: Iterator[tuple[int, bytes]], grid: Grid, strings: list[str], codes: list[str], epoch: datetime
) -> None:
    row = 0
    for kind, record in records:
        if kind == _Record.ROW_HDR:
            row = struct.unpack_from("<I", record)[0] + 1
            grid.reach(row, 0)
        elif _Record.CELL_BLANK < kind <= _Record.FMLA_ERROR:
            column, style = struct.unpack_from("<II", record)
            grid.reach(row, column + 1)
            code = codes[style & 0xFFFFFF] if style & 0xFFFFFF < len(codes) else number_formats.GENERAL
            text = _cell(kind, record, strings, code, epoch)
            grid.quota.take_text(text)
            grid.put(row, column + 1, text)


def _cell(kind: int, record: bytes, strings: list[str], code: str, epoch: datetime) -> str:
    match kind:
        case _Record.CELL_RK:
            return number_formats.cell(_packed(struct.unpack_from("<I", record, 8)[0]), code, epoch)
        case _Record.CELL_REAL | _Record.FMLA_NUM:
            return number_formats.cell(number_formats.whole(struct.unpack_from("<d", record, 8)[0]), code, epoch)
        case _Record.CELL_BOOL | _Record.FMLA_BOOL:
            return Stored("TRUE" if record[8] else "FALSE", bool(record[8]))
        case _Record.CELL_ERROR | _Record.FMLA_ERROR:
            return _ERRORS.get(record[8], "#N/A")
        case _Record.CELL_ISST:
            return strings[int.from_bytes(record[8:12], "little")]
        case _:
            return text_cell(_wide(record, 8)[0])


def _packed(number: int) -> int | float:
    """An RkNumber (2.5.122): 30 bits, of an integer or of a float, perhaps in hundredths."""
    hundredths, whole = number & 1, number & 2
    bits = number & ~3
    value: int | float
    if whole:
        value = struct.unpack("<i", struct.pack("<I", bits))[0] >> 2
    else:
        value = number_formats.whole(struct.unpack("<d", struct.pack("<Q", bits << 32))[0])
    return number_formats.whole(value / 100) if hundredths else value


def _wide(record: bytes, at: int) -> tuple[str, int]:
    """An XLWideString (2.5.168), and where it ends."""
    length = struct.unpack_from("<I", record, at)[0]
    end = at + 4 + 2 * length
    if end > len(record):
        raise UnreadableTable(say(BROKEN))
    return record[at + 4 : end].decode("utf-16-le", "replace"), end


def _size(stream: IO[bytes]) -> int:
    size = 0
    for place in range(4):
        [octet] = stream.read(1)
        size |= (octet & 0x7F) << 7 * place
        if not octet & 0x80:
            break
    return size
