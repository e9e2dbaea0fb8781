"""Which of two families of encodings short text is in, by the letters of the languages that are written in each.

A list of a few names is too short for a detector's statistics: windows-1252's ñ is windows-1250's ń.
"""

from collections.abc import Iterable

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
_FAMILIES = {"windows-1252": _WESTERN, "windows-1250": _CENTRAL, "iso-8859-2": _CENTRAL, "windows-1257": _BALTIC}
_CODECS = {
    "windows-1252": "cp1252",
    "windows-1250": "cp1250",
    "iso-8859-2": "iso8859-2",
    "windows-1257": "cp1257",
}
_SAMPLED = 256 * 1024


def likeliest(octets: bytes, guessed: str) -> str:
    """The encoding whose languages have the letters of the text: one language, or else several of one family.

    It is the guessed one if several encodings fit, or none does.
    """
    if guessed not in _FAMILIES:
        return guessed
    high = bytes(sorted({*octets[:_SAMPLED]} - {*range(128)}))
    letters = {name: _letters(high, name) for name in _FAMILIES}
    by_language = [name for name, found in letters.items() if _is_in_one(found, _FAMILIES[name].values())]
    by_family = [name for name, found in letters.items() if _is_in_one(found, ["".join(_FAMILIES[name].values())])]
    fitting = by_language or by_family
    return guessed if guessed in fitting or not fitting else fitting[0]


def _letters(octets: bytes, encoding: str) -> set[str] | None:
    """The letters that the octets are, in lower case; None if they are no text."""
    try:
        text = octets.decode(_CODECS[encoding])
    except UnicodeDecodeError:
        return None
    return {character.lower() for character in text if character.isalpha()}


def _is_in_one(letters: set[str] | None, alphabets: Iterable[str]) -> bool:
    return letters is not None and any(letters <= {*alphabet} for alphabet in alphabets)
