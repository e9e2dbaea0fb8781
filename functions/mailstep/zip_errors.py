"""The errors that zipfile raises for an archive that is broken, encrypted or of an unknown kind.

MemoryError is not among them: an archive that does not fit into memory may be good.
"""

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
    OverflowError,
    LookupError,
    struct.error,
    zlib.error,
    lzma.LZMAError,
)
