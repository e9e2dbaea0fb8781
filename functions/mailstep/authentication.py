"""Whether a message comes from the domain in its From field: ValidateEmail and the states that send ask the same."""

from mailstep.addresses import canonical_domain
from mailstep.contracts import Message


def is_authenticated(message: Message) -> bool:
    """Whether SES found the From domain authenticated: by DMARC, or by SPF or DKIM in its name (RFC 7489 section 3.1).

    Nothing is ever sent to an address that is not.
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
    """The domain of an address as SES writes it in its verdicts: in ASCII, where it is one (RFC 5890)."""
    return canonical_domain(address.rpartition("@")[2])
