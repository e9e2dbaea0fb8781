"""What SES itself found, and nothing a sender wrote in its name: only the fields on top of the stored message count.

SES's fields repeat what the sender chose (envelope-from, helo, header.i). They are read raw, quotes and comments
respected (RFC 8601 section 2.2), and a result that is said twice is not believed at all.
"""

import re
from datetime import datetime

from mailstep.contracts import Verdicts
from mailstep.mime.fields import parse_date, unfold
from mailstep.mime.structure import Field

Block = list[tuple[str, str]]
"""SES's fields, as name and unfolded value. Encoded-words stay: a decoded one could hold what was never said."""

_SES = "amazonses.com"
_SES_RECEIVED = re.compile(r"\bby inbound-smtp\.[a-z0-9-]+\.amazonaws\.com\b")
# What SES puts on top of whatever it stores (Amazon SES Developer Guide, "Email receiving"): about ten fields.
_SES_FIELD = re.compile(r"return-path|received|x-ses-.*|received-spf|authentication-results", re.IGNORECASE)
_LONGEST_BLOCK = 30
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+\.?")
# A piece of a clause: a quoted string, or a character.
_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"?|.', re.DOTALL)
_RESULT = re.compile(r"(spf|dkim|dmarc)\s*=\s*([a-z]+)$", re.IGNORECASE)


def is_ses_field(name: str) -> bool:
    """Whether SES writes fields of that name; a sender can write them too."""
    return _SES_FIELD.fullmatch(name) is not None


def ses_block(fields: list[Field]) -> Block | None:
    """The fields on top of a stored message that SES wrote: Return-Path, its Received, X-SES-*, Received-SPF.

    The block ends with Authentication-Results; the same fields further down were written by the sender. None where
    the message does not begin with a whole block: then nothing is known.
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
    """What SES's fields say."""
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
        # Of the envelope sender, which SES writes above all else.
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
    """The clauses between `;` as (method, result, properties); no method where a clause is no result of ours."""
    clauses: list[list[str]] = [[""]]
    comments = 0  # within each other (RFC 5322 section 3.2.2)
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
