"""Text of a delimited file: decoded from all its octets, with what had to be done for it."""

from dataclasses import dataclass

from charset_normalizer import from_bytes

from mailstep.process.processors.tables.limits import UnreadableTable


@dataclass(frozen=True)
class Text:
    """The text of a file, the encoding that it was read with, and sentences about what was changed."""

    text: str
    encoding: str
    notes: tuple[str, ...] = ()


def decode(content: bytes, *, declared: str | None = None) -> Text:
    """The text of a file.

    Raises:
        UnreadableTable: it is not text.
    """
    try:
        return Text(content.decode("utf-8-sig"), "utf-8")
    except UnicodeDecodeError:
        guess = from_bytes(content[: 256 * 1024]).best()
        if not guess:
            raise UnreadableTable("It is not text; please save it as CSV (UTF-8) or XLSX.") from None
        return Text(content.decode(guess.encoding, errors="replace").removeprefix("\ufeff"), guess.encoding)
