"""Unstructured values (RFC 5322 section 2.2.1), as of Subject; and unfolding (section 2.2.3), which all values need."""

import re

from mailstep.mime.charsets import undeclared
from mailstep.mime.fields.encoded_word import CONTROLS, decode_words

_FOLD = re.compile(r"(?:\r\n|\n|\r)(?=[ \t])")


def unfold(value: bytes) -> str:
    """A raw value as text on one line: UTF-8 where it is (RFC 6532), else Windows-1252, which reads any octet."""
    text = undeclared(value).strip()
    return text if text.isprintable() else CONTROLS.sub(" ", _FOLD.sub("", text))


def parse_unstructured(value: bytes) -> str:
    """A raw value as a reader sees it: unfolded, its encoded-words decoded (RFC 2047)."""
    return decode_words(unfold(value))
