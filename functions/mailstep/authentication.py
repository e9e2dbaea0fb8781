"""Decides whether a sender is authenticated. ValidateEmail and the states that send use the same function."""

from mailstep.addresses import canonical_domain
from mailstep.contracts import Message


def is_authenticated(message: Message) -> bool:
    """Whether DMARC, or aligned SPF or DKIM, passed for the one From address (RFC 7489 section 3.1).

    Mailstep never sends to an address that is not authenticated.
    """
    if len(message.from_) != 1:
        return False
    seen, author = message.verdicts, _domain(message.from_[0].address)
    if seen.dmarc == "pass" and seen.dmarc_domain == author:
        return True
    aligned = [
        *([seen.spf_domain] if seen.spf == "pass" else []),
        *(seen.dkim_domains if seen.dkim == "pass" else ()),
    ]
    return any(domain and (domain == author or author.endswith(f".{domain}")) for domain in aligned)


def _domain(address: str) -> str:
    """The domain of an address in the ASCII form of SES's verdicts (RFC 5890)."""
    return canonical_domain(address.rpartition("@")[2])
