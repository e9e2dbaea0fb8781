"""Which of two families of encodings short text is in, by the letters of the languages that are written in each.

A list of a few names is too short for a detector's statistics: windows-1252's ñ is windows-1250's ń.
"""

import re
from collections.abc import Mapping

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
}
_CODECS = {
    "windows-1252": "cp1252",
    "windows-1250": "cp1250",
    "iso-8859-2": "iso8859-2",
    "windows-1257": "cp1257",
    "windows-1254": "cp1254",
}
_SAMPLED = 256 * 1024
# Without the signs that stand beside digits: a no-break space, the euro and the pound.
_HIGH = re.compile(rb"[\x81-\x9f\xa1\xa2\xa4-\xff]+")
_WITHIN_WORDS = re.compile(rb"(?<=[A-Za-z])[\x80-\xff]{1,2}(?![\x80-\xff])|(?<![\x80-\xff])[\x80-\xff]{1,2}(?=[a-z])")


def likeliest(octets: bytes, guessed: str) -> str:
    """The encoding in which the letters of the text are those of the fewest languages.

    It is the guessed one if several encodings are as likely, or none fits.
    """
    if guessed not in _FAMILIES and not _is_latin(octets[:_SAMPLED]):
        return guessed
    high = bytes(sorted({*octets[:_SAMPLED]} - {*range(128)}))
    counts = {name: _languages(_letters(high, name), family) for name, family in _FAMILIES.items()}
    known = {name: count for name, count in counts.items() if count is not None}
    fitting = [name for name, count in known.items() if count == min(known.values())]
    return guessed if guessed in fitting or not fitting else fitting[0]


def _is_latin(octets: bytes) -> bool:
    """Whether most octets above ASCII stand alone beside ASCII letters, as in a word such as `Größe`.

    In Chinese they come in pairs and runs, and in Cyrillic in whole words.
    """
    runs = len(_HIGH.findall(octets))
    return runs > 0 and 4 * len(_WITHIN_WORDS.findall(octets)) >= 3 * runs


def _letters(octets: bytes, encoding: str) -> set[str] | None:
    """The letters that the octets are, in lower case; None if they are no text."""
    try:
        text = octets.decode(_CODECS[encoding])
    except UnicodeDecodeError:
        return None
    # The lower case of a capital I with a dot is two characters.
    return {character.lower() for character in text.replace("\u0130", "\u0131") if character.isalpha()}


def _languages(letters: set[str] | None, family: Mapping[str, str]) -> int | None:
    """How many languages of a family have all the letters, as few as a quick search finds; None if some have none."""
    count = 0
    while letters:
        alphabet = max(family.values(), key=lambda each: len(letters & {*each}))
        if not letters & {*alphabet}:
            return None
        letters -= {*alphabet}
        count += 1
    return None if letters is None else count
