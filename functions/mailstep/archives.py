"""ZIP archives judged by what they declare: nothing is unpacked to disk, and a nested one in memory within a bound."""

import lzma
import zlib
from io import BytesIO
from zipfile import BadZipFile, ZipFile, ZipInfo

from mailstep import bounds
from mailstep.contracts import Attachment

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


# What zipfile raises where an archive is broken, encrypted or of an unknown kind: its own, and its decompressors'.
UNREADABLE = (
    BadZipFile,
    NotImplementedError,
    RuntimeError,
    OSError,
    EOFError,
    ValueError,
    zlib.error,
    lzma.LZMAError,
)


def may_be_zip(attachment: Attachment) -> bool:
    """Whether the declared type, the octets or the name say that it is a ZIP archive; office documents are."""
    types = {attachment.media_type.lower(), attachment.media_type_detected}
    return bool(types & ZIP_TYPES) or attachment.filename.lower().endswith(_SUFFIXES)


def is_bomb(content: bytes, *, depth: int = 1) -> bool:
    """Whether a ZIP archive declares more than our bounds, itself or in archives within it.

    What is no ZIP archive, or a broken one, is no bomb: its processor says what is wrong with it.
    """
    try:
        with ZipFile(BytesIO(content)) as archive:
            members = archive.infolist()
            nested = [member for member in members if member.filename.lower().endswith(".zip")]
            return (
                len(members) > bounds.ARCHIVE_MEMBERS
                or sum(member.file_size for member in members) > bounds.ARCHIVE_OCTETS
                or (bool(nested) and depth == bounds.ARCHIVE_DEPTH)
                or any(_holds_a_bomb(archive, member, depth) for member in nested)
            )
    except UNREADABLE:
        return False


def _holds_a_bomb(archive: ZipFile, member: ZipInfo, depth: int) -> bool:
    try:
        with archive.open(member) as inner:
            # Sizes are declared by the sender: no more is read than may be there.
            unpacked = inner.read(bounds.NESTED_ARCHIVE_OCTETS + 1)
    except UNREADABLE:
        return False
    return len(unpacked) > bounds.NESTED_ARCHIVE_OCTETS or is_bomb(unpacked, depth=depth + 1)
