"""Labels of character sets: those of the WHATWG Encoding Standard (section 4.2), and those that mail adds to them."""

import re
from encodings.aliases import aliases
from functools import lru_cache

from webencodings.labels import LABELS

_LONGEST = 60
_WORDS = re.compile(r"[^a-z0-9]+")
_CODEPAGE = re.compile(
    r"(?:x|cs)?(?:windows|win|wincp|cp|ms|mswin|mscp|microsoftcp|microsoft|ansi|ansicp|ibm|dos|oem|codepage)?0*([1-9][0-9]{1,4})"
)
_ISO_8859 = re.compile(r"(?:x|cs)?(?:iso)?8859(?:p|part|cp)?([1-9][0-9]?)(?:[12][09][0-9]{2})?")

# Labels that do not tell the character set.
_SAY_NOTHING = {"", "unknown", "unknown8bit", "xunknown", "8bit", "7bit", "binary", "default", "none", "xuserunknown"}

# Labels of mail, without their punctuation, and the charset of the standard or of Python that they mean.
_OF_MAIL = {
    "ascii": "us-ascii", "usascii": "us-ascii", "csascii": "us-ascii", "us": "us-ascii", "iso646us": "us-ascii",
    "iso646": "us-ascii", "646": "us-ascii", "isoir6": "us-ascii", "ansix34": "us-ascii", "ansix341968": "us-ascii",
    "ansix341986": "us-ascii", "iso646irv": "us-ascii", "iso646irv1991": "us-ascii", "xusascii": "us-ascii",
    "usasciiext": "us-ascii", "ascii8bit": "us-ascii",
    "utf7": "utf-7", "csutf7": "utf-7", "unicode11utf7": "utf-7", "csunicode11utf7": "utf-7", "unicode20utf7": "utf-7",
    "xunicode20utf7": "utf-7", "utf8mb4": "utf-8", "utf8mb3": "utf-8", "utf8mac": "utf-8", "utf8sig": "utf-8",
    "utf8bom": "utf-8", "utf8n": "utf-8", "cesu8": "utf-8", "utf": "utf-8", "utf08": "utf-8", "csutf8": "utf-8",
    "utf16le": "utf-16le", "csutf16le": "utf-16le", "csutf16": "utf-16le", "ucs2le": "utf-16le", "utf16be": "utf-16be",
    "csutf16be": "utf-16be", "ucs2be": "utf-16be", "utf32": "utf-32", "csutf32": "utf-32", "ucs4": "utf-32",
    "iso10646ucs4": "utf-32", "utf32le": "utf-32le", "csutf32le": "utf-32le", "utf32be": "utf-32be",
    "csutf32be": "utf-32be",
    "ansi": "windows-1252", "western": "windows-1252", "latin": "windows-1252", "iso8859": "windows-1252",
    "iso88591windows31latin1": "windows-1252", "iso88591windows30latin1": "windows-1252",
    "iso88592windowslatin2": "windows-1250", "iso88599windowslatin5": "windows-1254", "latin9": "iso-8859-15",
    "latin0": "iso-8859-15", "latin7": "iso-8859-13", "latin8": "iso-8859-14", "latin10": "iso-8859-16",
    "thai": "windows-874", "tis6202533": "windows-874", "tis": "windows-874",
    "iso8859i": "iso-8859-8-i", "visual": "iso-8859-8",
    "iso2022jp1": "iso-2022-jp", "iso2022jp2": "iso-2022-jp", "csiso2022jp2": "iso-2022-jp",
    "iso2022jp3": "iso-2022-jp", "iso2022jp2004": "iso-2022-jp", "iso2022jpext": "iso-2022-jp",
    "iso2022jpms": "iso-2022-jp", "iso2022jpesc": "iso-2022-jp", "iso2022jpmobile": "iso-2022-jp",
    "iso2022jp7": "iso-2022-jp", "iso2022": "iso-2022-jp", "jis": "iso-2022-jp", "jis7": "iso-2022-jp",
    "xjis": "iso-2022-jp", "jisencoding": "iso-2022-jp", "csjisencoding": "iso-2022-jp", "jisms": "iso-2022-jp",
    "jisx0208": "iso-2022-jp",
    "eucjpms": "euc-jp", "eucjpwin": "euc-jp", "eucjpascii": "euc-jp", "ujis": "euc-jp", "eucj": "euc-jp",
    "eucjis": "euc-jp", "eucjis2004": "euc-jp", "eucjisx0213": "euc-jp",
    "sjiswin": "shift_jis", "sjisms": "shift_jis", "shiftjisms": "shift_jis", "mskanji": "shift_jis",
    "windows31j": "shift_jis", "cswindows31j": "shift_jis", "sjisopen": "shift_jis", "xmscp932": "shift_jis",
    "shiftjis2004": "shift_jis", "shiftjisx0213": "shift_jis", "sjis2004": "shift_jis", "pck": "shift_jis",
    "isogb2312": "gbk", "isoirgb2312": "gbk", "euccn": "gbk", "xeuccn": "gbk", "eucgb2312cn": "gbk", "gb": "gbk",
    "gb231280": "gbk", "gb23121980": "gbk", "cngb": "gbk", "cngb231280": "gbk", "hzgb": "hz", "hz": "hz",
    "hzgb2312": "hz", "isoir58": "gbk", "gb180302000": "gb18030", "gb180302005": "gb18030", "gb180302022": "gb18030",
    "big5eten": "big5", "big5hk": "big5", "big5hkscs2004": "big5", "big5hkscs2001": "big5", "big5hkscs1999": "big5",
    "big52003": "big5", "big5uao": "big5", "big5e": "big5", "isobig5": "big5", "zhtwbig5": "big5",
    "uhc": "euc-kr", "ksc5601": "euc-kr", "ksx1001": "euc-kr", "kscomplete": "euc-kr", "isoeuckr": "euc-kr",
    "ksc56011992": "euc-kr", "ksc56011989": "euc-kr", "ksx10011992": "euc-kr", "eucckr": "euc-kr", "5601": "euc-kr",
    "iso2022kr": "iso-2022-kr", "csiso2022kr": "iso-2022-kr", "iso2022cn": "iso-2022-cn",
    "csiso2022cn": "iso-2022-cn", "iso2022cnext": "iso-2022-cn",
    "koi": "koi8-r", "koi8ru": "koi8-u", "koi8uni": "koi8-r", "koi8c": "koi8-r",
    "macroman": "macintosh", "xmacroman": "macintosh", "applemacintosh": "macintosh", "macosroman": "macintosh",
    "maccyrillic": "x-mac-cyrillic", "macukrainian": "x-mac-cyrillic", "macukraine": "x-mac-cyrillic",
    "macce": "mac_latin2", "maccentraleurope": "mac_latin2", "maccentraleurroman": "mac_latin2",
    # As .NET, Java and IANA call them.
    "macjapanese": "shift_jis", "macchinesetrad": "big5", "mackorean": "euc-kr", "macchinesesimp": "gbk",
    "macthai": "windows-874", "macicelandic": "mac_iceland", "chineseeten": "big5", "big5solaris": "big5",
    "ms950hkscs": "big5", "ms9320213": "shift_jis", "sjis0213": "shift_jis", "sjisjp": "shift_jis",
    "ibm942": "shift_jis", "ibm943c": "shift_jis", "cp943c": "shift_jis", "ibm949c": "euc-kr", "ibm1381": "gbk",
    "ibm1383": "gbk", "eucgb": "gbk", "gbk2312": "gbk", "eucjplinux": "euc-jp", "eucjpopen": "euc-jp",
    "extendedunixcodepackedformatforjapanese": "euc-jp", "windowsiso2022jp": "iso-2022-jp",
    "iso2022jpwin": "iso-2022-jp", "iso885915fdis": "iso-8859-15", "amiga1251": "windows-1251",
    "european": "windows-1252", "ia5": "us-ascii", "ksc5636": "us-ascii",
}  # fmt: skip

# Windows code pages that are no label of the standard with a prefix, by their numbers ("Code Page Identifiers").
_CODEPAGES = {
    367: "us-ascii", 708: "iso-8859-6", 819: "windows-1252", 866: "ibm866", 874: "windows-874", 878: "koi8-r",
    912: "iso-8859-2", 914: "iso-8859-4", 915: "iso-8859-5", 916: "iso-8859-8", 920: "windows-1254",
    921: "iso-8859-13", 923: "iso-8859-15", 932: "shift_jis", 936: "gbk", 943: "shift_jis", 949: "euc-kr",
    950: "big5", 951: "big5", 954: "euc-jp", 970: "euc-kr", 1089: "iso-8859-6", 1168: "koi8-u", 1200: "utf-16le",
    1201: "utf-16be", 1208: "utf-8", 1361: "johab", 1363: "euc-kr", 1386: "gbk", 1392: "gb18030",
    10000: "macintosh", 10001: "shift_jis", 10002: "big5", 10003: "euc-kr", 10006: "mac_greek",
    10007: "x-mac-cyrillic", 10008: "gbk", 10017: "x-mac-cyrillic", 10029: "mac_latin2", 10079: "mac_iceland",
    10081: "mac_turkish", 12000: "utf-32le", 12001: "utf-32be", 20127: "us-ascii", 20866: "koi8-r", 20932: "euc-jp",
    20936: "gbk", 20949: "euc-kr", 21866: "koi8-u", 31: "shift_jis", 38596: "iso-8859-6", 38598: "iso-8859-8-i",
    50220: "iso-2022-jp", 50221: "iso-2022-jp", 50222: "iso-2022-jp", 50225: "iso-2022-kr", 50227: "iso-2022-cn",
    50229: "iso-2022-cn", 51932: "euc-jp", 51936: "gbk", 51949: "euc-kr", 52936: "hz", 54936: "gb18030",
    65000: "utf-7", 65001: "utf-8",
    **{number: f"windows-{number}" for number in range(1250, 1259)},
}  # fmt: skip
_ISO_8859_PAGES = range(28591, 28607)  # iso-8859-1 and on

# Python's own character sets that mail is written in, and the standard does not have. A sender's label is never looked
# up elsewhere: other codecs are slow on purpose-made text, or decode to what is no text, and Python keeps every label
# that it could not find.
_OF_PYTHON = {
    "cp037", "cp273", "cp424", "cp437", "cp500", "cp720", "cp737", "cp775", "cp850", "cp852", "cp855", "cp856", "cp857",
    "cp858", "cp860", "cp861", "cp862", "cp863", "cp864", "cp865", "cp869", "cp875", "cp1006", "cp1026", "cp1125",
    "cp1140", "hp_roman8", "johab", "koi8_t", "kz1048", "mac_arabic", "mac_croatian", "mac_farsi", "mac_greek",
    "mac_iceland", "mac_latin2", "mac_romanian", "mac_turkish", "ptcp154",
}  # fmt: skip

# Labels whose text the standard does not show to a browser. Mail readers do.
_REPLACED = {name for name, charset in LABELS.items() if charset == "replacement"}


def _key(label: str) -> str:
    return _WORDS.sub("", label)


_OF_STANDARD = {_key(label): charset for label, charset in LABELS.items() if label not in _REPLACED}
_ALIASES = {
    _key(alias): name for alias, name in (*aliases.items(), *((n, n) for n in _OF_PYTHON)) if name in _OF_PYTHON
}


def charset_of(label: str) -> str | None:
    """The name of the charset that a label means, in lower case, or None if the label is unknown.

    It is the name that the Encoding Standard gives (section 4.2); a charset that only mail has keeps its own name, as
    `us-ascii`, `utf-7`, `hz`, `iso-2022-kr` and Python's code pages do.
    """
    return _charset_of(label.strip(" \t\r\n\f\0\"'").lower()) if len(label) <= _LONGEST and label.isascii() else None


@lru_cache(maxsize=512)
def _charset_of(label: str) -> str | None:
    key = _key(label)
    if key in _OF_MAIL:
        return _OF_MAIL[key]
    for written in (key, key.removeprefix("x"), key.removeprefix("cs"), key.removeprefix("iso")):
        known = LABELS.get(label) if label not in _REPLACED else None
        if known := known or _OF_STANDARD.get(written) or _OF_MAIL.get(written) or _ALIASES.get(written):
            return known
    if (page := _CODEPAGE.fullmatch(key)) and (known := _codepage(int(page[1]))):
        return known
    if part := _ISO_8859.fullmatch(key):
        return _OF_STANDARD.get(f"iso8859{part[1]}")
    return None


def _codepage(number: int) -> str | None:
    if number in _ISO_8859_PAGES:
        return _OF_STANDARD.get(f"iso8859{number - _ISO_8859_PAGES.start + 1}")
    return _CODEPAGES.get(number) or _ALIASES.get(f"cp{number}") or _ALIASES.get(f"cp{number:03}")


def says_nothing(label: str) -> bool:
    """Whether a label only says that the charset is not known (RFC 1428)."""
    return _key(label.lower()) in _SAY_NOTHING
