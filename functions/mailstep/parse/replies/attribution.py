"""The line above a quote that says who wrote it, and when: "On 5 May 2025 at 10:00, Bob <bob@example.com> wrote:".

Over 300 lines: what such a line may look like is one question, whose parts refer to each other.
"""

import re
from collections.abc import Sequence
from enum import Enum, auto
from typing import NamedTuple

from mailstep.parse.replies import words
from mailstep.parse.replies.marks import ADDRESS

LINES = 5
"""Lines that an attribution takes at most."""
_LINE_CHARACTERS = 400
_CHARACTERS = 800  # of all its lines: names, addresses and a date are shorter, and the search for a verb is slow
_NAME_WORDS = 9
# Words beside the numbers and the address: Gmail has ten in Filipino, and five in lower case in Slovenian.
_WORDS_BESIDE, _LOWER_BESIDE = 12, 5
# Marks of direction (Unicode annex 9), which Gmail puts into attributions in Hebrew and Arabic, and joiners.
_INVISIBLE = dict.fromkeys([*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF])
_RULE = " \t\xa0-‐–—*_~"


def _alternatives(phrases: Sequence[str]) -> str:
    return "|".join(re.escape(phrase) for phrase in sorted(phrases, key=len, reverse=True))


_SPACED_VERBS = _alternatives(words.VERBS).replace(r"\ ", r"\s+")
_VERB = re.compile(
    rf"(?<!\w)(?:{_SPACED_VERBS}|sent(?=\W*$))(?!\w)|{_alternatives(words.VERBS_WITHOUT_SPACES)}", re.IGNORECASE
)
# Searching for a verb is slow, and a text without these words has no verb.
_VERB_WORDS = frozenset(max(re.findall(r"\w+", verb), key=len) for verb in words.VERBS) | {"sent"}
_LAST_WORDS = frozenset(verb.split()[-1] for verb in words.VERBS) | {"sent"}
_ENDS_WITHOUT_SPACES = tuple(words.VERBS_WITHOUT_SPACES)
_TIME = re.compile(r"(?<!\d)\d{1,2}\s?[:.h時点点시]\s?\d{2}(?!\d)|(?<!\d)\d{1,2}\s?(?:[ap]\.?m\b|uhr\b)", re.IGNORECASE)
_DATE = re.compile(
    rf"(?<!\d)(?:19|20)\d\d(?!\d)|(?<!\d)\d{{1,2}}[./-]\s?\d{{1,2}}[./-]\s?\d{{2,4}}(?!\d)|{_TIME.pattern}",
    re.IGNORECASE,
)
_QUOTING = re.compile(rf"[\W_]*(?:{_alternatives(words.QUOTING)})\s", re.IGNORECASE)
# Who wrote and when, as every client writes it: an address in brackets, a day and a time.
_IN_BRACKETS = re.compile(r"[<(][^\s<>()@]{1,100}@[^\s<>()@]{1,200}[>)]")
# Tutanota: "5 May 2025, 10:00 by bob@example.com:".
_ENDS_IN_BARE_ADDRESS = re.compile(r"\d[,.]? [^\W\d]{1,10} [^\s<>()@]{1,100}@[^\s<>()@:]{1,200}\s?[:：]$")
_DAY = re.compile(r"(?<!\d)\d{4}(?!\d)|(?<!\d)\d{1,2}[./-]\s?\d{1,2}[./-]\s?\d{2,4}(?!\d)")
_AFTER_A_WORD = re.compile(r"[^\W\d]\s?:")
_STARTER = re.compile(rf"[\W_]*(?:{_alternatives(words.STARTERS)})(?!\w)|[\W_]*[在於于]", re.IGNORECASE)
_BEGINS_WITH_DATE = re.compile(r"[\W_]*(?:[^\W\d]+[.,]*\s+){0,1}\d")
_BEGINS_WITH_NAME = re.compile(r"([^<>@]{0,100})<[^<>]{0,200}@[^<>]{0,200}>")
_WITHIN_A_LINE = re.compile(r"(?<=[\w.,!?:;)])[\s-]+(?=(?:On|Am|Le|El|Il|Em|Op|Den) (?:\w+[.,]* ){0,2}\d)")
_WORD = re.compile(r"[^\s/]+")
_MARKS = "\"'“”„«»()[]<>,;:：.、，-–—*"  # around a word
# Pronouns that a name says of itself: "Ann Lee (she/her)".
_GIVEN_PRONOUNS = re.compile(r"[(\[][^\W\d]++(?:\s?[/,]\s?[^\W\d]++)+[)\]]")
_INITIAL = "I."
_FIRST_PERSON = ("I", "I'")


class Below(Enum):
    """What comes below a line that may end an attribution."""

    QUOTE = auto()
    EMPTY = auto()
    TEXT = auto()


class Attribution(NamedTuple):
    """Where an attribution begins: the index of its first line, and the column in it where text stands before it."""

    line: int
    column: int = 0


def may_end(stripped: str) -> bool:
    """Whether a line could be the last of an attribution: it ends in a colon, an address, or the verb."""
    if len(stripped) > _LINE_CHARACTERS:
        return False
    end = stripped if stripped[-1].isascii() else _clean(stripped)
    end = end.rstrip(_RULE) or "."
    return (
        end[-1] in ":：>"
        or end.rsplit(None, 1)[-1].casefold().rpartition(">")[2] in _LAST_WORDS
        or end.endswith(_ENDS_WITHOUT_SPACES)
    )


def is_end(line: str) -> bool:
    """Whether a line is the wrapped end of an attribution that begins as a quoted line does: `> wrote:`, `>:`."""
    end = line.lstrip("> ").rstrip(" :：")
    return line.rstrip()[-1] in ":：" and line.count(">") == 1 and (not end or _VERB.fullmatch(end) is not None)


def _find_verb(text: str) -> re.Match[str] | None:
    spaced = not _VERB_WORDS.isdisjoint(re.findall(r"\w+", text.casefold()))
    if spaced or (not text.isascii() and any(verb in text for verb in words.VERBS_WITHOUT_SPACES)):
        return _VERB.search(text)
    return None


def has_sign(line: str) -> bool:
    """Whether a line has what every attribution has in one of its lines: an address or a verb."""
    return len(line) <= _LINE_CHARACTERS and ("@" in line or _find_verb(line) is not None)


def find(lines: Sequence[str], end: int, first: int, below: Below) -> Attribution | None:
    """The attribution that ends in the line `end` and begins in `first` or later; None if no line does.

    It is joined backwards over adjacent lines, as clients wrap it; the shortest that reads as one is taken, and
    is followed up to the word that it starts with.

    Args:
        lines: the text's lines.
        end: the index of the line that it would end in.
        first: the index of the first line that it may have.
        below: what comes below it.
    """
    joined = ""
    line = end
    for _ in range(LINES):
        if len(lines[line]) > _LINE_CHARACTERS:
            return None
        joined = f"{_clean(lines[line])} {joined}".strip()
        if len(joined) > _CHARACTERS:
            return None
        column = _begins_within(joined, lines[line], below)
        if column:
            return Attribution(line, column)
        told = _GIVEN_PRONOUNS.sub("", joined)
        is_known = below is Below.QUOTE and _is_in_any_language(told.strip(_RULE))
        if not joined.startswith(("<", "mailto:")) and (is_known or _is_attribution(told, below)):
            return Attribution(_with_starter(lines, line, first, joined))
        above = line - 1
        if above >= first and not lines[above].strip() and joined.startswith("<"):
            above -= 1  # Polymail leaves a line between name and address
        if above < first or not lines[above].strip() or _ends_sentence(lines[above]):
            return None
        line = above
    return None


def _clean(line: str) -> str:
    return line.translate(_INVISIBLE).strip()


def _ends_sentence(line: str) -> bool:
    last = line.rsplit(None, 1)[-1]
    if last[-1] in ":：" and line.rfind("(") > line.rfind(")"):
        return False  # Hungarian wraps within brackets: "Bob <...> ezt írta (időpont:"
    is_word = len(last) > 5 and last[:-1].islower()  # no abbreviation of a day or a month
    return last[-1] in "!?:：。" or (last[-1] == "." and is_word)


def _with_starter(lines: Sequence[str], line: int, first: int, joined: str) -> int:
    """The line of the starter, where the date is wrapped and its end alone reads as an attribution."""
    if _STARTER.match(joined):
        return line
    dated = _DATE.search(joined) is not None
    begin = line
    for above in range(line - 1, max(first, line - LINES) - 1, -1):
        text = _clean(lines[above])
        if not text or len(text) > _LINE_CHARACTERS or _ends_sentence(text):
            break
        goes_on = text[-1] in ",<" and re.search(r"\d", text)
        by_name = _BEGINS_WITH_NAME.match(text)
        if (
            (_STARTER.match(text) and (goes_on or (not dated and _DATE.search(text))))
            or (by_name and "@" not in joined and _is_whole_name(by_name[1]))
            or (not dated and _is_date_and_name(text))
        ):
            begin = above
    return begin


def _is_date_and_name(text: str) -> bool:
    """Whether a line is a whole date and the beginning of a name: `tor. 3. jūn. 2025, 09:15 lietotājs Bob`."""
    return (
        _BEGINS_WITH_DATE.match(text) is not None
        and _DAY.search(text) is not None
        and _TIME.search(text) is not None
        and _is_name(re.split(r"\d", text)[-1])
    )


def _begins_within(joined: str, line: str, below: Below) -> int:
    """The column where an attribution begins that shares its first line with the text before it; 0 if none does."""
    if not (ADDRESS.search(joined) and _find_verb(joined)):
        return 0
    stripped = line.strip()
    begins = [match.end() for match in _WITHIN_A_LINE.finditer(joined) if match.end() < len(stripped)]
    if not begins or not _is_attribution(joined[begins[-1] :], Below.EMPTY if below is Below.TEXT else below):
        return 0
    return line.index(stripped) + begins[-1] if joined.startswith(stripped) else 0


def _is_attribution(joined: str, below: Below) -> bool:
    """Whether a joined line says who wrote, and when or from which address, and has the form that clients give it."""
    text = joined.strip(_RULE)
    address = ADDRESS.search(text) is not None
    verb = _find_verb(text)
    quoted = below is Below.QUOTE
    dated_address = address and _DATE.search(text) is not None and _ends_in_address(text)
    if verb is None:
        return not _has_pronoun(text) and _is_date_and_address(text, quoted, dated_address)
    writer = _beside_verb(text, verb)
    if _has_pronoun(writer) or _is_name_and_verb(text):
        return not _has_pronoun(writer)
    if not _begins(text, verb) and not (quoted and dated_address):
        name = _VERB.sub(" ", text)
        return quoted and _is_whole_name(name) and (address or not _lower(name) or len(_names(name)) == 1)
    numbers = len(re.findall(r"\d+", text))
    date = numbers > 1 and _DATE.search(text) is not None
    if quoted and (date or (address and numbers)):
        return True
    timed = address and "<" in text and _TIME.search(text) is not None and _STARTER.match(text) is not None
    return (timed or _is_name(writer)) and (quoted or (address and numbers > 0) or (date and below is Below.EMPTY))


def _is_date_and_address(text: str, quoted: bool, dated_address: bool) -> bool:
    """Whether a text without a verb says from which address, and when."""
    begins = _BEGINS_WITH_DATE.match(text) is not None
    if text[-1:] not in ":：":
        return dated_address and quoted and begins
    by_address = bool(quoted and begins and _DATE.search(text) and _ENDS_IN_BARE_ADDRESS.search(text))
    begins = begins or _STARTER.match(text) is not None
    return by_address or (dated_address and (quoted or (begins and _is_name(_before_address(text)))))


def _is_in_any_language(text: str) -> bool:
    """Whether a line above a quote has all that clients write, and hardly a word more, whatever the words are."""
    address = _IN_BRACKETS.search(text)
    if address is None or text[-1] not in ":：":
        return False
    if _QUOTING.match(text):
        return address.end() == len(text.rstrip(" :："))
    outside = f"{text[: address.start()]} {text[address.end() :]}"
    found = " ".join(word for word in _WORD.findall(outside) if not any(character.isdigit() for character in word))
    return (
        _DAY.search(text) is not None
        and _TIME.search(text) is not None
        and _AFTER_A_WORD.search(text[: address.start()]) is None
        and found.count(" ") < _WORDS_BESIDE
        and len(_lower(found)) <= _LOWER_BESIDE
        and not _has_pronoun(found)
    )


def _begins(text: str, verb: re.Match[str]) -> bool:
    """Whether a text begins as an attribution does: with a starter, a date, or the writer's name."""
    by_name = _BEGINS_WITH_NAME.match(text)
    if by_name and _is_whole_name(by_name[1]):
        return True
    return re.search(r"\d", text) is not None and (
        _STARTER.match(text) is not None
        or _BEGINS_WITH_DATE.match(text) is not None
        or _is_whole_name(text[: verb.start()])
        or _is_whole_name(re.split(r"\d", text, maxsplit=1)[0])
    )


def _is_name_and_verb(text: str) -> bool:
    """Whether a text is `Bob Smith <bob@example.com> wrote:`, and nothing else."""
    by_name = _BEGINS_WITH_NAME.match(text)
    return (
        by_name is not None
        and _is_whole_name(by_name[1])
        and _VERB.fullmatch(text[by_name.end() :].strip(" :：")) is not None
    )


def _ends_in_address(text: str) -> bool:
    end = text.rstrip(" \t:：")
    return end[-1:] in ">)]" and "@" in end.rsplit(None, 2)[-1] + end.rsplit("<", 1)[-1]


def _before_address(text: str) -> str:
    return re.split(r"\d", text.rsplit("<", 1)[0])[-1]


def _beside_verb(text: str, verb: re.Match[str]) -> str:
    """What stands between the date and the verb, and after the verb up to a date: the writer's name."""
    before = re.split(r"\d", text[: verb.start()])[-1]
    after = re.split(r"\d", text[verb.end() :])[0]
    return f"{before} , {after}"


def is_writer(line: str) -> bool:
    """Whether a line is a writer's name, an address, or both."""
    return len(line) <= _LINE_CHARACTERS and ("@" in line or _is_whole_name(line)) and _is_name(line)


def _is_whole_name(text: str) -> bool:
    """Whether words are a name and nothing else: no date, and more than an address."""
    return re.search(r"\d", text) is None and any("@" not in word for word in _names(text)) and _is_name(text)


def _is_name(text: str) -> bool:
    """Whether words can be a writer's name: capitals and particles, one word in lower case at most, no pronoun."""
    count, lower = len(_names(text)), len(_lower(text))
    return count <= _NAME_WORDS and lower < 2 and not (lower and count > 5) and not _has_pronoun(text)


def _has_pronoun(text: str) -> bool:
    """Whether a word stands for the writer, and is no part of a name such as Ella Lee, I. Newton, IT Support."""
    found = ["", *(word.strip(_MARKS) if word != _INITIAL else "" for word in _WORD.findall(text)), ""]
    return any(
        word.casefold() in words.PRONOUNS
        and (word[0].islower() or word[:2] in _FIRST_PERSON or not (_is_name_word(before) or _is_name_word(after)))
        for before, word, after in zip(found, found[1:], found[2:], strict=False)
    )


def _is_name_word(word: str) -> bool:
    return word[:1].isupper() or "@" in word


def _lower(text: str) -> list[str]:
    """The words that are in lower case in no name."""
    return [word for word in _names(text) if word[0].islower() and "@" not in word and word not in words.NAME_PARTICLES]


def _names(text: str) -> list[str]:
    found = (word.strip(_MARKS) for word in _WORD.findall(text.replace("mailto:", ""))[: _NAME_WORDS + 1])
    return [word for word in found if word]
