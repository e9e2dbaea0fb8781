"""Unstructured values (RFC 5322 section 2.2.1), as of Subject; and unfolding (section 2.2.3), which all values need."""

import re
from collections.abc import Sequence

from mailstep.mime.charsets import decode
from mailstep.mime.fields.encoded_word import CONTROLS, decode_words

_FOLD = re.compile(r"(?:\r\n|\n|\r)(?=[ \t])")


def unfold(value: bytes, hints: Sequence[str] = ()) -> str:
    """A raw value as text on one line: read as UTF-8 (RFC 6532), or else in one of the charsets in `hints`."""
    if not value:
        return ""
    # Nearly all fields are printable US-ASCII, but for their folds. Only the others need decoding.
    text = _FOLD.sub("", value.decode("ascii").strip()) if value.isascii() else ""
    if text and text.replace("\t", " ").isprintable():
        return text
    return CONTROLS.sub(" ", _FOLD.sub("", decode(value, hints=hints, detect=False).text.strip()))


def parse_unstructured(value: bytes, hints: Sequence[str] = ()) -> str:
    """A raw value, unfolded, and with its encoded-words decoded (RFC 2047)."""
    return decode_words(unfold(value, hints), hints)
