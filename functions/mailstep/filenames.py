"""File names that are safe to use, made from what a sender wrote."""

import mimetypes
import re
import unicodedata

from mailstep import limits

_PATH = re.compile(r"\s*(?:[A-Za-z]:|~|\.{1,2})?[/\\]|\s*[A-Za-z]:|\s*file:", re.IGNORECASE)


def safe_filename(name: str | None, media_type: str, number: int) -> str:
    """A name that is one file in any folder: no path, no control or direction characters, of bounded length.

    Where none is declared it is made from the media type.
    """
    shown = (name or "").replace("\t", " ")  # which folding leaves in a name
    if not (shown.isascii() and shown.isprintable()):
        kinds = ((c, unicodedata.category(c)[0]) for c in shown)
        shown = "".join(" " if kind == "Z" else c for c, kind in kinds if kind != "C")
    # Of a path the last name is meant; elsewhere a slash is a character, as in a date.
    name_alone = re.split(r"[/\\]", shown)[-1] if _PATH.match(shown) else shown
    last = re.sub(r'[<>:"|?*/\\]', "_", name_alone.strip().lstrip(".").strip())
    if not last:
        return f"part-{number}{mimetypes.guess_extension(media_type) or '.bin'}"
    stem, dot, extension = last.rpartition(".")
    if dot and len(extension.encode()) < 20:
        return f"{cut(stem, limits.FILENAME - len(extension.encode()) - 1)}.{extension}"
    return cut(last, limits.FILENAME)


def cut(text: str, octets: int) -> str:
    """The start of a text, at most so many octets of UTF-8."""
    return text.encode("utf-8", errors="replace")[:octets].decode("utf-8", errors="ignore")
