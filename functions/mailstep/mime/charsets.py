"""Octets to text: the declared character set where it fits, else the one that was meant."""

import codecs
import re
from encodings import normalize_encoding
from encodings.aliases import aliases

from charset_normalizer import from_bytes

from mailstep.mime.options import DEFAULTS, Options

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
# The codecs of Python's that are character sets of mail. A sender's label is never looked up elsewhere: others are slow
# on purpose-made text, or decode to what is no text, and Python keeps every label that it could not find.
_CHARSETS = {
    "ascii", "big5", "big5hkscs", "cp037", "cp437", "cp500", "cp720", "cp737", "cp775", "cp850", "cp852", "cp855",
    "cp857", "cp858", "cp860", "cp861", "cp862", "cp863", "cp864", "cp865", "cp866", "cp869", "cp874", "cp932",
    "cp949", "cp950", "cp1006", "cp1026", "cp1125", "cp1140", "cp1250", "cp1251", "cp1252", "cp1253", "cp1254",
    "cp1255", "cp1256", "cp1257", "cp1258", "euc_jis_2004", "euc_jisx0213", "euc_jp", "euc_kr", "gb18030", "gb2312",
    "gbk", "hp_roman8", "hz", "iso2022_jp", "iso2022_jp_1", "iso2022_jp_2", "iso2022_jp_2004", "iso2022_jp_3",
    "iso2022_jp_ext", "iso2022_kr", "iso8859_1", "iso8859_2", "iso8859_3", "iso8859_4", "iso8859_5", "iso8859_6",
    "iso8859_7", "iso8859_8", "iso8859_9", "iso8859_10", "iso8859_11", "iso8859_13", "iso8859_14", "iso8859_15",
    "iso8859_16", "johab", "koi8_r", "koi8_t", "koi8_u", "kz1048", "latin_1", "mac_arabic", "mac_croatian",
    "mac_cyrillic", "mac_farsi", "mac_greek", "mac_iceland", "mac_latin2", "mac_roman", "mac_romanian", "mac_turkish",
    "ptcp154", "shift_jis", "shift_jis_2004", "shift_jisx0213", "tis_620", "utf_16", "utf_16_be", "utf_16_le",
    "utf_32", "utf_32_be", "utf_32_le", "utf_7", "utf_8", "utf_8_sig",
}  # fmt: skip
_LONGEST_LABEL = 60
_SURROGATE = re.compile("[\ud800-\udfff]")


def decode(
    octets: bytes, charset: str, options: Options = DEFAULTS, *, cut: bool = False, guess: bool = False
) -> tuple[str, bool]:
    """Text, and whether the declared character set fits: where it does not, UTF-8 and Windows-1252 are tried.

    `cut` says that the octets may end within a character. `guess` says that they are long enough to guess from, which
    takes milliseconds: a header has room for thousands of words.
    """
    declared = charset.strip().strip("\"'").lower()
    for name in (_MEANT.get(declared, declared), declared):
        codec = _codec(name)
        if codec is None:
            continue
        try:
            return _whole(codec.incrementaldecoder().decode(octets, final=not cut)), True
        except (UnicodeError, ValueError):
            continue
    return _undeclared(octets, options, cut=cut, guess=guess), False


def undeclared(octets: bytes) -> str:
    """Text without a declared character set: UTF-8 where most of it is, else Windows-1252."""
    return _mostly_utf8(octets) or octets.decode("cp1252", errors="replace")


def _codec(charset: str) -> codecs.CodecInfo | None:
    if len(charset) > _LONGEST_LABEL or not charset.isascii():
        return None
    name = normalize_encoding(charset)
    known = aliases.get(name) or aliases.get(name.replace(".", "_")) or name
    return codecs.lookup(known) if known in _CHARSETS else None


def _whole(text: str) -> str:
    """Text without a byte order mark, and without halves of characters, which no JSON can carry."""
    return _SURROGATE.sub("\ufffd", text.removeprefix("\ufeff"))


def _undeclared(octets: bytes, options: Options, *, cut: bool, guess: bool) -> str:
    if (text := _mostly_utf8(octets)) is not None:
        return text.rstrip("\ufffd") if cut else text
    if _is_western(octets):
        return octets.decode("cp1252")
    guess = guess and len(octets) >= options.charset_least
    best = from_bytes(octets[: options.charset_sample]).best() if guess else None
    for name in (best.encoding if best else "cp1252", "cp1252"):
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
