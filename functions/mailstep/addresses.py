"""One canonical form of addresses and domains, for comparing them and for sending (RFC 5321, RFC 5890, UTS 46)."""

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
# RFC 5322 section 4.4, obs-local-part: each word may have quotes.
_QUOTED = r'"((?:[^"\\]|\\.)*)"'
_WORDS = re.compile(rf'(?:{_QUOTED}|[^".]+)(?:\.(?:{_QUOTED}|[^".]+))*', re.DOTALL)


def domain_in_ascii(domain: str) -> str:
    """A domain as A-labels in lower case, without the dot of the root.

    UTS 46 maps full-width letters and the ideographic full stops; IDNA 2008 then encodes each label, so that no domain
    becomes another one.

    Raises:
        ValueError: it is not a domain.
    """
    # ASCII domains may have characters that IDNA does not allow, such as an underscore, so they are not encoded.
    mapped = domain if domain.isascii() else idna.uts46_remap(domain, std3_rules=False)
    mapped = mapped.lower().removesuffix(".")
    encoded = mapped if mapped.isascii() else idna.encode(mapped).decode("ascii")
    # UTS 46 maps some characters to an @, a slash or two dots.
    if not _DOMAIN.fullmatch(encoded):
        raise ValueError("not a domain")
    return encoded


def canonical_domain(domain: str) -> str:
    """The form for comparing domains: A-labels in lower case. Text that is not a domain is only made lower case."""
    with suppress(ValueError):
        return domain_in_ascii(domain)
    return domain.lower()


def canonical(address: str) -> str:
    """The form for comparing addresses: lower case, the domain as A-labels, no quotes that are not needed."""
    local, at, domain = address.rpartition("@")
    return f"{_local_part(local).lower()}{at}{canonical_domain(domain)}"


def without_label(address: str) -> str:
    """The canonical address of the mailbox: SES and others deliver `user+label@` to `user@` (RFC 5233)."""
    local, at, domain = canonical(address).rpartition("@")
    return f"{local.partition('+')[0] or local}{at}{domain}"


def is_one_of(address: str, own: frozenset[str]) -> bool:
    """Whether a canonical address, or the one without its label, is in `own`; `@<domain>` there is all of a domain."""
    return not own.isdisjoint({address, without_label(address), f"@{address.rpartition('@')[2]}"})


def label(address: str) -> str | None:
    """The label of a canonical address, `4711` of `orders+4711@mail.example`; None without one (RFC 5233)."""
    return address.rpartition("@")[0].partition("+")[2] or None


def _local_part(written: str) -> str:
    """The part before the @ with quotes only where it needs them: `"ann"` is `ann` (RFC 5321 section 4.1.2)."""
    if '"' not in written or not _WORDS.fullmatch(written):
        return written
    meant = re.sub(_QUOTED, lambda quoted: re.sub(r"\\(.)", r"\1", quoted[1]), written, flags=re.DOTALL)
    return meant if _LOCAL_PART.fullmatch(meant) else '"' + re.sub(r'(["\\])', r"\\\1", meant) + '"'


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
    """The address to reply to: the domain in ASCII (RFC 5890), the part before the @ in US-ASCII and without quotes.

    Raises:
        ValueError: SES cannot send to it.
    """
    try:
        return Address(display_name=field_text(author.name)[:NAME_BOUND], addr_spec=_addr_spec(author.address.strip()))
    # The email package raises AttributeError for some defects.
    except (UnicodeError, HeaderParseError, IndexError, ValueError, AttributeError) as error:
        raise ValueError("not an address that SES can send to") from error


def _addr_spec(address: str) -> str:
    local, _, domain = address.rpartition("@")
    local = _local_part(local)
    if not _LOCAL_PART.fullmatch(local):
        raise ValueError("its part before the @ needs quotes, or is not US-ASCII")
    return f"{local}@{domain_in_ascii(domain)}"


def one_line(text: str) -> str:
    """The text without line ends and other control characters, and with each run of white space as one space."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def field_text(text: str) -> str:
    """The text on one line, for a header field: nothing in it is an encoded word (RFC 2047 section 2).

    The email package decodes an encoded word in what it is given, and would write the line ends in it.
    """
    return one_line(text).replace("=?", "= ?")
