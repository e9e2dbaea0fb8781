"""Which encoding short text is in, by what makes words of it: letters of few languages, no signs or capitals within.

A list of a few names is too short for a detector's statistics: windows-1252's ñ is windows-1250's ń.
"""

import re
from collections.abc import Mapping
from itertools import pairwise

# Letters beyond ASCII in lower case (Unicode CLDR, exemplar characters).
_WESTERN = {
    "da, nb": "æøåéóòêô",
    "de": "äöüßé",
    "en": "éèïöôçñà",
    "es, ca": "áéíóúüñàèòçï",
    "fi, sv": "åäöéàüš",
    "fr": "àâæçéèêëîïôœùûüÿ",
    "is": "áðéíóúýþæö",
    "it": "àéèìîóòù",
    "nl": "áäéëíïóöúüèêçñ",
    "pt": "áàâãçéêíóòôõúüª\u00ba",
}
_CENTRAL = {
    "cs": "áčďéěíňóřšťúůýž",
    "hr, sl, sr": "čćđšž",
    "hu": "áéíóöőúüű",
    "pl": "ąćęłńóśźż",
    "ro": "ăâîşţ",
    "sk": "áäčďéíĺľňóôŕšťúýž",
    "sq": "çë",
    "de": "äöüßé",
}
_BALTIC = {"et": "äõöüšž", "lt": "ąčęėįšųūž", "lv": "āčēģīķļņšūž"}
_TURKISH = {"tr": "çğıöşüâîû", "en": "éèïö"}
_FAMILIES = {
    "windows-1252": _WESTERN,
    "windows-1250": _CENTRAL,
    "iso-8859-2": _CENTRAL,
    "windows-1257": _BALTIC,
    "windows-1254": _TURKISH,
    "cp850": _WESTERN,
    "macintosh": _WESTERN,
    "cp852": _CENTRAL,
}
_OLD = {"cp850", "cp852", "macintosh"}
_CODECS = {
    "windows-1252": "cp1252",
    "windows-1250": "cp1250",
    "iso-8859-2": "iso8859-2",
    "windows-1257": "cp1257",
    "windows-1254": "cp1254",
    "cp850": "cp850",
    "cp852": "cp852",
    "macintosh": "mac_roman",
}
# Signs beyond ASCII in front of words, behind them, and within: quotation marks, units, ordinals, apostrophes.
_BEFORE = (
    "\u201c\u201e\u201a\u2018\u00ab\u2039\u00bf\u00a1\u00a7\u00a9\u2013\u2014"
    + "\u20ac\u00a3\u00b0\u00b1\u00d7\u00bc\u00bd\u00be"
)
_BEHIND = "\u2026\u201d\u201c\u2019\u00bb\u203a\u2122\u00ae\u00b0\u2013\u2014\u20ac\u00b9\u00b2\u00b3"
_IN_WORDS = "\u2019\u00b4\u00b7\u00ad\u00aa\u00ba"
_SAMPLED = 64 * 1024
_DASH = re.compile("[\u2013\u2014](?![a-z])")  # in `Paris\u2013Lyon`
_LETTER = re.compile("[A-Za-z]")
_WORDS = re.compile(r"[^\s\x00-@\[-`{-\x7f]+")
# A single one that stands alone tells nothing: it may be a sign. So may a no-break space, a euro or a pound.
_HIGH = re.compile(rb"[\x81-\x9f\xa1\xa2\xa4-\xff]{2,}|(?<=[A-Za-z])[\x80-\xff]|[\x80-\xff](?=[A-Za-z])")
_WITHIN_WORDS = re.compile(rb"(?<=[A-Za-z])[\x80-\xff]{1,2}(?![\x80-\xff])|(?<![\x80-\xff])[\x80-\xff]{1,2}(?=[a-z])")


def likeliest(octets: bytes, guessed: str) -> str:
    """The encoding in which the letters of the text are those of the fewest languages.

    It is the guessed one if several encodings are as likely, or none fits.
    """
    sample = b"\n".join(line for line in octets.splitlines() if not line.isascii())[:_SAMPLED]
    if guessed not in _FAMILIES and not _is_latin(sample):
        return guessed
    counts = {name: _languages(_letters(sample, name), family) for name, family in _FAMILIES.items()}
    known = {name: count for name, count in counts.items() if count is not None}
    # DOS and the old Macintosh are long gone: their encodings count if no other fits.
    known = {name: count for name, count in known.items() if name not in _OLD} or known
    fitting = [name for name, count in known.items() if count == min(known.values())]
    return guessed if guessed in fitting or not fitting else fitting[0]


def _is_latin(octets: bytes) -> bool:
    """Whether most octets above ASCII stand alone beside ASCII letters, as in a word such as `Größe`.

    In Chinese they come in pairs and runs, and in Cyrillic in whole words.
    """
    runs = len(_HIGH.findall(octets))
    return runs > 0 and 4 * len(_WITHIN_WORDS.findall(octets)) >= 3 * runs


def _letters(octets: bytes, encoding: str) -> set[str] | None:
    """The letters beyond ASCII that the octets are, in lower case; None if they are no words."""
    try:
        text = octets.decode(_CODECS[encoding])
    except UnicodeDecodeError:
        return None
    # The lower case of a capital I with a dot is two characters.
    pieces = _DASH.sub(" ", text.replace("\u0130", "I"))
    words = {word.lstrip(_BEFORE).rstrip(_BEHIND) for word in _WORDS.findall(pieces)}
    words = {word.replace("\u00b5", "") for word in words if not word.isascii() and _LETTER.search(word)}
    if not all(map(_is_spelt, words)):
        return None
    return {
        character.lower() for word in words for character in word if character.isalpha() and not character.isascii()
    }


def _is_spelt(word: str) -> bool:
    """Whether only letters are in it, and no capital is behind a small one: `A¤o` and `MalmÜ` are no words."""
    return all(character.isalpha() or character in _IN_WORDS for character in word) and not any(
        before.islower() and after.isupper() for before, after in pairwise(word)
    )


def _languages(letters: set[str] | None, family: Mapping[str, str]) -> int | None:
    """How many languages it takes to have all the letters, by a quick search; None if a letter is in none of them."""
    count = 0
    while letters:
        alphabet = max(family.values(), key=lambda each: len(letters & {*each}))
        if not letters & {*alphabet}:
            return None
        letters -= {*alphabet}
        count += 1
    return None if letters is None else count
