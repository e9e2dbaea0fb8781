"""Chooses the language of a reply: that of the route's setting, or else the message's own."""

import re
from collections.abc import Sequence

from mailstep.contracts import Message
from mailstep.errors import ConfigurationError
from mailstep.telemetry import logger
from mailstep.texts.files import REFERENCE, languages, texts_in

_CHARACTERS = 4_000
"""Characters of a text that are looked at."""
_WORDS = (12, 40, 250)
"""Words that tell the language. More are asked only if the first do not tell: a disclaimer follows below."""
_LEAST = 2
"""Different known words that a text must have."""
_SHARE = 0.2
"""Share of known words: about four of ten words of a letter are among the most frequent."""
_LEAD = 1.5
"""How many times as many of them as of the next language."""
_TAGS = 10
"""Languages of a Content-Language field that are looked at."""
_WORD = re.compile(r"[^\W\d_]+")
# Languages that share words with ours, and have no texts. A text in one of them is in none of ours.
_NEIGHBOURS = tuple(
    set(words.split())
    for words in (
        "het een van niet met voor op dat deze wij graag bedankt groeten hallo bijlage ik je jullie heeft wordt"
        " zijn naar",
        "og er ikke jeg det som til på av med har vi kan venlig hilsen takk tak hej hei vedlagt och inte jag att"
        " är från",
        "che di il gli della delle dei con per non una sono grazie buongiorno cordiali saluti allegato ho abbiamo"
        " vi ci",
        "que não em uma com para os dos das obrigado obrigada olá segue anexo você vocês está são mais bom dia nós meu"
        " por favor esta este sua seu",
        "amb els les per una és gràcies hola bon dia salutacions que del al i adjunt",
        "się nie jest na do i w z proszę dziękuję dzień dobry pozdrawiam załączniku mam że dla",
    )
)


def of_reply(setting: str, message: Message) -> str:
    """The language of what Mailstep itself writes in reply: `setting` is that of the route, empty for the message's."""
    return setting or of_message(message)


def of_message(message: Message) -> str:
    """The language of a message: by its Content-Language (RFC 3282), else by the words of its text, else English.

    Of several languages in the field, it is the first that there are texts in.
    """
    known = _known_words()
    declared = (tag.strip() for field in message.header("Content-Language") for tag in field.split(",", _TAGS))
    for tag in declared:
        # The primary language subtag comes first (RFC 5646 section 2.1).
        if (primary := tag.partition("-")[0].lower()) in known:
            return primary
    return _of_text(message.reply_text or message.text, known) or REFERENCE


def of_text(text: str) -> str:
    """The language of a text, by the most frequent words of each; empty if they do not tell."""
    return _of_text(text, _known_words())


def _of_text(text: str, known: dict[str, set[str]]) -> str:
    words = [word.lower() for word in _WORD.findall(text[:_CHARACTERS])]
    for most in _WORDS:
        if found := _told_by(words[:most], known):
            return found
    return ""


def _known_words() -> dict[str, set[str]]:
    """The words of each language; a language is left out if its file is wrong: nothing could be said in it."""
    known: dict[str, set[str]] = {}
    for language in languages():
        try:
            known[language] = set(str(texts_in(language)["language.words"]).split())
        except ConfigurationError as error:
            logger.error("A language is left out", extra={"fault": str(error)})
    return known


def _told_by(words: Sequence[str], known: dict[str, set[str]]) -> str:
    if len(set(words)) < _LEAST:
        return ""
    counts = {language: _known(words, among) for language, among in known.items()}
    best = max(counts, key=lambda language: counts[language])
    others = [count for language, count in counts.items() if language != best]
    others += [_known(words, neighbour) for neighbour in _NEIGHBOURS]
    is_enough = len(known[best].intersection(words)) >= _LEAST and counts[best] >= _SHARE * len(words)
    return best if is_enough and counts[best] >= _LEAD * max(others) else ""


def _known(words: Sequence[str], among: set[str]) -> int:
    return sum(word in among for word in words)
