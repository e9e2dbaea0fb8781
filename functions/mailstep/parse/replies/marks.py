"""Recognises a line, or a block of lines, by its form: a separator, a header, a signature, a list's footer."""

import re
from collections.abc import Sequence
from enum import Enum, auto

from mailstep.parse.replies import words

_SEPARATOR = re.compile(r"[\s>*]*(?:[-_=‐–—~]\s?){2,}[\s*]*([^\W\d_][^:\n]{2,80}?)[\s*]*[-_=‐–—~:\s*]*")
_BEFORE_FIELDS = re.compile(r"\s*[-_=]{3,}\s*([^\W\d_][^-:\n]{2,60}?)\s*[-_=]{3,}\s+(?=\S)")
_BEGINS = re.compile(r"[\s>*]*([^\W\d_][^:\n]{2,60}?)\s*[:：][\s*]*")
# GroupWise: ">>> Bob <bob@example.com> 5/5/2025 10:00 AM >>>"; Notes: "-----Bob/ACME wrote: -----".
_GROUPWISE = re.compile(
    r">>> ?\"?[^\W\d_][^<>\n]{1,80}(?:<[^<>\s]{3,200}>)?[^<>\n]{0,40}\d{1,2}[:.]\d{2}[^<>\n]{0,12}>>>"
)
_GROUPWISE_ATTRIBUTION = re.compile(
    r">>> ?[^\W\d_]\w{0,5} \d{1,4}[./-]\d{1,2}[./-]\d{2,4} [^<>\n]{0,20}\d{1,2}[:.]\d{2}"
)
_NOTES = re.compile(r"[-_]{3,} ?([^\W_][^\n]{1,120}):\s*[-_]{3,}")
# "Bob ---05/05/2025 10:00:00 AM---Hello Ann, the lamps": Notes puts the beginning of the message above its header.
_NOTES_HEADING = re.compile(
    r"\"?[^\W\d_][^\n]{0,100}? ?---\d{1,4}[./-]\d{1,2}[./-]\d{2,4} \d{1,2}[:.]\d{2}[^\n-]{0,12}---[^\n]*"
)
_DATE_ALONE = re.compile(
    r"\d{1,4}[./-]\d{1,2}[./-]\d{2,4},? \d{1,2}[:.]\d{2}(?:[:.]\d{2})?(?: [AaPp]\.?[Mm]\.?)?(?: [A-Z]{2,5})?"
)
_NOTES_LINES = 15
_DRAWN_HEADING = re.compile(r"[-_=]{3,} ?(?:[^\W_][^\s:]{0,30} ){0,4}[^\W_][^\s:]{0,30}? ?[-_=]{3,}")
_RULE = re.compile(r"[\s>]*[-_=*~#+‐–—―─]{2,}[\s*]*|[\s>]*(?:[-_=*~‐–—] ?){3,}[\s*]*")
# Outlook puts marks of direction into its header in Hebrew and Arabic.
_AROUND_FIELD = r"[*_\s\u200e\u200f\u202a-\u202e\u2066-\u2069]"
_FIELD = re.compile(rf"{_AROUND_FIELD}*+([^\W\d][^:：\n*]{{0,24}}?){_AROUND_FIELD}*+[:：]{_AROUND_FIELD}*")
# Fields that no client shows: with them, a header was pasted or returned as it was sent, and its text belongs to it.
_SENT = re.compile(
    r"(?:received|return-path|message-id|mime-version|in-reply-to|references|delivered-to|authentication-results"
    r"|dkim-signature|content-[a-z-]+|list-[a-z-]+|x-[a-z0-9-]+)\s*:",
    re.IGNORECASE,
)
ADDRESS = re.compile(r"(?<=[^\s<(\[])@\w")
"""An @ within a word, as in an address."""
_DATED = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)|(?<!\d)\d{1,2}[:.]\d{2}(?!\d)")
_YEAR, _TIME = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)"), re.compile(r"(?<!\d)\d{1,2}[:.]\d{2}(?!\d)")
_KINDS = {name.casefold(): kind for kind, names in words.FIELDS.items() for name in names}
_FIELD_AND_REST = 3  # lines that a field is folded to
_LINE_CHARACTERS = 200
_MOBILE_CHARACTERS = 140
_AROUND = "<>()[]*_-–—• \u200b\ufeff"
_MOBILE_BEGINS = frozenset(phrase[:2] for phrase in words.MOBILE)
_MOBILE_ENDS = frozenset(phrase[-2:] for phrase in words.MOBILE_ENDINGS)
_LINKS = re.compile(r"\(?<?https?:[^\s>)]*[>)]?|<mailto:[^>]*>|[^\s<(\[]+\.(?:com|net|org)/\S*")
_CLAUSE = re.compile(r",|\s[-–—]\s")
_YAHOO = re.compile(r"yahoo mail ?: ?\w+[,،、] ?\w+[,،、] ?\w+")
_LIST_FOOTER_LINES = 4
_DEVICES = ("iphone", "ipad", "android", "blackberry", "outlook")


class Separator(Enum):
    """What a separator announces."""

    ORIGINAL = auto()
    FORWARDED = auto()


class Hint(Enum):
    """What a mail client's HTML says of a line. It helps where the line's words do not, and decides nothing alone."""

    ATTRIBUTION = auto()
    HEADER = auto()
    SIGNATURE = auto()


def separator(line: str) -> Separator | None:
    """What a line such as `-----Original Message-----` announces; None if it is no such line."""
    before_fields = _BEFORE_FIELDS.match(line)
    if before_fields and field_kind(line[before_fields.end() :]):
        return _announced(before_fields[1])  # Yahoo's own text runs all into one line
    if len(line) > _LINE_CHARACTERS:
        return None
    # QQ writes the spaces of its HTML into its text as they are.
    line = line.replace("&nbsp;", " ")
    if is_groupwise(line) or _is_notes(line):
        return Separator.ORIGINAL
    dashed = _SEPARATOR.fullmatch(line)
    if dashed:
        return _announced(dashed[1])
    begins = _BEGINS.fullmatch(line)
    return Separator.FORWARDED if begins and _phrase(begins[1]) in words.BEGIN_FORWARDED else None


def is_groupwise(line: str) -> bool:
    """Whether it is the line that GroupWise puts above a message that is answered. It looks like a quote of quotes."""
    return line.startswith(">>>") and _GROUPWISE.fullmatch(line.rstrip()) is not None


def is_groupwise_attribution(line: str) -> bool:
    """Whether an attribution of GroupWise begins here: `>>> On 5/5/2025 at 10:00 AM, in message`."""
    return line.startswith(">>>") and _GROUPWISE_ATTRIBUTION.match(line) is not None


def _is_notes(line: str) -> bool:
    said = _NOTES.fullmatch(line.rstrip())
    return said is not None and said[1].casefold().endswith(words.VERBS)


def _announced(announcement: str) -> Separator | None:
    phrase = _phrase(announcement)
    if phrase in words.ORIGINAL:
        return Separator.ORIGINAL
    by_somebody = phrase.startswith(("forwarded by ", "weitergeleitet von ", "transféré par "))
    return Separator.FORWARDED if by_somebody or phrase in words.FORWARDED else None


def is_heading(line: str) -> bool:
    """Whether a line above a header is a client's, drawn or not: `Original Message:`, `----- Post original -----`."""
    if len(line) > _LINE_CHARACTERS:
        return _NOTES_HEADING.match(line, 0, _LINE_CHARACTERS) is not None
    begins = _BEGINS.fullmatch(line)
    is_announced = begins is not None and _announced(begins[1]) is not None
    return is_announced or any(heading.fullmatch(line) for heading in (_RULE, _DRAWN_HEADING, _NOTES_HEADING))


def is_rule(line: str) -> bool:
    """Whether a line is drawn, not written."""
    return len(line) <= _LINE_CHARACTERS and _RULE.fullmatch(line) is not None


def field_kind(line: str) -> str | None:
    """The kind of the field of a quoted header that a line begins with (words.FIELDS), None for any other line."""
    field = _FIELD.match(line)
    if field is None:
        return None
    name = _phrase(field[1])
    # Chinese clients put spaces into short names, to align them.
    return _KINDS.get(name) or (None if name.isascii() else _KINDS.get(name.replace(" ", "")))


def is_header_block(lines: Sequence[str], start: int) -> bool:
    """Whether the header of a quoted message begins here: three kinds of fields, From and Subject among them.

    It must also show an address or a date, or have the four fields that every client writes. A kind that comes again
    ends it. A field that no client writes makes it a form, unless nothing is missing. If it says a day and a time, it
    may be the date in another language, but only beside an address: people write "Departure: 5 May 2025 10:00", too.
    A header as it was sent, with Received or Message-ID, is no such block.
    """
    kinds: dict[str, str] = {}
    last = ""
    folded = 0
    needs_address = False
    above = lines[start - 1] if start else ""
    if _SENT.match(above) or field_kind(above):
        return False
    is_form = _FIELD.match(above) is not None and field_kind(above) is None and not above.rstrip().endswith(":")
    for at in range(start, min(start + 10 * _FIELD_AND_REST, len(lines))):
        line = lines[at]
        if _SENT.match(line):
            return False
        kind = field_kind(line)
        if kind is None and kinds and "date" not in kinds and _is_dated_field(line):
            kind, needs_address = "date", True
        if kind in kinds:
            break
        if kind:
            last, folded = kind, 0
            kinds[kind] = line
        elif not line.strip():
            if at + 1 == len(lines) or not field_kind(lines[at + 1]):
                break
        else:
            folded += 1
            if folded == _FIELD_AND_REST:
                break
            is_form = is_form or (_FIELD.match(line) is not None and "http" not in line and "mailto:" not in line)
            kinds[last] += f" {line}"
    if not (len(kinds) > 2 and "from" in kinds and "subject" in kinds):
        return False
    has_all = "date" in kinds and "to" in kinds
    address = any(ADDRESS.search(kinds.get(kind, "")) for kind in ("from", "to", "cc", "reply-to"))
    dated = _DATED.search(kinds.get("date", "")) is not None
    if is_form:
        return has_all and address and dated
    return address or (not needs_address and (dated or has_all))


def _is_dated_field(line: str) -> bool:
    """Whether a field says a day and a time, in whatever language."""
    return _FIELD.match(line) is not None and _YEAR.search(line) is not None and _TIME.search(line) is not None


def is_notes_header(lines: Sequence[str], start: int) -> bool:
    """Whether the rest of a header of Notes begins here: below the writer, a date, To and Subject, without colons."""
    if _DATE_ALONE.fullmatch(lines[start].strip()) is None:
        return False
    below = [line for line in lines[start + 1 : start + _NOTES_LINES] if line.strip()]
    kinds = [field_kind(line) or _KINDS.get(_phrase(line.partition("\t")[0])) for line in below]
    return kinds[:1] == ["to"] and "subject" in kinds


def has_fields(lines: Sequence[str], start: int) -> bool:
    """Whether a block of fields begins here, in whatever language: three lines in a row."""
    below = [line for line in lines[start : start + 6] if line.strip()]
    return len(below) > 2 and all(_FIELD.match(line) for line in below[:3])


def is_delimiter(stripped: str) -> bool:
    """Whether a line begins a signature (RFC 3676 section 4.3), its space lost or not."""
    return stripped == "--"


def keeps_space(line: str) -> bool:
    """Whether a signature's delimiter is the one of RFC 3676: `-- `."""
    return line[-1].isspace()


def may_be_mobile(stripped: str) -> bool:
    """Whether `is_mobile` is worth asking: by the letters that a line begins and ends with."""
    begin = stripped if stripped[0].isalnum() else stripped.lstrip(_AROUND)
    end = stripped if stripped[-1].isalnum() else stripped.rstrip(_AROUND)
    letters = begin[:2].casefold()
    return letters[:2] in _MOBILE_BEGINS or letters[:1] in _MOBILE_BEGINS or end[-2:].casefold()[-2:] in _MOBILE_ENDS


def is_mobile(stripped: str) -> bool:
    """Whether a line is what a telephone or an app puts below a text, such as "Sent from my iPhone"."""
    if len(stripped) > _MOBILE_CHARACTERS:
        return False
    line = stripped.casefold().strip(_AROUND).replace("’", "'")
    if not (line.startswith(words.MOBILE) or line.endswith(words.MOBILE_ENDINGS)):
        return False
    plain = _LINKS.sub(" ", stripped).strip(_AROUND)
    sentence, _, rest = plain.partition(". ")
    if rest and not rest.casefold().lstrip().startswith(words.MOBILE_EXCUSES):
        return False
    sentence, clause = [*_CLAUSE.split(sentence, maxsplit=1), ""][:2]
    if any(_names_device(word) for word in _words_of(clause)):
        sentence, clause = f"{sentence} {clause}", ""
    if clause and not (clause.casefold().lstrip().startswith(words.MOBILE_EXCUSES) or _YAHOO.match(line)):
        return False
    found = _words_of(sentence)
    names = [word for word in found if _names_device(word)]
    owned = _is_owned(found)
    last = found[-1].casefold() if found else ""
    if last == "mail" and not found[-1].islower():
        owned = True
    if not (names or owned or "Mail" in found):
        return False
    begin = max((len(phrase.split()) for phrase in words.MOBILE if line.startswith(phrase)), default=0)
    strange = [
        word
        for word in found[begin:]
        if word[0].islower()
        and not _names_device(word)
        and not _is_proper(word)
        and word.casefold() not in words.MOBILE_OTHER_WORDS
    ]
    return not strange


def is_list_footer(lines: Sequence[str], start: int) -> bool:
    """Whether a mailing list's footer begins here: a long rule, and below it the list's name or address."""
    if not is_rule(lines[start]) or len(lines[start].strip()) < 15:
        return False
    below = [line.casefold() for line in lines[start + 1 : start + 1 + _LIST_FOOTER_LINES]]
    return any(mark in line for line in below for mark in words.LIST_FOOTERS)


def _phrase(words_found: str) -> str:
    # The dot above is what casefold leaves of a Turkish capital I.
    return " ".join(words_found.casefold().replace("’", "'").replace("\u0307", "").split())


def _is_owned(found: Sequence[str]) -> bool:
    """Whether a name follows "my", and nothing else: it is taken for a device's, but not in "my Colleague in Rome"."""
    owner = next((at for at, word in enumerate(found) if word.casefold() in words.MOBILE_OWNERS), len(found))
    owned = found[owner + 1 :]
    return any(map(_is_proper, owned)) and all(
        _is_proper(word) or word.casefold() in words.MOBILE_ENDINGS for word in owned
    )


def _words_of(text: str) -> list[str]:
    return [word for word in re.split(r"[^\w'’&]+", text) if word]


def _names_device(word: str) -> bool:
    bare = word.casefold()
    if bare in words.MOBILE_SUBJECTS or bare.startswith(_DEVICES):
        return True
    # Chinese and Japanese have no spaces around it.
    return not bare.isascii() and any(device in bare for device in _DEVICES)


def _is_proper(word: str) -> bool:
    return not word.islower() or any(character.isdigit() for character in word)
