"""ZIP archives judged within one budget a message: nothing is unpacked to disk, and a nested one in memory."""

import lzma
import struct
import zipfile
from bz2 import BZ2Decompressor
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BytesIO
from lzma import LZMADecompressor
from zipfile import ZipFile, ZipInfo

from mailstep import limits
from mailstep.contracts import Attachment
from mailstep.zip_errors import UNREADABLE

ZIP_TYPES = {
    "application/zip",
    "application/x-zip-compressed",
    "application/java-archive",
    "application/epub+zip",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/vnd.oasis.opendocument.text",
    "application/vnd.oasis.opendocument.presentation",
}
_SUFFIXES = (".zip", ".xlsx", ".docx", ".pptx", ".xlsm", ".ods", ".odt", ".odp", ".jar")
_PIECE = 1024 * 1024
_WEIGHT = {zipfile.ZIP_BZIP2: 4, zipfile.ZIP_LZMA: 4}  # of an octet: how much longer than Deflate these take for it
_LZMA_MEMORY = 64 * 1024 * 1024  # octets; a few octets of a header can ask for gigabytes
_RECORD = b"PK\x01\x02"  # begins a member's entry in the central directory (APPNOTE 4.3.12)


class ArchiveBomb(Exception):
    """The archives of a message hold more than their budget."""


@dataclass
class Budget:
    """What the archives of one message may still hold, all together and with those within them."""

    members: int = limits.ARCHIVE_MEMBERS
    declared: int = limits.ARCHIVE_OCTETS
    inflated: int = limits.NESTED_ARCHIVE_OCTETS

    def take(self, *, members: int = 0, declared: int = 0, inflated: int = 0) -> None:
        """Count what was found, before anything is done with it.

        Raises:
            ArchiveBomb: it is more than is left.
        """
        self.members -= members
        self.declared -= declared
        self.inflated -= inflated
        if min(self.members, self.declared, self.inflated) < 0:
            raise ArchiveBomb


def may_be_zip(attachment: Attachment) -> bool:
    """Whether the declared type, the octets or the name say that it is a ZIP archive; office documents are."""
    types = {attachment.media_type.lower(), attachment.media_type_detected}
    return bool(types & ZIP_TYPES) or attachment.filename.lower().endswith(_SUFFIXES)


def are_a_bomb(contents: Iterable[bytes]) -> bool:
    """Whether the ZIP archives of one message are over our bounds, all together, or archives within them are.

    What is no ZIP archive, or a broken one, is no bomb: its processor says what is wrong with it.
    """
    budget = Budget()
    try:
        for content in contents:
            _look_into(content, budget, depth=1)
    except ArchiveBomb:
        return True
    return False


def _look_into(content: bytes, budget: Budget, *, depth: int) -> None:
    # Before zipfile makes an object of each: a megabyte has 20,000 of them.
    if content.count(_RECORD) > budget.members:
        raise ArchiveBomb
    try:
        archive = ZipFile(BytesIO(content))
    except UNREADABLE:
        return
    with archive:
        members = archive.infolist()
        budget.take(members=len(members), declared=sum(member.file_size for member in members))
        if sum(member.compress_size for member in members) > len(content):
            # They lie over each other, as in no archive that somebody packed.
            raise ArchiveBomb
        for member in members:
            if member.filename.lower().endswith(".zip"):
                if depth == limits.ARCHIVE_DEPTH:
                    raise ArchiveBomb
                _look_into(_inflated(archive, content, member, budget), budget, depth=depth + 1)


def _inflated(archive: ZipFile, content: bytes, member: ZipInfo, budget: Budget) -> bytes:
    """An archive within another, or nothing where it cannot be read."""
    inflated = bytearray()
    try:
        read = _reader(archive, content, member)
        weight = _WEIGHT.get(member.compress_type, 1)
        # Sizes are declared by the sender. A piece counts before it is read: one that breaks takes its time too.
        while True:
            asked = min(_PIECE, budget.inflated // weight + 1)
            budget.inflated -= asked * weight
            piece = read(asked)
            budget.take(inflated=(len(piece) - asked) * weight)
            if not piece:
                return bytes(inflated)
            inflated += piece
    except UNREADABLE:
        return b""


def _reader(archive: ZipFile, content: bytes, member: ZipInfo) -> Callable[[int], bytes]:
    """What inflates a member by no more octets than it is asked for, as zipfile does not for all compressions."""
    at = member.header_offset
    # The local header ends in a name and an extra field, each of its own length (APPNOTE 4.3.7).
    at += 30 + sum(struct.unpack_from("<HH", content, at + 26))
    packed = content[at : at + member.compress_size]
    match member.compress_type:
        case _ if member.flag_bits & 1:
            raise NotImplementedError("encrypted")
        case zipfile.ZIP_STORED | zipfile.ZIP_DEFLATED:
            return archive.open(member).read
        case zipfile.ZIP_BZIP2:
            return _pieces(BZ2Decompressor(), packed)
        case zipfile.ZIP_LZMA:
            # Version and length of the properties, then as in an .lzma file but for the size (APPNOTE 5.8.8).
            decompressor = LZMADecompressor(lzma.FORMAT_ALONE, memlimit=_LZMA_MEMORY)
            return _pieces(decompressor, packed[4:9] + b"\xff" * 8 + packed[9:])
        case _:
            raise NotImplementedError("a compression that nobody uses in mail")


def _pieces(decompressor: BZ2Decompressor | LZMADecompressor, packed: bytes) -> Callable[[int], bytes]:
    left = [packed]
    return lambda most: b"" if decompressor.eof else decompressor.decompress(left.pop() if left else b"", most)
