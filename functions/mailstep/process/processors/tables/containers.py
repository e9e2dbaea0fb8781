"""Opens the archives in which tables are sent: a ZIP of files, and GZIP. Each is unpacked within the quota."""

import io
import zlib
from collections.abc import Iterator
from gzip import GzipFile
from pathlib import PurePosixPath
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from mailstep.process.processors.tables.limits import SIZE_BOUND, TableQuota, UnreadableTable
from mailstep.process.processors.tables.sheets import LOCKED
from mailstep.texts.speaking import say
from mailstep.zip_errors import UNREADABLE

MEMBERS_BOUND = 200
"""Files of one archive that are looked at."""
_PIECE = 64 * 1024


def _take(quota: TableQuota, more: int, before: int) -> None:
    """Count unpacked octets: a file in an archive may be as large as one that is attached."""
    quota.take_unpacked(more)
    if before + more > SIZE_BOUND:
        raise UnreadableTable(say("tables.problems.unpacked_too_large"))


def gunzipped(content: bytes, quota: TableQuota) -> bytes:
    """The file within GZIP (RFC 1952), all its members together.

    Raises:
        UnreadableTable: it is broken, or unpacks to more than the quota has.
    """
    unpacked = io.BytesIO()
    try:
        with GzipFile(fileobj=io.BytesIO(content)) as stream:
            while piece := stream.read(_PIECE):
                _take(quota, len(piece), unpacked.tell())
                unpacked.write(piece)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableTable(say("tables.problems.broken_archive")) from error
    return unpacked.getvalue()


def members(archive: ZipFile, quota: TableQuota, suffixes: set[str]) -> Iterator[tuple[str, bytes]]:
    """The name and content of each file in a ZIP archive whose name ends so.

    Raises:
        UnreadableTable: it has a password, is broken, or unpacks to more than the quota has.
    """
    for member in archive.infolist()[:MEMBERS_BOUND]:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        if member.is_dir() or path.suffix.lower() not in suffixes or path.parts[0] == "__MACOSX":
            continue
        if member.flag_bits & 1:
            raise UnreadableTable(say(LOCKED))
        if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise UnreadableTable(say("tables.problems.broken_archive"))
        unpacked = io.BytesIO()
        try:
            with archive.open(member) as stream:
                while piece := stream.read(_PIECE):
                    _take(quota, len(piece), unpacked.tell())
                    unpacked.write(piece)
        except UnreadableTable:
            raise
        except UNREADABLE as error:
            raise UnreadableTable(say("tables.problems.broken_archive")) from error
        yield path.name, unpacked.getvalue()
