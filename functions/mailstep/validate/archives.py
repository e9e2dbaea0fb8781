"""Checks ZIP archives within one quota for each message.

It inflates only the beginning of a member, nested archives and what may tell of macros, and only in memory.
"""

import lzma
import re
import struct
import zipfile
import zlib
from bz2 import BZ2Decompressor
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from lzma import LZMADecompressor
from typing import NamedTuple
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
CONTENT_TYPES = "[content_types].xml"
"""The name, in lower case, of the list of the types of a document's parts (ISO/IEC 29500-2 section 7.2.3)."""
_PIECE = 1024 * 1024
_PACKED_PIECE = 16 * 1024
_WEIGHT = {zipfile.ZIP_BZIP2: 4, zipfile.ZIP_LZMA: 4}  # cost of an octet: these take that much longer than Deflate
_LZMA_MEMORY = 64 * 1024 * 1024  # octets; a few octets of a header can ask for gigabytes
_LOCAL_HEADER = b"PK\x03\x04"  # begins a ZIP archive (APPNOTE 4.3.7)
_END = b"PK\x05\x06"  # begins the last record (APPNOTE 4.3.16)
# The fixed fields of both headers, and the lengths of the name, which follows (APPNOTE 4.3.7 and 4.3.12).
_HEADERS = re.compile(rb"PK(?:\x03\x04.{22}(..)..|\x01\x02.{24}(..).{16})", re.DOTALL)
_RECORD = b"PK\x01\x02"  # begins a member's entry in the central directory (APPNOTE 4.3.12)


_IN_A_ROW = 3  # archives, one behind another; two are an attack, or an update that somebody appended
_NAME_OCTETS = 1_200  # of a name's end, which has the extension
_FIRST_OCTETS = 512  # of a member; most types are known by them
_BLOCK = 900_000  # octets that BZIP2 unpacks for the first one, at most
# Documents that are texts, and that Word and Excel open as such (macros.py); their names tell more than their octets.
_TEXT_DOCUMENT = re.compile(r".*\.(?:doc|dot|rtf|wbk|wiz|xls|xlt|ppt|xml)", re.DOTALL)
_MARK_OF_TEXT_DOCUMENT = re.compile(rb"mso-application|MIME-Version:", re.IGNORECASE)
_WORKBOOK = re.compile(rb"\t[\0\x02\x04\x08]")  # BOF, of one in no compound file (MS-XLS section 2.4.21)


class Member(NamedTuple):
    """A member of an archive."""

    name: str
    first: bytes = b""
    """The first octets, as many as tell most types; none if it is encrypted or broken."""
    content: bytes | None = None
    """The whole of what may tell of macros."""


class ArchiveBomb(Exception):
    """The archives of a message exceed their quota."""


@dataclass
class ArchiveQuota:
    """What the archives of one message, nested ones included, may still contain."""

    members: int = limits.ARCHIVE_MEMBERS
    declared: int = limits.ARCHIVE_OCTETS
    inflated: int = limits.NESTED_ARCHIVE_OCTETS
    blocks: int = limits.NESTED_ARCHIVE_OCTETS
    """Octets of the first blocks of BZIP2."""

    def take(self, *, members: int = 0, declared: int = 0, inflated: int = 0, blocks: int = 0) -> None:
        """Count content before working on it.

        Raises:
            ArchiveBomb: the quota is exceeded.
        """
        self.members -= members
        self.declared -= declared
        self.inflated -= inflated
        self.blocks -= blocks
        if min(self.members, self.declared, self.inflated, self.blocks) < 0:
            raise ArchiveBomb


def may_be_zip(attachment: Attachment) -> bool:
    """Whether its declared type, its octets or its name are those of a ZIP archive, office documents included."""
    types = {registered(attachment.media_type), attachment.media_type_detected}
    return bool(types & ZIP_TYPES) or attachment.filename.lower().endswith(_SUFFIXES)


def members(content: bytes, quota: ArchiveQuota, *, depth: int = 1) -> Iterator[Member]:
    """The members of a ZIP archive, those of nested archives too, whatever the names of these.

    Word and Excel open a document by its octets: one with macros may be called `order.doc`. A member that may tell of
    macros comes with its content: a document of Office 97 to 2003 whatever its name, a document that is a text, and the
    list of the types of an office document's parts. Programs unpack what others do not see, so each name in a header
    counts, listed or not, and so does an archive in front of another one.

    There are none in content that is not a ZIP archive. Of a broken one, there are the names in its headers: its
    processor tells the sender what is wrong.

    Raises:
        ArchiveBomb: the archives of the message, this one included, exceed the limits together.
    """
    # Counted before zipfile creates an object for each: a megabyte has 20,000 of them.
    if max(content.count(_RECORD), content.count(_LOCAL_HEADER)) > quota.members:
        raise ArchiveBomb
    yield from map(Member, _names(content))
    for _ in range(_IN_A_ROW):
        listed = _listed(content, quota)
        for member in listed:
            yield from _member(content, member, quota, depth)
        content = content[: min((member.header_offset for member in listed), default=content.rfind(_END))]
        if _END not in content:
            return
    raise ArchiveBomb


def _listed(content: bytes, quota: ArchiveQuota) -> list[ZipInfo]:
    """The members that the directory of an archive lists; none if it cannot be read."""
    try:
        with ZipFile(BytesIO(content)) as archive:
            listed = archive.infolist()
    except UNREADABLE:
        return []
    except MemoryError as error:
        raise ArchiveBomb from error
    quota.take(members=len(listed), declared=sum(member.file_size for member in listed))
    if sum(member.compress_size for member in listed) > len(content):
        # Members overlap, which only happens in archives made to attack.
        raise ArchiveBomb
    return listed


def _names(content: bytes) -> Iterator[str]:
    """The name in each header of a member that is anywhere in the content, each name once."""
    names = set()
    for header in _HEADERS.finditer(content):
        length = int.from_bytes(header[1] or header[2], "little")
        end = header.end() + length
        names.add(content[max(header.end(), end - _NAME_OCTETS) : end])
    return (name.decode("utf-8", "replace") for name in names)


def _member(content: bytes, member: ZipInfo, quota: ArchiveQuota, depth: int) -> Iterator[Member]:
    """The member, and what is in it if it is an archive."""
    name = member.filename.lower()
    first = _first_octets(content, member, quota)
    is_document = first.startswith(COMPOUND_FILE_SIGNATURE) or _WORKBOOK.match(first) or _is_text_document(name, first)
    tells = name == CONTENT_TYPES or is_document
    yield Member(member.filename, first, _inflated(content, member, quota) if tells else None)
    if name.endswith(".zip") and depth == limits.ARCHIVE_DEPTH:
        raise ArchiveBomb
    is_packed = name.endswith(_OFFICE) or first.startswith(_LOCAL_HEADER)
    if name.endswith(".zip") or (is_packed and depth < limits.ARCHIVE_DEPTH):
        yield from members(_inflated(content, member, quota), quota, depth=depth + 1)


def _is_text_document(name: str, first: bytes) -> bool:
    return bool(_TEXT_DOCUMENT.fullmatch(name) and _MARK_OF_TEXT_DOCUMENT.search(first.replace(b"\0", b"")))


def _first_octets(content: bytes, member: ZipInfo, quota: ArchiveQuota) -> bytes:
    """The first octets of a member; none if it is encrypted or broken."""
    asked = _FIRST_OCTETS
    try:
        read = _reader(content, member)
        if member.compress_type == zipfile.ZIP_BZIP2:
            # It unpacks a block for the first octet, slowly. One octet more tells if the member is longer than it says.
            block = min(member.file_size, _BLOCK)
            quota.take(blocks=2 * block)
            asked = max(asked, block + 1)
        first = read(asked)
    except UNREADABLE:
        return b""
    except MemoryError as error:
        raise ArchiveBomb from error
    if member.compress_type == zipfile.ZIP_BZIP2 and len(first) > member.file_size:
        raise ArchiveBomb
    return first[:_FIRST_OCTETS]


def _inflated(content: bytes, member: ZipInfo, quota: ArchiveQuota) -> bytes:
    """The octets of a member, or none if it cannot be read."""
    inflated = bytearray()
    try:
        read = _reader(content, member)
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


def _reader(content: bytes, member: ZipInfo) -> Callable[[int], bytes]:
    """A function that inflates at most as many octets as asked for.

    zipfile does not do so for every compression, and it opens no member whose two headers differ, as others do.
    """
    at = member.header_offset
    # The local header ends in a name and an extra field, each of its own length (APPNOTE 4.3.7).
    at += 30 + sum(struct.unpack_from("<HH", content, at + 26))
    packed = memoryview(content)[at : at + member.compress_size]
    match member.compress_type:
        case _ if member.flag_bits & 1:
            raise BadZipFile("encrypted")
        case zipfile.ZIP_STORED:
            return BytesIO(packed).read
        case zipfile.ZIP_DEFLATED:
            return _deflated(packed)
        case zipfile.ZIP_BZIP2:
            return _pieces(BZ2Decompressor(), packed)
        case zipfile.ZIP_LZMA:
            # Version and length of the properties, then as in an .lzma file but for the size (APPNOTE 5.8.8).
            decompressor = LZMADecompressor(lzma.FORMAT_ALONE, memlimit=_LZMA_MEMORY)
            return _pieces(decompressor, bytes(packed[4:9]) + b"\xff" * 8 + packed[9:])
        case _:
            raise BadZipFile("unknown compression")


def _deflated(packed: memoryview) -> Callable[[int], bytes]:
    decompressor = zlib.decompressobj(-zlib.MAX_WBITS)
    at = 0

    def read(most: int) -> bytes:
        nonlocal at
        while not decompressor.eof:
            # It returns what it does not use: of a short piece, little is copied.
            taken = packed[at : at + _PACKED_PIECE]
            piece = decompressor.decompress(taken, most)
            at += len(taken) - len(decompressor.unconsumed_tail)
            if piece or not taken:
                return piece
        return b""

    return read


def _pieces(decompressor: BZ2Decompressor | LZMADecompressor, packed: bytes | memoryview) -> Callable[[int], bytes]:
    left = [packed]
    return lambda most: b"" if decompressor.eof else decompressor.decompress(left.pop() if left else b"", most)
