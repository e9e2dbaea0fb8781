"""Values of header fields: unfolded, decoded (RFC 2047, RFC 6532), read as addresses, dates, parameters (RFC 2231)."""

import binascii
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import islice

from dateutil import parser as dateutil_parser

from mailstep import limits
from mailstep.contracts import Address
from mailstep.mime.charsets import decode, undeclared

Parameters = dict[str, str]

_FOLD = re.compile(r"(?:\r\n|\n|\r)(?=[ \t])")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]+")
_ENCODED_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?=")
_BETWEEN_WORDS = re.compile(r"(\?=)[ \t]+(?==\?[^?\s]{1,60}\?[bBqQ]\?)")
_ATOM = r"[^\s<>\"(),:;@\[\]\\]"
_ADDR_SPEC = re.compile(
    rf"(?:\"[^\"\s\\]{{1,62}}\"|(?<!{_ATOM}){_ATOM}{{1,64}})@(?:{_ATOM}{{1,255}}|\[[^\]\s]{{1,255}}\])(?!{_ATOM})"
)
_PARAMETER = re.compile(r";\s*([^\s=;]+)\s*=\s*(\"(?:[^\"\\]|\\.)*\"?|[^;]*)", re.DOTALL)
_MSG_ID = re.compile(rf"<[^<>]{{1,{limits.MESSAGE_ID - 2}}}>")
_BARE_ID = re.compile(rf"<?([^<>\s@]{{1,{limits.MESSAGE_ID // 2}}}@[^<>\s@]{{1,{limits.MESSAGE_ID // 2 - 3}}})>?")
_TWO_DEFAULTS = (datetime(2001, 2, 3, 4, 5), datetime(2002, 3, 4, 5, 6))


def unfold(value: bytes) -> str:
    """A raw value as text on one line: UTF-8 where it is (RFC 6532), else Windows-1252, which reads any octet."""
    text = undeclared(value).strip()
    return text if text.isprintable() else _CONTROL.sub(" ", _FOLD.sub("", text))


def decoded(value: str) -> str:
    """Encoded-words decoded; neighbours of one character set are joined first, for those cut inside a character."""
    if "=?" not in value:
        return value
    pieces: list[str] = []
    pending, charset, at = b"", "", 0
    value = _BETWEEN_WORDS.sub(r"\1", value)
    for word in _ENCODED_WORD.finditer(value):
        octets = _word_octets(word[2], word[3])
        if octets is None:
            continue
        name = word[1].partition("*")[0].lower()
        if pending and (word.start() != at or name != charset):
            pieces.append(decode(pending, charset)[0])
            pending = b""
        pieces.append(value[at : word.start()])
        pending, charset, at = pending + octets, name, word.end()
    if pending:
        pieces.append(decode(pending, charset)[0])
    return _CONTROL.sub(" ", "".join([*pieces, value[at:]]))


def _word_octets(encoding: str, text: str) -> bytes | None:
    octets = text.encode("utf-8", errors="replace")
    if encoding in "qQ":
        return binascii.a2b_qp(octets.replace(b"_", b" "), header=False)
    try:
        return binascii.a2b_base64(octets + b"=" * (-len(octets) % 4))
    except binascii.Error:
        return None


def parameters(value: str) -> tuple[str, Parameters]:
    """The value before the first `;` in lower case, and its parameters (RFC 2045 section 5.1, RFC 2231)."""
    main, separator, rest = value.partition(";")
    plain: Parameters = {}
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    for name, text in _PARAMETER.findall(separator + rest):
        base, *marks = name.lower().split("*")
        content = _unquoted(text.strip())
        if not marks:
            plain.setdefault(base, content)
            continue
        number = next((int(mark) for mark in marks if mark.isdigit() and len(mark) < 4), 0)
        pieces.setdefault(base, {}).setdefault(number, (content, marks[-1] == ""))
    for base, numbered in pieces.items():
        plain[base] = _joined(numbered)
    return main.strip().lower(), plain


def _unquoted(text: str) -> str:
    if text.startswith('"'):
        return re.sub(r"\\(.)", r"\1", text[1:].removesuffix('"'))
    return text


def _joined(numbered: dict[int, tuple[str, bool]]) -> str:
    """The continuations of RFC 2231 section 3 in order, percent-decoded where section 4 says so."""
    ordered = [numbered[number] for number in sorted(numbered)]
    charset = ""
    if ordered[0][1] and ordered[0][0].count("'") >= 2:
        charset, _, content = ordered[0][0].split("'", 2)
        ordered[0] = (content, True)
    octets = b"".join(
        re.sub(rb"%([0-9A-Fa-f]{2})", lambda hexed: bytes([int(hexed[1], 16)]), content.encode("utf-8", "replace"))
        if extended
        else content.encode("utf-8", "replace")
        for content, extended in ordered
    )
    return decode(octets, charset or "utf-8")[0]


def addresses(value: str) -> tuple[Address, ...]:
    """The mailboxes of an address list (RFC 5322 section 3.4), each with its group; leniently, as a reader would."""
    return tuple(islice(_mailboxes(value), limits.ADDRESSES))


def _mailboxes(value: str) -> Iterator[Address]:
    group: str | None = None
    if value.count('"') % 2 or value.count("(") != value.count(")"):
        # Quotes or comments that never end would swallow what follows.
        value = re.sub(r'["()]', " ", value)
    for item, mark in _items(value):
        if mark == ":" and "@" not in item:
            group = decoded(_phrase(item))
            continue
        if mailbox := _mailbox(item, group):
            yield mailbox
        if mark == ";":
            group = None


def _items(value: str) -> Iterator[tuple[str, str]]:
    """The pieces between `,`, `;` and `:` outside of quotes, comments and angle brackets, each with its end."""
    begun, depth, quoted, angle = 0, 0, False, False
    skip = False
    for at, character in enumerate(value):
        if skip:
            skip = False
        elif character == "\\":
            skip = True
        elif character == '"' and depth == 0:
            quoted = not quoted
        elif quoted:
            continue
        elif character == "(":
            depth += 1
        elif character == ")":
            depth = max(0, depth - 1)
        elif depth:
            continue
        elif character == "<":
            angle = True
        elif character == ">":
            angle = False
        elif character in ",;:" and not angle:
            yield value[begun:at], character
            begun = at + 1
    yield value[begun:], ""


def _mailbox(item: str, group: str | None) -> Address | None:
    plain, comment = _without_comments(item)
    before, opening, inside = plain.rpartition("<")
    if opening:
        address = inside.partition(">")[0].strip().rpartition(":")[2].strip()
        name = _phrase(before)
        if "@" not in address:
            found = _ADDR_SPEC.search(decoded(plain))
            address = found[0] if found else ""
    else:
        found = _ADDR_SPEC.search(plain) or _ADDR_SPEC.search(decoded(plain))
        address = found[0] if found else ""
        name = comment or _phrase(plain.replace(address, ""))
    address = address.strip("<>'")
    if not 0 < len(address) <= limits.ADDRESS or any(character.isspace() for character in address):
        return None
    return Address(name=decoded(name).strip(), address=address, group=group)


def _without_comments(item: str) -> tuple[str, str]:
    """An item without its comments (RFC 5322 section 3.2.2), and the text of the last one."""
    if "(" not in item:
        return item, ""
    outside, comments, depth, quoted = [], [""], 0, False
    for character in item:
        if character == '"' and not depth:
            quoted = not quoted
        if not quoted and character == "(":
            depth += 1
            if depth == 1:
                comments.append("")
                continue
        if not quoted and character == ")" and depth:
            depth -= 1
            if not depth:
                outside.append(" ")
                continue
        if depth:
            comments[-1] += character
        else:
            outside.append(character)
    return "".join(outside), comments[-1].strip()


def _phrase(text: str) -> str:
    """A display name without its quotes and comments."""
    text = text.strip()
    if text.startswith('"') and text.endswith('"') and len(text) > 1:
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return " ".join(re.sub(r'["<>]', "", text).split())


def message_ids(value: str) -> tuple[str, ...]:
    """The msg-ids of a field, in angle brackets (RFC 5322 section 3.6.4); the newest where there are too many.

    Lost brackets are put back, and white space that folding left within them is taken out.
    """
    found = ["".join(identifier.split()) for identifier in _MSG_ID.findall(value.replace("><", "> <"))]
    if not found and (bare := _BARE_ID.fullmatch(value)):
        found = [f"<{bare[1]}>"]
    return tuple(found[-limits.REFERENCES :])


def date(value: str) -> datetime | None:
    """A date with its offset (RFC 5322 section 3.3), leniently read; UTC where no offset is said.

    None where day, month, year or hour is not said: nothing is filled in from today.
    """
    if len(value) > limits.DATE:
        return None
    # Both raise whatever a strange date makes them; an offset of a day or more shows only when asked for.
    with suppress(Exception):
        return _with_offset(parsedate_to_datetime(value))
    with suppress(Exception):
        read = [dateutil_parser.parse(value, default=default) for default in _TWO_DEFAULTS]
        return _with_offset(read[0]) if read[0] == read[1] else None
    return None


def _with_offset(found: datetime) -> datetime:
    found.isoformat()
    return found if found.tzinfo else found.replace(tzinfo=UTC)
