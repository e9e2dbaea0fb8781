"""Unstructured values (RFC 5322 section 2.2.1), as of Subject; and unfolding (section 2.2.3), which all values need."""

import re
from collections.abc import Sequence

from mailstep.mime.charsets import decode
from mailstep.mime.fields.encoded_word import CONTROLS, decode_words

_FOLD = re.compile(r"(?:\r\n|\n|\r)(?=[ \t])")


def unfold(value: bytes, hints: Sequence[str] = ()) -> str:
    """A raw value as text on one line: UTF-8 where it is (RFC 6532), else in the charset that `hints` say."""
    text = decode(value, hints=hints, detect=False).text.strip()
    return text if text.isprintable() else CONTROLS.sub(" ", _FOLD.sub("", text))


def parse_unstructured(value: bytes, hints: Sequence[str] = ()) -> str:
    """A raw value as a reader sees it: unfolded, its encoded-words decoded (RFC 2047)."""
    return decode_words(unfold(value, hints), hints)
