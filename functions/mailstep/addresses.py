"""Brings addresses and domains into one form: the domain as A-labels (RFC 5890), in lower case for comparison."""

import re
from contextlib import suppress
from email.errors import HeaderParseError
from email.headerregistry import Address
from typing import Protocol

import idna

NAME_BOUND = 100
"""Characters of a display name that are kept in a reply."""

# RFC 1123 section 2.1, with the underscore that some registered names have; the last label is never all digits.
_DOMAIN = re.compile(
    r"(?=.{1,253}$)(?!(.*\.)?\d+$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
)
# RFC 5322 section 3.2.3, dot-atom; RFC 5321 section 4.5.3.1.1, 64 octets.
_LOCAL_PART = re.compile(r"(?=.{1,64}$)[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*", re.ASCII)


def in_ascii(address: str) -> str:
    """An addr-spec with its domain as A-labels, each label as IDNA 2008 maps it: no domain becomes another one.

    Raises:
        ValueError: the part before the @ is not US-ASCII, or the domain is invalid.
    """
    local, _, domain = address.rpartition("@")
    if not local.isascii():
        raise ValueError("SES accepts only US-ASCII before the @")
    return f"{local}@{domain_in_ascii(domain)}"


def domain_in_ascii(domain: str) -> str:
    """A domain as A-labels.

    Raises:
        ValueError: it is not a domain.
    """
    # ASCII domains may have characters that IDNA does not allow, such as an underscore, so they are not encoded.
    return domain if domain.isascii() else idna.encode(domain, uts46=True).decode("ascii")


def canonical_domain(domain: str) -> str:
    """The form for comparing domains: A-labels in lower case. Text that is not a domain is only made lower case."""
    with suppress(ValueError):
        return domain_in_ascii(domain).lower()
    return domain.lower()


def canonical(address: str) -> str:
    """The form for comparing addresses: lower case, with the domain as A-labels."""
    local, at, domain = address.rpartition("@")
    return f"{local.lower()}{at}{canonical_domain(domain)}"


def is_domain(domain: str) -> bool:
    """Whether it can name a host (RFC 1123 section 2.1), in either form."""
    return _DOMAIN.fullmatch(canonical_domain(domain)) is not None


def is_address(address: str) -> bool:
    """Whether SES can send from the address: an unquoted local part in US-ASCII, and a domain in either form."""
    local, _, domain = address.rpartition("@")
    return _LOCAL_PART.fullmatch(local) is not None and is_domain(domain)


class Author(Protocol):
    """A mailbox in a message (`contracts.Address`)."""

    @property
    def name(self) -> str:
        """The display name."""

    @property
    def address(self) -> str:
        """The addr-spec."""


def mailbox(author: Author) -> Address:
    """The address to reply to, its domain in ASCII (RFC 5890).

    Raises:
        ValueError: SES cannot send to it.
    """
    address = author.address.strip()
    # The email package takes white space out, which makes another address of it.
    if not address.isprintable() or " " in address:
        raise ValueError("not an address that SES can send to")
    try:
        return Address(display_name=one_line(author.name)[:NAME_BOUND], addr_spec=in_ascii(address))
    # The email package raises AttributeError for some defects.
    except (UnicodeError, HeaderParseError, IndexError, ValueError, AttributeError) as error:
        raise ValueError("not an address that SES can send to") from error


def one_line(text: str) -> str:
    """The text without line ends and other control characters, and with each run of white space as one space."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
