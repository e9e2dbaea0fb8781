"""Addresses (RFC 5322 section 3.4): From, To, Cc, Reply-To."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from mailstep.mime.fields.encoded_word import decode_words
from mailstep.mime.options import DEFAULTS, Options

_ATOM = r"[^\s<>\"(),:;@\[\]\\]"
_ADDR_SPEC = re.compile(
    rf"(?:\"[^\"\s\\]{{1,62}}\"|(?<!{_ATOM}){_ATOM}{{1,64}})@(?:{_ATOM}{{1,255}}|\[[^\]\s]{{1,255}}\])(?!{_ATOM})"
)


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox: its decoded display name, its addr-spec (RFC 6532 too), and the group that it stands in."""

    name: str
    address: str
    group: str | None = None


def parse_addresses(value: str, options: Options = DEFAULTS, *, hints: Sequence[str] = ()) -> tuple[Address, ...]:
    """The mailboxes of an address list, each with its group; leniently, as a reader would."""
    return tuple(islice(_mailboxes(value, options, hints), options.addresses))


def _mailboxes(value: str, options: Options, hints: Sequence[str]) -> Iterator[Address]:
    group: str | None = None
    if value.count('"') % 2 or value.count("(") != value.count(")"):
        # Quotes or comments that never end would swallow what follows.
        value = re.sub(r'["()]', " ", value)
    for item, mark in _items(value):
        if mark == ":" and "@" not in item:
            group = decode_words(_phrase(item), hints)
            continue
        if mailbox := _mailbox(item, group, options, hints):
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


def _mailbox(item: str, group: str | None, options: Options, hints: Sequence[str]) -> Address | None:
    plain, comment = _without_comments(item)
    before, opening, inside = plain.rpartition("<")
    if opening:
        address = inside.partition(">")[0].strip().rpartition(":")[2].strip()
        name = _phrase(before)
        if "@" not in address:
            found = _ADDR_SPEC.search(decode_words(plain))
            address = found[0] if found else ""
    else:
        found = _ADDR_SPEC.search(plain) or _ADDR_SPEC.search(decode_words(plain))
        address = found[0] if found else ""
        name = comment or _phrase(plain.replace(address, ""))
    address = address.strip("<>'")
    if not 0 < len(address) <= options.address or any(character.isspace() for character in address):
        return None
    return Address(name=decode_words(name, hints).strip(), address=address, group=group)


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
