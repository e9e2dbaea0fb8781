"""Reads the results of SES's checks from the fields that SES put on top of a stored message.

A sender can write the same fields further down, so those do not count. SES's own fields repeat text that the sender
chose (envelope-from, helo, header.i). So they are read undecoded, with quotes and comments as in RFC 8601 section 2.2.
A result that stands there twice does not count either.
"""

import re
from datetime import datetime

from mailstep.contracts import Verdicts
from mailstep.mime.fields import parse_date, unfold
from mailstep.mime.structure import Field

Block = list[tuple[str, str]]
"""SES's fields, as name and unfolded value. Encoded-words stay undecoded: a decoded one could look like a result."""

_SES = "amazonses.com"
_SES_RECEIVED = re.compile(r"\bby inbound-smtp\.[a-z0-9-]+\.amazonaws\.com\b")
# The fields that SES puts on top of a message (Amazon SES Developer Guide, "Email receiving"): about ten.
_SES_FIELD = re.compile(r"return-path|received|x-ses-.*|received-spf|authentication-results", re.IGNORECASE)
_LONGEST_BLOCK = 30
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+\.?")
# A quoted string, or one character.
_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"?|.', re.DOTALL)
_RESULT = re.compile(r"(spf|dkim|dmarc)\s*=\s*([a-z]+)$", re.IGNORECASE)


def is_ses_field(name: str) -> bool:
    """Whether SES writes fields of that name. A sender can write them too."""
    return _SES_FIELD.fullmatch(name) is not None


def ses_block(fields: list[Field]) -> Block | None:
    """The fields that SES wrote on top of a stored message: Return-Path, its Received, X-SES-*, Received-SPF.

    The block ends with Authentication-Results. The sender wrote any such fields below it. None if the message does not
    begin with a complete block: then SES's results are unknown.
    """
    on_top = [(name, unfold(value)) for name, value in fields[:_LONGEST_BLOCK]]
    names = [name.lower() for name, _ in on_top[:2]]
    if names != ["return-path", "received"] or not _SES_RECEIVED.search(on_top[1][1]):
        return None
    for at, (name, value) in enumerate(on_top[2:], start=3):
        lower = name.lower()
        if lower in {"return-path", "received"} or not is_ses_field(name):
            return None
        if lower == "authentication-results":
            return on_top[:at] if value.split(";")[0].strip().lower() == _SES else None
    return None


def verdicts(block: Block | None) -> Verdicts:
    """The results in SES's fields; empty if there is no block."""
    if block is None:
        return Verdicts()
    first: dict[str, str] = {}
    for name, value in block:
        first.setdefault(name.lower(), value)
    clauses = _clauses(first["authentication-results"])[1:]
    dkim = [(result, _domain(properties.get("header.d") or properties.get("header.i", "")))
            for method, result, properties in clauses if method == "dkim"]  # fmt: skip
    dmarc, author = _only(clauses, "dmarc")
    passed = tuple(domain for result, domain in dkim if result == "pass" and domain)
    return Verdicts(
        spam=_verdict(first.get("x-ses-spam-verdict")),
        virus=_verdict(first.get("x-ses-virus-verdict")),
        spf=_only(clauses, "spf")[0],
        # The domain of the envelope sender, which SES writes at the very top.
        spf_domain=_domain(first["return-path"].strip().strip("<>")),
        dkim="pass" if passed else next((result for result, _ in dkim), None),
        dkim_domains=passed,
        dmarc=dmarc,
        dmarc_domain=_domain(author.get("header.from", "")),
    )


def received(block: Block | None) -> datetime | None:
    """When SES received the message, by SES's own Received field (RFC 5321 section 4.4)."""
    if block is None:
        return None
    return parse_date(re.sub(r"\([^()]*\)", " ", block[1][1].rpartition(";")[2]).strip())


def _clauses(value: str) -> list[tuple[str, str, dict[str, str]]]:
    """The clauses between `;`, as (method, result, properties). Other clauses have an empty method."""
    clauses: list[list[str]] = [[""]]
    comments = 0  # how deep: comments can be nested (RFC 5322 section 3.2.2)
    for piece in _PIECE.findall(value):
        if piece == "(":
            comments += 1
        elif comments:
            comments -= piece == ")"
        elif piece == ";":
            clauses.append([""])
        elif piece.isspace():
            clauses[-1].append("")
        else:
            clauses[-1][-1] += piece
    return [_clause([word for word in words if word]) for words in clauses]


def _clause(words: list[str]) -> tuple[str, str, dict[str, str]]:
    found = _RESULT.match(words[0]) if words else None
    if found is None:
        return "", "", {}
    properties: dict[str, str] = {}
    for word in words[1:]:
        name, _, text = word.partition("=")
        properties.setdefault(name.lower(), text)
    return found[1].lower(), found[2].lower(), properties


def _only(clauses: list[tuple[str, str, dict[str, str]]], method: str) -> tuple[str | None, dict[str, str]]:
    found = [(result, properties) for name, result, properties in clauses if name == method]
    return found[0] if len(found) == 1 else (None, {})


def _domain(address: str) -> str | None:
    """The domain after an address's last @, or None if it is not a domain name."""
    domain = address.rpartition("@")[2].strip('"').lower()
    return domain if _DOMAIN.fullmatch(domain) else None


def _verdict(value: str | None) -> str | None:
    return value.split()[0].upper() if value and value.split() else None
