"""Octets to text: the declared character set where it fits, else the one that was meant."""

import codecs
import re

from charset_normalizer import from_bytes

from mailstep import bounds

# What the names mean in mail, by the WHATWG Encoding Standard: supersets of what they say.
_MEANT = {
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "iso8859-1": "cp1252",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "ansi_x3.4-1968": "utf-8",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "iso-8859-9": "cp1254",
    "iso-8859-8-i": "iso-8859-8",
    "tis-620": "cp874",
    "unicode": "utf-16",
    "utf8": "utf-8",
    "x-unknown": "utf-8",
    "unknown-8bit": "utf-8",
    "8bit": "utf-8",
    "": "utf-8",
}


_ASCII, _HIGH = bytes(range(128)), bytes(range(128, 256))
# Codecs of Python's that are no character sets of mail: slow on purpose-made text, or with characters that are none.
_NO_CHARSET = {"unicode_escape", "raw_unicode_escape", "punycode", "idna", "undefined", "mbcs", "oem"}
_SURROGATE = re.compile("[\ud800-\udfff]")


def decode(octets: bytes, charset: str, *, cut: bool = False) -> tuple[str, str | None]:
    """Text, and what was wrong where the declared character set does not fit: then UTF-8, then a guess are tried.

    `cut` says that the octets may end within a character. A few words are too little to guess from.
    """
    declared = charset.strip().strip("\"'").lower()
    for name in (_MEANT.get(declared, declared), declared):
        try:
            codec = codecs.lookup(name)
            if codec.name.replace("-", "_") in _NO_CHARSET or not codec._is_text_encoding:
                continue
            return _whole(codec.incrementaldecoder().decode(octets, final=not cut)), None
        except (LookupError, UnicodeError, ValueError, TypeError):
            continue
    return _guessed(octets, cut=cut), f"text is not in the declared character set {declared[:40] or 'us-ascii'!r}"


def undeclared(octets: bytes) -> str:
    """Text of which nobody says what it is in: UTF-8 where most of it is, else Windows-1252."""
    return _mostly_utf8(octets) or octets.decode("cp1252", errors="replace")


def _whole(text: str) -> str:
    """Text without a byte order mark, and without halves of characters, which no JSON can carry."""
    return _SURROGATE.sub("\ufffd", text.removeprefix("\ufeff"))


def _guessed(octets: bytes, *, cut: bool) -> str:
    if (text := _mostly_utf8(octets)) is not None:
        return text.rstrip("\ufffd") if cut else text
    if _is_western(octets):
        return octets.decode("cp1252")
    guess = from_bytes(octets[: bounds.CHARSET_SAMPLE]).best() if len(octets) >= bounds.CHARSET_LEAST else None
    for name in (guess.encoding if guess else "cp1252", "cp1252"):
        try:
            return _whole(octets.decode(name))
        except (LookupError, UnicodeError):
            continue
    return octets.decode("latin-1")


def _mostly_utf8(octets: bytes) -> str | None:
    """UTF-8 with a bad octet here and there is still UTF-8: all else would garble what is good."""
    text = octets.decode("utf-8", errors="replace")
    bad = text.count("\ufffd")
    good = len(text) - bad - len(octets.translate(None, _HIGH))
    return _whole(text) if not bad or good > 4 * bad else None


def _is_western(octets: bytes) -> bool:
    """Few octets above ASCII, each a letter or a mark in Windows-1252, which is what most such mail is in."""
    high = octets.translate(None, _ASCII)
    if len(high) * 5 > len(octets):
        return False
    try:
        return all(character.isprintable() for character in high.decode("cp1252"))
    except UnicodeDecodeError:
        return False
