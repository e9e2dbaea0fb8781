"""Which of two families of encodings short text is in, by the letters of the languages that are written in each.

A list of a few names is too short for a detector's statistics: windows-1252's ñ is windows-1250's ń.
"""

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
_FAMILIES = {"windows-1252": _WESTERN, "windows-1250": _CENTRAL, "iso-8859-2": _CENTRAL}
_CODECS = {"windows-1252": "cp1252", "windows-1250": "cp1250", "iso-8859-2": "iso8859-2"}
_SAMPLED = 256 * 1024


def likeliest(octets: bytes, guessed: str) -> str:
    """The encoding whose languages have the letters of the text; the guessed one if several have, or none has."""
    if guessed not in _FAMILIES:
        return guessed
    high = bytes(sorted({*octets[:_SAMPLED]} - {*range(128)}))
    fitting = [name for name in _FAMILIES if _fits(high, name)]
    return guessed if guessed in fitting or not fitting else fitting[0]


def _fits(octets: bytes, encoding: str) -> bool:
    """Whether one language has all letters that these octets are."""
    try:
        text = octets.decode(_CODECS[encoding])
    except UnicodeDecodeError:
        return False
    letters = {character.lower() for character in text if character.isalpha()}
    return any(letters <= {*alphabet} for alphabet in _FAMILIES[encoding].values())
