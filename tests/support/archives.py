"""ZIP archives, honest and hostile."""

from collections.abc import Callable
from io import BytesIO
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZIP_STORED, ZipFile

from mailstep import limits


def archive(*members: tuple[str, bytes], compression: int = ZIP_DEFLATED) -> bytes:
    packed = BytesIO()
    with ZipFile(packed, "w", compression) as made:
        for name, content in members:
            made.writestr(name, content)
    return packed.getvalue()


def overlapping(content: bytes, *, times: int) -> bytes:
    """One local file that every entry of the directory points to (Fifield, "A better zip bomb", WOOT 2019)."""
    honest = archive(("n.zip", content), compression=ZIP_STORED)
    central, end = honest.index(b"PK\x01\x02", len(content)), honest.rindex(b"PK\x05\x06")
    directory = honest[central:end] * times
    count, size = times.to_bytes(2, "little"), len(directory).to_bytes(4, "little")
    return honest[:central] + directory + honest[end : end + 8] + count * 2 + size + honest[end + 16 :]


def declaring(octets: int) -> bytes:
    """An archive whose one member says that it is so large (APPNOTE 4.3.12, uncompressed size)."""
    honest = archive(("a.csv", b"1"))
    central = honest.index(b"PK\x01\x02")
    return honest[: central + 24] + octets.to_bytes(4, "little") + honest[central + 28 :]


ONE_DEEP = archive(("a.zip", archive(("a.csv", b"1"))))


BOMBS: dict[str, Callable[[], bytes]] = {
    "within_within": lambda: archive(("b.zip", ONE_DEEP)),
    "too many members": lambda: archive(*((str(n), b"") for n in range(limits.ARCHIVE_MEMBERS + 1))),
    "too much": lambda: declaring(limits.ARCHIVE_OCTETS + 1),
    "an archive that unpacks to too much": lambda: archive(("n.zip", bytes(limits.NESTED_ARCHIVE_OCTETS + 1))),
    "within within, in BZIP2": lambda: archive(("b.zip", ONE_DEEP), compression=ZIP_BZIP2),
    "within within, in LZMA": lambda: archive(("b.zip", ONE_DEEP), compression=ZIP_LZMA),
    "fifty octets that unpack to too much": lambda: archive(
        ("n.zip", bytes(limits.NESTED_ARCHIVE_OCTETS + 1)), compression=ZIP_BZIP2
    ),
    "one member under many names": lambda: overlapping(archive(("a.csv", b"1" * 500)), times=500),
    "a directory of a million members": lambda: b"PK\x01\x02".ljust(46, b"\0") * 600_000 + b"PK\x05\x06" + bytes(18),
}
