"""Finds macros by the octets of office documents: VBA, and the macro sheets of Excel 4.0."""

import re
import struct
from html import unescape

from mailstep.media_types import COMPOUND_FILE_SIGNATURE
from mailstep.validate.compound_file import CompoundFile

# A stream or storage that the directory of a document of Office 97 to 2003 names (MS-OVBA section 2.2.1). PowerPoint
# packs that directory, and has a record that says so (MS-PPT sections 2.4.10 and 2.4.11).
_VBA_97 = re.compile(
    re.escape("_VBA_PROJECT".encode("utf-16-le")) + rb"|\x0f\0\xff\x03\x14\0\0\0\x02\0\0\x04\x0c\0\0\0.{4}\x01\0\0\0",
    # The names of streams have no case (MS-CFB section 2.6.4).
    re.DOTALL | re.IGNORECASE,
)
# The types that [Content_Types].xml gives to parts (ISO/IEC 29500-2 section 7.2.3; MS-OFFMACRO2; MS-XLSB 2.1.7).
_PARTS = re.compile(r"application/vnd\.ms-(office\.vbaproject|excel\.(intl)?macrosheet)", re.IGNORECASE)
# Word also opens documents that are texts: XML, and pages of one file. Their macros are a part, encoded in Base64, that
# begins with "ActiveMime".
_IN_TEXT = re.compile(
    rb"macrosPresent\s*=\s*[\"']yes|application/vnd\.ms-office\.vbaProject|Q\s*W\s*N\s*0\s*a\s*X\s*Z\s*l\s*T\s*W\s*l\s*t\s*Z",
    re.IGNORECASE,
)

_CONTENT_TYPES_OCTETS = 4_000_000  # some 150 for each part

_WORKBOOKS = {"workbook", "book"}  # streams of Excel 97 to 2003, and of Excel 5 (MS-XLS section 2.1.7.20)
_STREAMS = 8  # workbooks in one file; a document that embeds others has some
_RECORDS = 200_000  # of the globals of a workbook; large ones have some thousands
# Records of a workbook (MS-XLS sections 2.4.21, 2.4.28, 2.4.103 and 2.4.117); BOF of Excel 2 to 4 has other numbers.
_BOF, _BOUND_SHEET, _EOF, _FILE_PASS = {0x0809, 0x0409, 0x0209, 0x0009}, 0x0085, 0x000A, 0x002F
_MACRO_SHEET = 0x0040  # in a BOF
_SHEETS_OF_MACROS = {1, 6}  # in a BOUNDSHEET: a macro sheet, a module of Excel 5


def are_in(content: bytes) -> bool:
    """Whether a document has macros: a compound file, a workbook of Excel outside of one, or a text."""
    if content.startswith(COMPOUND_FILE_SIGNATURE):
        return _VBA_97.search(content) is not None or _has_workbook_with_macros(content)
    if int.from_bytes(content[:2], "little") in _BOF:
        return _has_macro_sheet(content)
    # The text may be in UTF-16.
    return _IN_TEXT.search(content.replace(b"\0", b"")) is not None


def are_listed(content_types: bytes) -> bool:
    """Whether the [Content_Types].xml of an office document lists a part with macros, or is too long to tell."""
    if len(content_types) > _CONTENT_TYPES_OCTETS:
        return True
    # The XML may be in UTF-16, and may have character references.
    return _PARTS.search(unescape(content_types.replace(b"\0", b"").decode("latin-1"))) is not None


def _has_macro_sheet(stream: bytes) -> bool:
    """Whether the globals of a workbook name a macro sheet, or the stream is one.

    Excel opens a workbook with its default password without asking, so an encrypted one counts too. The kind in a
    BOUNDSHEET is encrypted then, but neither its place of the sheet nor the sheet's BOF is (MS-XLS section 2.2.10).
    """
    at, is_encrypted = 0, False
    for _ in range(_RECORDS):
        kind, value = _record(stream, at)
        if kind in {None, _EOF}:
            return False
        if _begins_macro_sheet(kind, value):
            return True
        if kind == _BOUND_SHEET and len(value) > 5:
            is_named = not is_encrypted and value[5] in _SHEETS_OF_MACROS
            if is_named or _begins_macro_sheet(*_record(stream, int.from_bytes(value[:4], "little"))):
                return True
        is_encrypted = is_encrypted or kind == _FILE_PASS
        at += 4 + len(value)
    # No program writes so many.
    return True


def _record(stream: bytes, at: int) -> tuple[int | None, bytes]:
    """The number and the value of the record at a place; None and nothing at the end."""
    if at + 4 > len(stream):
        return None, b""
    kind, length = struct.unpack_from("<HH", stream, at)
    return kind, stream[at + 4 : at + 4 + length]


def _begins_macro_sheet(kind: int | None, value: bytes) -> bool:
    return kind in _BOF and value[2:4] == _MACRO_SHEET.to_bytes(2, "little")


def _has_workbook_with_macros(content: bytes) -> bool:
    try:
        workbooks = CompoundFile(content).streams(_WORKBOOKS)
        # One at a time: each may be as long as the file.
        return any(number > _STREAMS or _has_macro_sheet(book) for number, book in enumerate(workbooks, start=1))
    except struct.error:
        return False
