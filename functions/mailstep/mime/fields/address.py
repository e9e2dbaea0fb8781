"""Addresses (RFC 5322 section 3.4): From, To, Cc, Reply-To."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from mailstep.mime.fields.comments import without_comments
from mailstep.mime.fields.encoded_word import ENCODED_WORD, decode_words
from mailstep.mime.options import DEFAULTS, Options

_ATOM = r"[^\s<>\"(),:;@\[\]\\]"
_ADDR_SPEC = re.compile(
    rf"(?:\"[^\"\s\\]{{1,62}}\"|(?<!{_ATOM}){_ATOM}{{1,64}})@(?:{_ATOM}{{1,255}}|\[[^\]\s]{{1,255}}\])(?!{_ATOM})"
)

# A local part with a quoted word (RFC 5322 sections 3.4.1 and 4.4, obs-local-part), in which any mark is plain text.
_QUOTED_WORD = r"\"(?:[^\"\\\r\n]|\\[^\r\n]){1,62}\""
_WORD = rf"(?:{_QUOTED_WORD}|[^\s<>\"(),:;@\[\]\\.]+)"
# The route before an address in angle brackets, as `@relay.example,@other.example:` (section 4.4, obs-route).
_OBS_ROUTE = r"[\s,]*+(?:@[^<>\"@,:]++[\s,]*+)++:"
_QUOTED_MAILBOX = re.compile(
    rf"(?:(?P<phrase>.*)<(?:{_OBS_ROUTE})?)?\s*"
    rf"(?P<local>{_WORD}(?:\.{_WORD})*)[ \t]*@(?P<domain>[^<>\"@]{{1,255}})(?(phrase)>)\s*",
    re.DOTALL,
)
_DOMAIN = re.compile(rf"{_ATOM}+|\[[^\]\s]+\]")

# White space may stand around the dots and the @ of an address (RFC 5322 section 4.4, obs-addr-spec).
_SPACED = re.compile(r"(?<![ \t])[ \t]*([.@])[ \t]*")
_SPACED_DOMAIN = re.compile(
    rf"(?<![ \t])[ \t]*@[ \t]*+{_ATOM}++(?:[ \t]*+(?<=[ \t])\.[ \t]*+{_ATOM}++|(?<=\.)[ \t]++{_ATOM}++)*+"
)
# What has a meaning between mailboxes; a word in the label of a charset has such marks, too, and means nothing.
_MARK = re.compile(rf'{ENCODED_WORD.pattern}|\\.|["()<>,;:]', re.DOTALL)
# A comma between mailboxes may be missing.
_NEXT_MAILBOX = re.compile(r'[ \t]*+(?:"[^"<>]*+"|[^"<>(),:;@])*+<[^<>@\s]++@')
_MARK_IN_QUOTES = re.compile(r'\\.|"', re.DOTALL)
_NO_NAME = str.maketrans("", "", '"<>')
# A route (RFC 5322 section 4.4, obs-route), the scheme of a link, or the name of a group.
_ROUTE = re.compile(r"^[^\[]*:\s*")


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox: its decoded display name, its addr-spec (also of RFC 6532), and its group."""

    name: str
    address: str
    group: str | None = None


def parse_addresses(value: str, options: Options = DEFAULTS, *, hints: Sequence[str] = ()) -> tuple[Address, ...]:
    """The mailboxes of an address list, each with its group. It is lenient with broken lists."""
    return tuple(islice(_mailboxes(value, options, hints), options.addresses))


def _mailboxes(value: str, options: Options, hints: Sequence[str]) -> Iterator[Address]:
    group: str | None = None
    if not without_comments(value)[2]:
        # An unclosed quote or comment would hide everything after it.
        value = re.sub(r'["()]', " ", value)
    items = list(_items(value))
    # Only `;` ends a group: without one, a colon belongs to a name that lacks its quotes.
    has_groups = any(mark == ";" for _, mark in items)
    begun = ""
    for number, (item, mark) in enumerate(items):
        plain = item if "@" in item and mark != ":" else without_comments(item)[0]
        if mark == ":" and "@" not in plain:
            if has_groups or "<" not in items[number + 1][0]:
                group = None if plain.strip().lower() == "mailto" else decode_words(_phrase(plain), hints)
            else:
                begun += f"{item}:"
        elif mark == "," and "@" not in plain and plain.strip() and "<" in items[number + 1][0]:
            begun += f"{item},"  # a name that lacks its quotes: Lee, Ann <ann@example.com>
        elif item.count("@") > 1 and all(map(_ADDR_SPEC.fullmatch, bare := item.split())):
            yield from filter(None, (_mailbox(address, group, options, hints) for address in bare))
        else:
            if mailbox := _mailbox(begun + item, group, options, hints):
                yield mailbox
            begun = ""
        if mark == ";":
            group = None


def _items(value: str) -> Iterator[tuple[str, str]]:
    """The pieces between `,`, `;` and `:` outside of quotes, comments and angle brackets, each with its end."""
    begun, at, opened, depth, quoted, angle = 0, 0, 0, 0, False, False
    while mark := (_MARK_IN_QUOTES if quoted else _MARK).search(value, at):
        at = mark.end()
        match mark[0]:
            case '"' if not depth:
                quoted = not quoted
            case "(":
                depth += 1
            case ")":
                depth = max(0, depth - 1)
            case "<" if not depth:
                angle, opened = True, at
            case ">" if not depth:
                angle = False
                if "@" in value[opened:at] and _NEXT_MAILBOX.match(value, at):
                    yield value[begun:at], ","
                    begun = at
            case "," | ";" | ":" if not depth and not angle:
                yield value[begun : mark.start()], mark[0]
                begun = at
    yield value[begun:], ""


def _mailbox(item: str, group: str | None, options: Options, hints: Sequence[str]) -> Address | None:
    plain, comment, _ = without_comments(item)
    if '"' in plain and (quoted := _QUOTED_MAILBOX.fullmatch(plain)) and '"' in quoted["local"]:
        domain = _SPACED.sub(r"\1", quoted["domain"]).strip().removesuffix(".")
        address = f"{quoted['local']}@{domain}"
        if not _DOMAIN.fullmatch(domain) or len(address) > options.address:
            return None
        name = _phrase(quoted["phrase"] or "") or comment
        return Address(name=decode_words(name, hints).strip(), address=address, group=group)
    before, opening, inside = plain.rpartition("<")
    if opening:
        address, _, after = inside.partition(">")
        address = address.strip()
        address = _ROUTE.sub("", address) if ":" in address else address
        address = _SPACED.sub(r"\1", address) if len(address.split()) > 1 else address
        name = _phrase(before) or _phrase(after)
        if "@" not in address:
            found = _ADDR_SPEC.search(decode_words(plain))
            address = found[0] if found else ""
    else:
        plain = _SPACED_DOMAIN.sub(lambda domain: re.sub(r"[ \t]", "", domain[0]), plain)
        found = _ADDR_SPEC.search(plain) or _ADDR_SPEC.search(decode_words(plain))
        address = found[0] if found else ""
        name = comment or _phrase(plain.replace(f"[{address}]", "").replace(address, ""))
    address = address.strip("<>'").removesuffix(".")  # a domain that ends with a dot is the same one (RFC 1034, 3.1)
    if not 0 < len(address) <= options.address or address.startswith("@") or len(address.split()) > 1:
        return None
    return Address(name=decode_words(name, hints).strip(), address=address, group=group)


def _phrase(text: str) -> str:
    """A display name without its quotes and comments."""
    text = text.strip()
    if text.startswith('"') and text.endswith('"') and len(text) > 1:
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return " ".join(text.translate(_NO_NAME).split())
