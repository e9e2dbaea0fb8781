"""The decoders of the WHATWG Encoding Standard (sections 8 to 14), on Python's codecs where those give the same.

A bad octet becomes one U+FFFD. Python's codecs lack characters of vendors, and go out of step where a pair of octets is
no character; `_Handler` gives both what the standard says.
"""

import codecs
import re
from collections.abc import Callable, Mapping
from functools import cache

from webencodings.labels import LABELS

from mailstep.mime.charsets import iso2022

REPLACEMENT = "\ufffd"
Decoder = Callable[[bytes], tuple[str, int]]
"""Octets to text, and how many octets or sequences in them are no character and were replaced."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_HIGH = range(0x80, 0x100)
_NAME_OF_PYTHON = {"windows-874": "cp874", "ibm866": "cp866", "macintosh": "mac_roman",
                   "x-mac-cyrillic": "mac_cyrillic", "iso-8859-8-i": "iso8859_8"}  # fmt: skip
# Where the standard's index differs from Python's codec of that name.
_OTHERWISE = {"koi8-u": {0xAE: "ў", 0xBE: "Ў"}, "windows-1255": {0xCA: "\u05ba"}}

# Index Big5 (section 14.1.1): what Python's big5hkscs lacks, as runs that each begin with a pair of octets.
_BIG5_RUNS = {
    "877a": "㡵𡵓𣚞𦀡㻬𥣞㫵竼龗𤅡𨤍𣇪𠪊𣉞䌊蒄龖鐯䤰蘓墖靊鈘秐稲晠権袝瑌篅枂稬剏遆㓦珄𥶹瓆鿇垳䤯呌䄱𣚎堘穲𧭥讏䚮𦺈䆁𥶙",
    "87d0": "箮𢒼鿈𢓁𢓉𢓌鿉蔄𣖻䂴鿊䓡𪷿拁灮鿋", "8fcb": "覦覩", "92af": "兙兛兝兞", "9cbc": "尐秣",
    "a3c0": "␀␁␂␃␄␅␆␇␈␉␊␋␌␍␎␏␐␑␒␓␔␕␖␗␘␙␚␛␜␝␞␟␡€", "c6de": "〃仝", "fdb7": "沜渝",
}  # fmt: skip
# And single ones.
_BIG5_PAIRS = (
    "8e69 8e6f 8e7e 8eab 8eb4 8ecd 8ed0 8f57 8f69 8f6e 8ffe 906d 907a 90dc 90f1 91bf 9244 92c8 92d1 9447 94ca 95d9"
    " 9644 96ed 96fc 9b76 9b78 9b7b 9bc6 9bde 9bec 9bf6 9c42 9c53 9c62 9c68 9c6b 9c77 9cd0 9d57 9d5a 9dc4 9ea9 9eef"
    " 9efd 9f60 9f66 9fcb 9fd8 a063 a077 a0d5 a0df a0e4 c6cf c6d3 c6d5 c6d7 fa5f fa66 fabd fac5 fad5 fb48 fbb8 fbf3"
    " fbf9 fc4f fc6c fcb9 fce2 fcf1 fdbb fdf1 fe52 fe6f feaa fedd"
)
_BIG5_CHARACTERS = (
    "箸簆糎緒縝者耨菁蒨萏起都銹靜響鼖蔃鍮瑹浧禛邗靝瀞嬨爁矗纇駖釔惞澶輶侻營鄄鷰菏婧輋筑拐恢痹汊鬮鼗僭弌蠏拎瑨煢牐廴无癶隶"
    "倩偽包卄卿嘅婷幵廐彘悤撐晴杞港煮猪瑜瓩砉"
)
# A241 and A242, thin slashes, stay the wide ones of A1FE and A240: Python's text does not tell them apart.
_BIG5_INSTEAD = str.maketrans("•､‾\u223c♁☉¥¢£", "‧﹑¯\uff5e⊕⊙￥￠￡")
# Index gb18030 (section 11.1.2): characters that Unicode has taken up since Python's codec was made.
_GB18030_INSTEAD = str.maketrans(
    "\ue5e5\ue78d\ue78e\ue78f\ue790\ue791\ue792\ue793\ue794\ue795\ue796\ue7c7\ue81e\ue826\ue82b\ue82c\ue832\ue843\ue854"
    "\ue864",
    "\u3000︐︒︑︓︔︕︖︗︘︙\u1e3f龴龵龶龷龸龹龺龻",
)
# Index jis0208 (section 13.1): that of Windows, where Python's EUC-JP has JIS X 0208's own.
_JIS0208_INSTEAD = str.maketrans("〜‖\u2212¢£¬", "\uff5e∥\uff0d￠￡￢")
_NO_CHARACTER = str.maketrans(dict.fromkeys("\uf8f0\uf8f1\uf8f2\uf8f3", REPLACEMENT))


Vendor = Callable[[bytes], tuple[str, int] | None]
"""The character that a vendor has at the beginning of octets, and how many octets it takes."""


def _big5(octets: bytes) -> tuple[str, int] | None:
    character = _big5_pairs().get(octets[:2])
    return (character, 2) if character else None


@cache
def _big5_pairs() -> Mapping[bytes, str]:
    pairs = {
        bytes.fromhex(pair): character for pair, character in zip(_BIG5_PAIRS.split(), _BIG5_CHARACTERS, strict=True)
    }
    for begin, characters in _BIG5_RUNS.items():
        lead, first = bytes.fromhex(begin)
        # Trail octets are 40 to 7E and A1 to FE (section 14.1).
        trails = [trail for trail in (*range(0x40, 0x7F), *range(0xA1, 0xFF)) if trail >= first]
        pairs |= {bytes([lead, trail]): character for trail, character in zip(trails, characters, strict=False)}
    return pairs


def _jis0208(octets: bytes) -> tuple[str, int] | None:
    """A pair of EUC-JP that only Windows-31J has: its index is the standard's."""
    if len(octets) < 2 or not (0xA1 <= octets[0] <= 0xFE and 0xA1 <= octets[1] <= 0xFE):
        return None
    lead, second = divmod(octets[0] - 0xA1, 2)
    trail = octets[1] - 0xA1 + 94 * second
    pair = bytes([lead + (0x81 if lead < 0x1F else 0xC1), trail + (0x40 if trail < 0x3F else 0x41)])
    try:
        return pair.decode("cp932"), 2
    except UnicodeDecodeError:
        return None


def _euro(octets: bytes) -> tuple[str, int] | None:
    return ("€", 1) if octets[0] == 0x80 else None


def _none(_: bytes) -> None:
    return None


class _Handler:
    """Decides what a codec puts in place of octets that are not a character (`codecs.register_error`)."""

    def __init__(self, name: str, bad: bytes, vendor: Vendor = _none) -> None:
        """`bad` matches octets that together are one bad character: a lead octet takes no ASCII with it."""
        self.name = f"mailstep.{name}"
        self._bad, self._vendor = re.compile(bad), vendor
        codecs.register_error(self.name, self)

    def __call__(self, error: UnicodeError) -> tuple[str, int]:
        if not isinstance(error, UnicodeDecodeError):
            raise error
        if found := self._vendor(error.object[error.start : error.start + 2]):
            return found[0], error.start + found[1]
        sequence = self._bad.match(error.object, error.start)
        return REPLACEMENT, sequence.end() if sequence else error.start + 1


def _multi_byte(codec: str, handler: _Handler, instead: Mapping[int, str | int] | None = None) -> Decoder:
    def decode(octets: bytes) -> tuple[str, int]:
        text = octets.decode(codec, handler.name)
        text = text.translate(instead) if instead else text
        return text, text.count(REPLACEMENT)

    return decode


def _single_byte(charset: str) -> Decoder:
    """The standard's windows charsets have no gap between 80 and 9F, and Python's do."""
    ascii_half = "".join(map(chr, range(0x80)))
    codec = _NAME_OF_PYTHON.get(charset, charset)
    high = [bytes([octet]).decode(codec, "replace") for octet in _HIGH]
    if charset.startswith("windows-"):
        high[:0x20] = [chr(octet) if c == REPLACEMENT else c for octet, c in zip(range(0x80, 0xA0), high, strict=False)]
    for octet, character in _OTHERWISE.get(charset, {}).items():
        high[octet - 0x80] = character
    return _by_table(ascii_half + "".join(high))


def _by_table(table: str) -> Decoder:
    def decode(octets: bytes) -> tuple[str, int]:
        text = codecs.charmap_decode(octets, "strict", table)[0]
        return text, text.count(REPLACEMENT)

    return decode


def _of_python(codec: str) -> Decoder:
    """A codec whose own character set may have U+FFFD: what was replaced is what `strict` does not read."""

    def decode(octets: bytes) -> tuple[str, int]:
        try:
            text, bad = octets.decode(codec), 0
        except UnicodeError:
            text = octets.decode(codec, "replace")
            bad = text.count(REPLACEMENT) or 1
        try:
            text.encode()
        except UnicodeEncodeError:
            # Halves of characters, which no JSON can carry.
            text, halves = _SURROGATE.subn(REPLACEMENT, text)
            return text, bad + halves
        return text, bad

    return decode


def _gb18030(octets: bytes) -> tuple[str, int]:
    text, replaced = _GB18030(octets)
    return text, max(0, replaced - octets.count(b"\x84\x31\xa4\x37"))  # which is U+FFFD itself


def _euc_jp(octets: bytes) -> tuple[str, int]:
    return _EUC_JP(octets.replace(b"\x8f\xa2\xb7", b"\xa1\xc1"))  # a wide tilde, which Python has as ASCII


def _iso_2022(shifted: str = "") -> Decoder:
    def decode(octets: bytes) -> tuple[str, int]:
        text = iso2022.decode(octets, lambda charset, some: decoder(charset)(some)[0], shifted)
        return text, text.count(REPLACEMENT)

    return decode


_PAIR = rb"[\x81-\xfe][\x80-\xff]"
_GB18030 = _multi_byte("gb18030", _Handler("gb18030", _PAIR, _euro), _GB18030_INSTEAD)
_EUC_JP = _multi_byte(
    "euc_jp", _Handler("euc-jp", rb"\x8f[\x80-\xff]{1,2}|[\x8e\xa1-\xfe][\x80-\xff]", _jis0208), _JIS0208_INSTEAD
)
_SHIFT_JIS = _Handler("shift_jis", rb"[\x81-\x9f\xe0-\xfc][\x80-\xff]")
_SPECIAL: dict[str, Decoder] = {
    "shift_jis": _multi_byte("cp932", _SHIFT_JIS, _NO_CHARACTER),
    "euc-jp": _euc_jp,
    "euc-kr": _multi_byte("cp949", _Handler("euc-kr", _PAIR)),
    "big5": _multi_byte("big5hkscs", _Handler("big5", _PAIR, _big5), _BIG5_INSTEAD),
    "gbk": _gb18030,
    "gb18030": _gb18030,
    "x-user-defined": _by_table("".join(map(chr, (*range(0x80), *range(0xF780, 0xF800))))),
    "iso-2022-jp": _iso_2022(),
    "iso-2022-kr": _iso_2022("C"),
    "iso-2022-cn": _iso_2022("A"),
}
_WIDE = {"utf-8", "utf-16le", "utf-16be"}


@cache
def decoder(charset: str) -> Decoder:
    """The decoder of a charset that `labels.charset_of` names."""
    if charset in _SPECIAL:
        return _SPECIAL[charset]
    if charset in LABELS and charset not in _WIDE:
        return _single_byte(charset)
    return _of_python(charset)
