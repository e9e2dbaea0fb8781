"""Decides whether a sender is authenticated. ValidateEmail and the states that send use the same function."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from mailstep.addresses import canonical_domain
from mailstep.contracts import Message

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList


_OF_TENANTS = ("onmicrosoft.com", "mail.onmicrosoft.com")
"""Suffixes that the Public Suffix List does not have: each organisation at Microsoft 365 has a domain below them."""


def is_only_signed(message: Message) -> bool:
    """Whether the one thing that authenticates the sender is a signature. Anyone who has a copy can send it again."""
    seen, author = message.verdicts, _domain(message.from_[0].address) if message.from_ else ""
    by_path = seen.spf == "pass" and seen.spf_domain is not None and is_aligned(seen.spf_domain, author)
    return is_authenticated(message) and not by_path


def is_authenticated(message: Message) -> bool:
    """Whether DMARC, or aligned SPF or DKIM, passed for the one From address (RFC 7489 section 3.1).

    Mailstep never sends to an address that is not authenticated.
    """
    if len(message.from_) != 1:
        return False
    seen, author = message.verdicts, _domain(message.from_[0].address)
    if seen.dmarc == "pass" and seen.dmarc_domain == author:
        return True
    passed = [
        *([seen.spf_domain] if seen.spf == "pass" else []),
        *(seen.dkim_domains if seen.dkim == "pass" else ()),
    ]
    return any(domain and is_aligned(domain, author) for domain in passed)


def is_aligned(domain: str, author: str) -> bool:
    """Relaxed alignment (RFC 7489 section 3.1): both have one organisational domain, whichever is the longer name."""
    return domain == author or (
        organisational_domain(domain) is not None and organisational_domain(domain) == organisational_domain(author)
    )


def organisational_domain(domain: str) -> str | None:
    """The organisational domain (RFC 7489 section 3.2), or None for a public suffix, which is no organisation's."""
    return _suffixes().privatesuffix(domain)


@cache
def _suffixes() -> "PublicSuffixList":
    # Read late and once: it takes 50 ms, few messages need it, and a sender can sign for many domains.
    from publicsuffixlist import PSLFILE, PublicSuffixList  # noqa: PLC0415

    return PublicSuffixList([*Path(PSLFILE).read_bytes().splitlines(), *_OF_TENANTS])


def _domain(address: str) -> str:
    """The domain of an address in the form of the verdicts (parse/ses_verdicts.py)."""
    return canonical_domain(address.rpartition("@")[2])
