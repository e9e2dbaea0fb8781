"""Media types by the octets of a file: those that the library `filetype` knows, and more of programs and tables."""

import re

import filetype
from filetype.match import match

from mailstep.media_types import COMPOUND_FILE, COMPOUND_FILE_SIGNATURE

FIRST_OCTETS = 8_192
"""Octets from which the library detects a type."""

NOT_IN_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
"""Octets that no text has, whatever its charset: all controls but white space and ESC."""
_OF_TEXT = [
    kind for kind in filetype.TYPES if kind.mime in {"application/pdf", "application/postscript", "application/rtf"}
]
# None of them can begin a text.
_BINARY = (
    # Microsoft: MS-SHLLINK section 2.1; MS-VHDX section 2.2.1; "Virtual Hard Disk Image Format"; the WIM format.
    (rb"L\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0F", "application/x-ms-shortcut"),
    (rb"vhdxfile.\0|conectix\0\0\0\x02", "application/x-virtual-disk"),
    (rb"MSWIM\0\0\0", "application/x-ms-wim"),
    (rb"ITSF[\x02-\x04]\0\0\0", "application/vnd.ms-htmlhelp"),
    # A workbook of Excel that is in no compound file (MS-XLS section 2.4.21).
    (rb"\t[\0\x02\x04\x08][\x04\x06\x08\x10]\0..[\0\x05\x06\x10\x20\x40][\0\x01]", "application/vnd.ms-excel"),
    # Apple: Mach-O, and the archive of an installer. A universal binary begins as a class of Java does.
    (rb"\xfe\xed\xfa[\xce\xcf]|[\xce\xcf]\xfa\xed\xfe", "application/x-mach-binary"),
    (rb"xar!\0", "application/x-xar"),
    (rb"\xca\xfe\xba\xbe\0\0\0", "application/java-vm"),
    (rb"dex\n0\d\d\0", "application/vnd.android.dex"),
)
_TEXTS = (
    # Script that the Windows Script Encoder wrote.
    (rb"\s*#@~\^[A-Za-z0-9+/]{6}==", "text/vbscript"),
    # SYLK, which Excel opens whatever the name is: a record ID, and soon one of the bounds, a name or a cell. The lines
    # of a table with a column "ID" are no such records.
    (
        rb"ID;P[^\r\n]*(?>\r\n?|\n)(?:[^\r\n]*(?>\r\n?|\n)){0,40}?"
        rb"(?:B;Y\d+;X\d|NN;N|C(?:;[A-Z][^;\r\n]*){0,5}?;[XY]\d+(?:;[A-Z][^;\r\n]*){0,5}?;(?:E|K[\"\d.+-]))",
        "application/x-sylk",
    ),
)
_ISO_9660 = slice(0x8001, 0x8006)  # where an image of a disc has its identifier (ECMA-119 section 8.1.2)


def detected(content: bytes) -> str | None:
    """The media type that the octets of a file have, or None. The first ones are enough for most types."""
    first = content[:FIRST_OCTETS]
    if first.startswith(COMPOUND_FILE_SIGNATURE):
        return COMPOUND_FILE
    # Some types begin with two or three letters, as a text may: "BM" of a bitmap, "MZ" of a program.
    is_binary = NOT_IN_TEXT.search(first) is not None
    signatures = _BINARY if is_binary else _TEXTS
    own = next((kind for signature, kind in signatures if re.match(signature, first, re.DOTALL)), None)
    if own:
        return own
    if content[_ISO_9660] == b"CD001":
        return "application/x-iso9660-image"
    found: str | None = getattr(match(first, filetype.TYPES if is_binary else _OF_TEXT), "mime", None)
    return found
