"""Octets to text: the declared character set where it fits, else the one that was meant."""

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


_ASCII = bytes(range(128))


def decode(octets: bytes, charset: str) -> tuple[str, str | None]:
    """Text, and what was wrong where the declared character set does not fit: then UTF-8, then a guess are tried."""
    declared = charset.strip().strip("\"'").lower()
    for name in (_MEANT.get(declared, declared), declared):
        try:
            return octets.decode(name), None
        except (LookupError, UnicodeError, ValueError):
            continue
    return _guessed(octets), f"text is not in the declared character set {declared[:40] or 'us-ascii'!r}"


def _guessed(octets: bytes) -> str:
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        pass
    if _is_western(octets):
        return octets.decode("cp1252")
    guess = from_bytes(octets[: bounds.CHARSET_SAMPLE]).best()
    for name in (guess.encoding if guess else "cp1252", "cp1252"):
        try:
            return octets.decode(name)
        except (LookupError, UnicodeError):
            continue
    return octets.decode("latin-1")


def _is_western(octets: bytes) -> bool:
    """Few octets above ASCII, each a letter or a mark in Windows-1252, which is what most such mail is in."""
    high = octets.translate(None, _ASCII)
    if len(high) * 5 > len(octets):
        return False
    try:
        return all(character.isprintable() for character in high.decode("cp1252"))
    except UnicodeDecodeError:
        return False
