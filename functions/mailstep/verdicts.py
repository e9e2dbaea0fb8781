"""What SES itself found, and nothing a sender wrote in its name: only the fields on top of the stored message count."""

import re

from mailstep.contracts import Verdicts

_SES = "amazonses.com"
_SES_RECEIVED = re.compile(r"\bby inbound-smtp\.[a-z0-9-]+\.amazonaws\.com\b")
_RESULT = re.compile(r"^\s*(spf|dkim|dmarc)\s*=\s*(\w+)(.*)$", re.IGNORECASE | re.DOTALL)
_ENVELOPE_FROM = re.compile(r"\benvelope-from\s*=\s*\"?([^\s;\"]+)", re.IGNORECASE)
_PROPERTY = re.compile(r"\b(header\.i|header\.d|header\.from)\s*=\s*\"?([^\s;\"]+)", re.IGNORECASE)


def verdicts(headers: tuple[tuple[str, str], ...]) -> Verdicts:
    """Read SES's fields in SES's order: Return-Path, its Received, X-SES-*, Received-SPF, Authentication-Results.

    The block ends with Authentication-Results; the same fields further down were written by the sender. Without it
    nothing is known.
    """
    block = _block(headers)
    if block is None:
        return Verdicts()
    first: dict[str, str] = {}
    for name, value in block:
        first.setdefault(name.lower(), value)
    results = _results(first["authentication-results"])
    received_spf = first.get("received-spf", "").split(maxsplit=1)
    envelope_from = _ENVELOPE_FROM.search(first.get("received-spf", ""))
    return Verdicts(
        spam=_verdict(first.get("x-ses-spam-verdict")),
        virus=_verdict(first.get("x-ses-virus-verdict")),
        spf=results.get("spf") or (received_spf[0].lower() if received_spf else None),
        spf_domain=_domain(envelope_from[1] if envelope_from else first.get("return-path", "")),
        dkim=results.get("dkim"),
        dkim_domains=tuple(domain for domain in results.get("dkim_domains", "").split() if domain),
        dmarc=results.get("dmarc"),
        dmarc_domain=results.get("dmarc_domain"),
    )


def _domain(address: str) -> str | None:
    return address.strip("<>\"' ").rpartition("@")[2].lower() or None


def _block(headers: tuple[tuple[str, str], ...]) -> list[tuple[str, str]] | None:
    names = [name.lower() for name, _ in headers[:2]]
    if names != ["return-path", "received"] or not _SES_RECEIVED.search(headers[1][1]):
        return None
    block: list[tuple[str, str]] = []
    for name, value in headers:
        lower = name.lower()
        received_by_others = lower == "received" and any(seen.lower() == "received" for seen, _ in block)
        if received_by_others or not (lower.startswith("x-ses-") or lower in _FIELDS):
            return None
        block.append((name, value))
        if lower == "authentication-results":
            return block if value.split(";")[0].strip().lower() == _SES else None
    return None


_FIELDS = {"return-path", "received", "received-spf", "authentication-results"}


def _results(value: str) -> dict[str, str]:
    """The results of RFC 8601, comments left out; of several DKIM signatures one that passes decides."""
    found: dict[str, str] = {}
    for clause in re.sub(r"\([^()]*\)", " ", value).split(";")[1:]:
        result = _RESULT.match(clause)
        if result is None:
            continue
        method, verdict = result[1].lower(), result[2].lower()
        properties = {name.lower(): text.rpartition("@")[2].lower() for name, text in _PROPERTY.findall(result[3])}
        if method == "dkim":
            if verdict == "pass":
                domain = properties.get("header.d") or properties.get("header.i") or ""
                found["dkim_domains"] = f"{found.get('dkim_domains', '')} {domain}".strip()
            if found.get("dkim") != "pass":
                found["dkim"] = verdict
            continue
        found.setdefault(method, verdict)
        if method == "dmarc" and "header.from" in properties:
            found.setdefault("dmarc_domain", properties["header.from"])
    return found


def _verdict(value: str | None) -> str | None:
    return value.split()[0].upper() if value and value.split() else None
