"""Checks ZIP archives within one quota for each message.

It inflates only nested archives and what may tell of macros, and only in memory.
"""

import lzma
import struct
import zipfile
from bz2 import BZ2Decompressor
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from lzma import LZMADecompressor
from zipfile import BadZipFile, ZipFile, ZipInfo

from mailstep import limits
from mailstep.contracts import Attachment
from mailstep.media_types import COMPOUND_FILE_SIGNATURE, ZIP_TYPES, registered
from mailstep.zip_errors import UNREADABLE

_SUFFIXES = (
    ".zip",
    ".xlsx",
    ".docx",
    ".pptx",
    ".xlsm",
    ".xlsb",
    ".docm",
    ".pptm",
    ".ods",
    ".odt",
    ".odp",
    ".jar",
    ".apk",
)
_OFFICE = tuple(suffix for suffix in _SUFFIXES if suffix not in {".zip", ".jar", ".apk"})
_CONTENT_TYPES = "[content_types].xml"  # says what each part of an office document is (ISO/IEC 29500-2 section 7.2.3)
_PIECE = 1024 * 1024
_WEIGHT = {zipfile.ZIP_BZIP2: 4, zipfile.ZIP_LZMA: 4}  # cost of an octet: these take that much longer than Deflate
_LZMA_MEMORY = 64 * 1024 * 1024  # octets; a few octets of a header can ask for gigabytes
_LOCAL_HEADER = b"PK\x03\x04"  # begins a ZIP archive (APPNOTE 4.3.7)
_RECORD = b"PK\x01\x02"  # begins a member's entry in the central directory (APPNOTE 4.3.12)


class ArchiveBomb(Exception):
    """The archives of a message exceed their quota."""


@dataclass
class ArchiveQuota:
    """What the archives of one message, nested ones included, may still contain."""

    members: int = limits.ARCHIVE_MEMBERS
    declared: int = limits.ARCHIVE_OCTETS
    inflated: int = limits.NESTED_ARCHIVE_OCTETS

    def take(self, *, members: int = 0, declared: int = 0, inflated: int = 0) -> None:
        """Count content before working on it.

        Raises:
            ArchiveBomb: the quota is exceeded.
        """
        self.members -= members
        self.declared -= declared
        self.inflated -= inflated
        if min(self.members, self.declared, self.inflated) < 0:
            raise ArchiveBomb


def may_be_zip(attachment: Attachment) -> bool:
    """Whether its declared type, its octets or its name are those of a ZIP archive, office documents included."""
    types = {registered(attachment.media_type), attachment.media_type_detected}
    return bool(types & ZIP_TYPES) or attachment.filename.lower().endswith(_SUFFIXES)


def members(content: bytes, quota: ArchiveQuota, *, depth: int = 1) -> Iterator[tuple[str, bytes | None]]:
    """The names of the members of a ZIP archive, those of nested archives too, whatever the names of these.

    Word and Excel open a document by its octets: one with macros may be called `order.doc`. A member that may tell of
    macros comes with its content: a compound file whatever its name, and the list of the types of an office document's
    parts. BZIP2 and LZMA unpack whole blocks for the first octet, so in them a compound file is not recognised, and an
    archive only by its name.

    There are none in content that is not a ZIP archive, or is broken: its processor tells the sender what is wrong.

    Raises:
        ArchiveBomb: the archives of the message, this one included, exceed the limits together.
    """
    # Counted before zipfile creates an object for each: a megabyte has 20,000 of them.
    if content.count(_RECORD) > quota.members:
        raise ArchiveBomb
    try:
        archive = ZipFile(BytesIO(content))
    except UNREADABLE:
        return
    except MemoryError as error:
        raise ArchiveBomb from error
    with archive:
        listed = archive.infolist()
        quota.take(members=len(listed), declared=sum(member.file_size for member in listed))
        if sum(member.compress_size for member in listed) > len(content):
            # Members overlap, which only happens in archives made to attack.
            raise ArchiveBomb
        for member in listed:
            name = member.filename.lower()
            first = _first_octets(archive, member)
            tells = name == _CONTENT_TYPES or first == COMPOUND_FILE_SIGNATURE
            yield member.filename, _inflated(archive, content, member, quota) if tells else None
            if name.endswith(".zip") and depth == limits.ARCHIVE_DEPTH:
                raise ArchiveBomb
            is_packed = name.endswith(_OFFICE) or first.startswith(_LOCAL_HEADER)
            if name.endswith(".zip") or (is_packed and depth < limits.ARCHIVE_DEPTH):
                yield from members(_inflated(archive, content, member, quota), quota, depth=depth + 1)


def _first_octets(archive: ZipFile, member: ZipInfo) -> bytes:
    """The first octets of a member, which tell its type; none if it is encrypted or broken, or needs more unpacked."""
    if member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        return b""
    try:
        with archive.open(member) as unpacked:
            return unpacked.read(len(COMPOUND_FILE_SIGNATURE))
    except UNREADABLE:
        return b""


def _inflated(archive: ZipFile, content: bytes, member: ZipInfo, quota: ArchiveQuota) -> bytes:
    """The octets of a nested archive, or none if it cannot be read."""
    inflated = bytearray()
    try:
        read = _reader(archive, content, member)
        weight = _WEIGHT.get(member.compress_type, 1)
        # The sender declares the sizes. A piece counts before it is read, because a broken one takes time too.
        while True:
            asked = min(_PIECE, quota.inflated // weight + 1)
            quota.inflated -= asked * weight
            piece = read(asked)
            quota.take(inflated=(len(piece) - asked) * weight)
            if not piece:
                return bytes(inflated)
            inflated += piece
    except UNREADABLE:
        return b""
    except MemoryError as error:
        raise ArchiveBomb from error


def _reader(archive: ZipFile, content: bytes, member: ZipInfo) -> Callable[[int], bytes]:
    """A function that inflates at most as many octets as asked for; zipfile does not do so for every compression."""
    at = member.header_offset
    # The local header ends in a name and an extra field, each of its own length (APPNOTE 4.3.7).
    at += 30 + sum(struct.unpack_from("<HH", content, at + 26))
    packed = content[at : at + member.compress_size]
    match member.compress_type:
        case _ if member.flag_bits & 1:
            raise BadZipFile("encrypted")
        case zipfile.ZIP_STORED | zipfile.ZIP_DEFLATED:
            return archive.open(member).read
        case zipfile.ZIP_BZIP2:
            return _pieces(BZ2Decompressor(), packed)
        case zipfile.ZIP_LZMA:
            # Version and length of the properties, then as in an .lzma file but for the size (APPNOTE 5.8.8).
            decompressor = LZMADecompressor(lzma.FORMAT_ALONE, memlimit=_LZMA_MEMORY)
            return _pieces(decompressor, packed[4:9] + b"\xff" * 8 + packed[9:])
        case _:
            raise BadZipFile("unknown compression")


def _pieces(decompressor: BZ2Decompressor | LZMADecompressor, packed: bytes) -> Callable[[int], bytes]:
    left = [packed]
    return lambda most: b"" if decompressor.eof else decompressor.decompress(left.pop() if left else b"", most)
