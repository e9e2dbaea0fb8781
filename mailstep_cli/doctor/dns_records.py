"""Checks the domain's DNS records: MX to SES, one SPF record that includes SES, and a DMARC policy."""

from collections.abc import Callable

import dns.exception
import dns.resolver

from mailstep_cli.doctor.findings import Finding, fault, ok

_SECONDS = 5

Lookup = Callable[[str, str], list[str]]
"""Maps a name and `MX` or `TXT` to the records' values: an MX as its host, a TXT as its whole text."""


class Unanswered(Exception):
    """No name server answered, so the records are unknown."""


def lookup(name: str, kind: str) -> list[str]:
    """Ask this machine's resolver. The list is empty if there is no record.

    Raises:
        Unanswered: no name server answered in time.
    """
    try:
        answer = dns.resolver.resolve(name, kind, lifetime=_SECONDS)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except dns.exception.DNSException as error:
        raise Unanswered(f"DNS did not answer for {name}: {error}") from error
    if kind == "MX":
        return [record.exchange.to_text().rstrip(".").lower() for record in answer]
    return [b"".join(record.strings).decode(errors="replace") for record in answer]


def mx(ask: Lookup, domain: str, region: str) -> Finding:
    """All mail goes to the receiving Region's endpoint (Amazon SES Developer Guide, "Publishing an MX record")."""
    wanted = f"inbound-smtp.{region}.amazonaws.com"
    found = ask(domain, "MX")
    if found == [wanted]:
        return ok(f"{domain} MX {wanted}")
    others = [host for host in found if host != wanted]
    detail = f"{domain} has no MX record" if not found else f"{domain} has MX records to {', '.join(others)}"
    keep = "" if not others else " and remove the other MX records: a server may deliver to any of them"
    return fault(detail, f"publish: {domain}. MX 10 {wanted}.{keep}")


def spf(ask: Lookup, domain: str) -> Finding:
    """Exactly one SPF record, and SES in it (RFC 7208, section 4.5: two records are a permanent error)."""
    wanted = f'publish: {domain}. TXT "v=spf1 include:amazonses.com ~all"'
    found = [text for text in ask(domain, "TXT") if text.lower().split(" ")[0] == "v=spf1"]
    if not found:
        return fault(f"{domain} has no SPF record", wanted)
    if len(found) > 1:
        return fault(f"{domain} has {len(found)} SPF records, so receivers ignore all of them", "merge them into one")
    if "include:amazonses.com" not in found[0].lower().split():
        return fault(f"the SPF record of {domain} does not include SES: {found[0]}", "add include:amazonses.com to it")
    return ok(found[0])


def dmarc(ask: Lookup, domain: str) -> Finding:
    """A DMARC record at the domain, or at a parent domain, which then applies to it (RFC 7489, section 6.6.3)."""
    labels = domain.split(".")
    for above in (".".join(labels[start:]) for start in range(len(labels) - 1)):
        found = [text for text in ask(f"_dmarc.{above}", "TXT") if text.lower().startswith("v=dmarc1")]
        if len(found) > 1:
            return fault(
                f"_dmarc.{above} has {len(found)} DMARC records, so receivers ignore all of them", "keep only one"
            )
        if found:
            return ok(f"_dmarc.{above}: {found[0]}")
    return fault(f"{domain} has no DMARC record", f'publish: _dmarc.{domain}. TXT "v=DMARC1; p=none"')
