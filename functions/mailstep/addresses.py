"""Addresses as SES takes them: US-ASCII before the @, the domain as A-labels (RFC 5890)."""

import idna


def in_ascii(address: str) -> str:
    """An addr-spec with its domain as A-labels, each label as IDNA 2008 maps it: no domain becomes another one.

    Raises:
        ValueError: what stands before the @ is not US-ASCII, or the domain is none.
    """
    local, _, domain = address.rpartition("@")
    if not local.isascii():
        raise ValueError("SES takes only US-ASCII before the @")
    return f"{local}@{domain_in_ascii(domain)}"


def domain_in_ascii(domain: str) -> str:
    """A domain as A-labels.

    Raises:
        ValueError: it is none.
    """
    # The registered ASCII domains of RFC 5322 allow more than IDNA does (an underscore); they are as they have to be.
    return domain if domain.isascii() else idna.encode(domain, uts46=True).decode("ascii")
