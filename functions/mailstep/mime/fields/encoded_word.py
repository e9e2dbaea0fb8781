"""Encoded-words (RFC 2047): text of any character set within a header field."""

import binascii
import re
from collections.abc import Sequence

from mailstep.mime.charsets import decode

CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]+")
"""Control characters but the tab: none of them belongs into a value that was read."""

_ENCODED_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?=")
_BETWEEN_WORDS = re.compile(r"(\?=)[ \t]+(?==\?[^?\s]{1,60}\?[bBqQ]\?)")


def decode_words(value: str, hints: Sequence[str] = ()) -> str:
    """Encoded-words decoded; neighbours of one character set are joined first, for those cut inside a character."""
    if "=?" not in value:
        return value
    pieces: list[str] = []
    pending, charset, at = b"", "", 0
    value = _BETWEEN_WORDS.sub(r"\1", value)
    for word in _ENCODED_WORD.finditer(value):
        octets = _octets(word[2], word[3])
        if octets is None:
            continue
        name = word[1].partition("*")[0].lower()
        if pending and (word.start() != at or name != charset):
            pieces.append(decode(pending, declared=charset, hints=hints, detect=False).text)
            pending = b""
        pieces.append(value[at : word.start()])
        pending, charset, at = pending + octets, name, word.end()
    if pending:
        pieces.append(decode(pending, declared=charset, hints=hints, detect=False).text)
    return CONTROLS.sub(" ", "".join([*pieces, value[at:]]))


def _octets(encoding: str, text: str) -> bytes | None:
    octets = text.encode("utf-8", errors="replace")
    if encoding in "qQ":
        return binascii.a2b_qp(octets.replace(b"_", b" "), header=False)
    try:
        return binascii.a2b_base64(octets + b"=" * (-len(octets) % 4))
    except binascii.Error:
        return None
