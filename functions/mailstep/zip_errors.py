"""The errors that zipfile raises for an archive that is broken, encrypted or of an unknown kind."""

import lzma
import struct
import zlib
from zipfile import BadZipFile

UNREADABLE = (
    BadZipFile,
    NotImplementedError,
    RuntimeError,
    OSError,
    EOFError,
    ValueError,
    MemoryError,
    OverflowError,
    LookupError,
    struct.error,
    zlib.error,
    lzma.LZMAError,
)
