"""What SES itself found, and nothing a sender wrote in its name: only SES's block on top of the stored message counts.

SES repeats what the sender chose (HELO, envelope sender, `header.i`) within its own fields. So the block is read as
octets: its lines end with CRLF, each result begins a folded line, and the rest of that line is the sender's. A block
with anything else in it says nothing at all.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from mailstep.addresses import canonical, canonical_domain, is_domain
from mailstep.contracts import Verdicts
from mailstep.mime.fields import parse_date

_SES = "amazonses.com;"
_SES_RECEIVED = re.compile(r"[ \t]+by inbound-smtp\.[a-z0-9-]+\.amazonaws\.com\b")
# What SES puts on top of whatever it stores (Amazon SES Developer Guide, "Email receiving"): about ten fields.
_SES_FIELD = re.compile(r"return-path|received|x-ses-.*|received-spf|authentication-results", re.IGNORECASE)
# SES writes these below Authentication-Results: a block that has one of them first has no results.
_BELOW = {"x-ses-receipt", "x-ses-dkim-signature"}
_BLOCK_OCTETS = 16_384  # SES's fields have about 2,000; HELO and an address have at most 255 and 320
_FIELD = re.compile(rb"([A-Za-z0-9-]+):(.*)", re.DOTALL)
_RESULT = re.compile(r"[ \t]+([a-z][a-z-]*)=([a-z]+)(?=[ \t;]|$)(.*)", re.DOTALL)
# The whole rest of a line of SES. An identity with quotes or white space could hold a result of its own.
_IDENTITY = re.compile(r"[ \t]+header\.i=[^\s;,()<>\"@]*@([^\s;,()<>\"@]+?);?[ \t]*")
_AUTHOR = re.compile(r"[ \t]+header\.from=([^\s;,()<>\"@]+?);?[ \t]*")
# An address that needs quotes, as `"a b"@`, is not read: no route's address does.
_RECIPIENT = re.compile(r"[ \t]+for <?([^\s;,()<>\"@]+@[^\s;,()<>\"@]+)>?;[ \t]*")
_SIGNATURES = {"dkim-signature", "x-ses-dkim-signature"}

_Result = tuple[str, str, str]
"""Method, result, and the rest of the line."""


@dataclass(frozen=True)
class SesBlock:
    """The fields that SES put on top, by name in lower case; each value as its lines, the folded ones with the fold."""

    fields: dict[str, list[str]]
    octets: int
    """Octets of everything that SES put on top: the block, and its receipt and signature below it."""

    def first_line(self, name: str) -> str:
        """The first line of a field's value, or nothing."""
        return self.fields.get(name, [""])[0].strip()


def is_ses_field(name: str) -> bool:
    """Whether SES writes fields of that name; a sender can write them too."""
    return _SES_FIELD.fullmatch(name) is not None


def ses_block(raw: bytes) -> SesBlock | None:
    """The fields on top of a stored message that SES wrote: Return-Path, its Received, X-SES-*, Received-SPF.

    The block ends with Authentication-Results; the same fields further down were written by the sender. None if the
    message does not begin with a whole block: then nothing is known.
    """
    fields: dict[str, list[str]] = {}
    name, end = "", 0
    for line in raw[:_BLOCK_OCTETS].split(b"\r\n"):
        if b"\r" in line or b"\n" in line:
            return None
        text = line.decode("utf-8", "replace")
        if name and line[:1] in {b" ", b"\t"} and text.strip():
            fields[name].append(text)
            end += len(line) + 2
            continue
        if name == "authentication-results":
            return _whole(fields, end + _octets_below(raw[end : end + _BLOCK_OCTETS]))
        field = _FIELD.fullmatch(line)
        name = field[1].decode("ascii").lower() if field else ""
        # SES writes each field once, in this order.
        first = ("return-path", "received")[len(fields)] if len(fields) < 2 else name
        if field is None or name != first or name in fields or name in _BELOW or not is_ses_field(name):
            return None
        fields[name] = [field[2].decode("utf-8", "replace")]
        end += len(line) + 2
    return None


def _octets_below(rest: bytes) -> int:
    """Octets of the fields below Authentication-Results that SES writes."""
    octets, is_own = 0, False
    for line in rest.split(b"\r\n"):
        if line[:1] not in {b" ", b"\t"}:
            is_own = line.partition(b":")[0].decode("ascii", "replace").lower() in _BELOW
        if not is_own:
            break
        octets += len(line) + 2
    return octets


def _whole(fields: dict[str, list[str]], octets: int) -> SesBlock | None:
    results = fields["authentication-results"]
    if not any(map(_SES_RECEIVED.match, fields["received"])) or results[0].strip() != _SES:
        return None
    return SesBlock(fields, octets) if all(map(_RESULT.fullmatch, results[1:])) else None


def verdicts(block: SesBlock | None, names: Iterable[str]) -> Verdicts:
    """What SES's fields say. `names`: of all fields of the message, because no signature has two results."""
    if block is None:
        return Verdicts()
    lines = map(_RESULT.fullmatch, block.fields["authentication-results"])
    results = [(found[1], found[2], found[3]) for found in lines if found]
    spf, _ = _only(results, "spf")
    dmarc, author = _only(results, "dmarc")
    signatures = sum(name.lower() in _SIGNATURES for name in names)
    dkim = [(result, _domain(_IDENTITY, rest)) for method, result, rest in results if method == "dkim"]
    if len(dkim) > signatures:
        dkim = []
    passed = tuple(domain for result, domain in dkim if result == "pass" and domain)
    return Verdicts(
        spam=_verdict(block.first_line("x-ses-spam-verdict")),
        virus=_verdict(block.first_line("x-ses-virus-verdict")),
        spf=spf,
        # Of the envelope sender, which SES writes above all else.
        spf_domain=_known(block.first_line("return-path").strip("<>").rpartition("@")[2]),
        dkim="pass" if passed else next((result for result, _ in dkim if result != "pass"), None),
        dkim_domains=passed,
        dmarc=dmarc,
        dmarc_domain=_domain(_AUTHOR, author),
    )


def recipient(block: SesBlock | None) -> str | None:
    """The envelope recipient, by SES's own Received field (RFC 5321 section 4.4, `for`), in canonical form.

    A transaction of several recipients may have none. It stands on a folded line of its own; another such line would be
    the sender's HELO, and then neither is believed.
    """
    if block is None:
        return None
    found = [said[1] for line in block.fields["received"] if (said := _RECIPIENT.fullmatch(line))]
    return canonical(found[0]) if len(found) == 1 else None


def received(block: SesBlock | None) -> datetime | None:
    """When SES received the message, by SES's own Received field (RFC 5321 section 4.4)."""
    if block is None:
        return None
    return parse_date("".join(block.fields["received"]).rpartition(";")[2])


def _only(results: list[_Result], method: str) -> tuple[str | None, str]:
    """The result of a method and the rest of its line. SES writes one; of two, neither is believed."""
    found = [(result, rest) for name, result, rest in results if name == method]
    return found[0] if len(found) == 1 else (None, "")


def _domain(pattern: re.Pattern[str], rest: str) -> str | None:
    """The domain that the rest of a line names, if the line has nothing else."""
    found = pattern.fullmatch(rest)
    return _known(found[1]) if found else None


def _known(domain: str) -> str | None:
    """A domain in canonical form, or None if it is not one."""
    return canonical_domain(domain) if "." in domain and is_domain(domain) else None


def _verdict(value: str) -> str | None:
    return value.split(maxsplit=1)[0].upper() if value else None
