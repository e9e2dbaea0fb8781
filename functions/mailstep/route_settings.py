"""Checks the settings of routes.toml: each function returns the canonical form, or raises what to write instead."""

import re
import struct
from collections.abc import Callable
from functools import wraps
from ipaddress import ip_address
from mimetypes import guess_type
from pkgutil import iter_modules

from pydantic_core import ErrorDetails
from urllib3.exceptions import LocationParseError
from urllib3.util import Url, parse_url

from mailstep import custom
from mailstep.addresses import canonical_domain, is_address, is_domain
from mailstep.texts.files import languages

_AUTHORITY = re.compile(r"https?://([^/?#]*)", re.IGNORECASE)
_THIS_MACHINE = {"localhost", "127.0.0.1", "[::1]"}
# Amazon SQS Developer Guide, "Queue and message identifiers": 80 characters with the suffix.
_QUEUE_PATH = re.compile(r"/\d{12}/[A-Za-z0-9_-]{1,75}\.fifo")
_SECRET = re.compile(r"arn:[a-z-]+:secretsmanager:[a-z0-9-]+:\d{12}:secret:\S+")
# Those that UTS 46 maps to a full stop.
_DOTS = re.compile("[.\u3002\uff0e\uff61]")
FOOTER_CHARACTERS = 1_000
"""Characters of a reply's footer."""
LOGO_OCTETS, LOGO_PIXELS = 100_000, 2_000
"""Octets of a logo, which each reply carries, and pixels of its longer side."""
_COLOUR = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})")
_FILE_NAME = re.compile(r"[\w-][\w.-]{0,99}")
_PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
_WILDCARD = re.compile(r"[*?\[]")
# In an address only within quotes (RFC 5322 section 3.2.3).
_OUTSIDE_ADDRESSES = re.compile(r'[\s<>(),:;"\\]')
# RFC 2045 section 5.1, tspecials but for those that a wildcard or the slash needs.
_OUTSIDE_TOKENS = re.compile(r"[\s()<>@,;:\\\"=]")
_TOP_LEVEL_TYPES = {"application", "audio", "font", "image", "message", "model", "multipart", "text", "video"}
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+*?\[\]-]+/[\w!#$&^.+*?\[\]-]+", re.ASCII)


# By the type of the error (Pydantic documentation, "Validation errors"); the names in braces are of its context.
_REMEDIES = {
    "bool_": "write true or false",
    "float_": "write a number",
    "int_": "write a whole number",
    "string_": 'write a text in quotes, as "..."',
    "tuple_": 'write a list, as ["..."]',
    "literal_error": "write {expected}",
    "greater_than_equal": "write at least {ge:g}",
    "greater_than": "write more than {gt:g}",
    "less_than_equal": "write at most {le:g}",
    "less_than": "write less than {lt:g}",
    "value_error": "{error}",
    "extra_forbidden": "",
}


def remedy(fault: ErrorDetails) -> str:
    """What to write instead of a value that is wrong; empty if there is no such setting."""
    context = fault.get("ctx", {})
    found = (said.format(**context) for kind, said in _REMEDIES.items() if fault["type"].startswith(kind))
    return next(found, fault["msg"])


def _unless_empty(check: Callable[[str], str]) -> Callable[[str], str]:
    """A setting that is empty is not set, so there is nothing to check."""

    @wraps(check)
    def checked(value: str) -> str:
        return check(value) if value else ""

    return checked


@_unless_empty
def application_url(value: str) -> str:
    """A URL with HTTPS, or on this machine (RFC 3986), with its host as A-labels.

    Raises:
        ValueError: what to write instead.
    """
    return _called(value).url


@_unless_empty
def queue_url(value: str) -> str:
    """The URL of an SQS FIFO queue.

    Raises:
        ValueError: what to write instead.
    """
    if not value.endswith(".fifo"):
        raise ValueError("name the URL of a FIFO queue; it ends in .fifo")
    url = _called(value)
    if url.query is not None or not _QUEUE_PATH.fullmatch(url.path or ""):
        raise ValueError("name the queue's whole URL, as https://sqs.<region>.amazonaws.com/<account>/<name>.fifo")
    return url.url


def _called(value: str) -> Url:
    if " " in value or "\\" in value or not value.isprintable():
        raise ValueError("take out spaces, backslashes and control characters")
    written = _AUTHORITY.match(value)
    if written is None:
        raise ValueError("begin it with https://")
    if "@" in written[1]:
        raise ValueError("remove everything before the @: use `auth` and `secret` for authentication")
    try:
        url = parse_url(value)
    except LocationParseError as error:
        raise ValueError("write a host's name after https://, and a port only as a number up to 65535") from error
    host = url.host or ""
    if "%" in written[1] or url.port == 0 or not (is_domain(host) or _is_ip_address(host)):
        raise ValueError("write a host's name after https://, and a port only as a number from 1 to 65535")
    if url.scheme == "http" and host not in _THIS_MACHINE:
        raise ValueError("begin it with https:// (http:// is for this machine only)")
    if url.fragment is not None:
        raise ValueError("take out the # and what follows: it is never sent")
    return url


def _is_ip_address(host: str) -> bool:
    try:
        ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


@_unless_empty
def secret_arn(value: str) -> str:
    """The ARN of a secret.

    Raises:
        ValueError: what to write instead. It never repeats the value, which may be the secret.
    """
    if not _SECRET.fullmatch(value):
        raise ValueError("name the ARN of a secret in Secrets Manager, not the secret itself")
    return value


@_unless_empty
def processor(value: str) -> str:
    """The name of a module of mailstep/process/processors.

    Raises:
        ValueError: the names of the processors.
    """
    # Only names are checked here: the process step imports the processor.
    known = sorted({module.name for module in iter_modules(custom.PROCESSORS)})
    if value not in known:
        missing = (
            f"there is no functions/custom/processors/{value}.py"
            if value.isidentifier()
            else "it is not the name of a processor"
        )
        raise ValueError(f"{missing}: name one of {', '.join(known)}, or add yours")
    return value


@_unless_empty
def reply_address(value: str) -> str:
    """An address that SES can send from, its domain as A-labels in lower case.

    Raises:
        ValueError: what to write instead.
    """
    local, _, domain = value.strip().rpartition("@")
    address = f"{local}@{canonical_domain(domain)}"
    if not is_address(address):
        raise ValueError("write one address, <name>@<domain>, its name in US-ASCII and without quotes")
    return address


def display_name(value: str) -> str:
    """A name that fits a header field (RFC 5322 section 2.2).

    Raises:
        ValueError: what to write instead.
    """
    if not value.isprintable():
        raise ValueError("write it on one line, without control characters")
    return value


@_unless_empty
def language(value: str) -> str:
    """A language that there are texts in, by its code of ISO 639-1.

    Raises:
        ValueError: the languages that there are.
    """
    known = languages()
    if value not in known:
        raise ValueError(f"there is no functions/custom/texts/{value}.toml: write one of {', '.join(known)}")
    return value


def footer(value: str) -> str:
    """A text of some lines, below every reply.

    Raises:
        ValueError: what to write instead.
    """
    if len(value) > FOOTER_CHARACTERS or not value.replace("\n", "").isprintable():
        raise ValueError(f"write up to {FOOTER_CHARACTERS:,} characters, without control characters")
    return value


@_unless_empty
def colour(value: str) -> str:
    """A colour of sRGB as `#rrggbb`, in lower case.

    Raises:
        ValueError: what to write instead.
    """
    written = value.strip().lower()
    if not _COLOUR.fullmatch(written):
        raise ValueError("write a colour in hexadecimal, as #1a73e8")
    return written if len(written) == 7 else "#" + "".join(2 * digit for digit in written[1:])


@_unless_empty
def logo(value: str) -> str:
    """The name of a PNG in functions/custom/.

    Raises:
        ValueError: what to write instead.
    """
    file = custom.own_file(value) if _FILE_NAME.fullmatch(value) else None
    if file is None:
        raise ValueError(f"there is no functions/custom/{value}: write the name of a PNG in that folder")
    if file.stat().st_size > LOGO_OCTETS:
        raise ValueError(f"{value} has more than {LOGO_OCTETS:,} octets, and each reply carries it: save it smaller")
    if max(png_size(file.read_bytes())) > LOGO_PIXELS:
        raise ValueError(f"{value} is larger than {LOGO_PIXELS:,} pixels a side: save it smaller")
    return value


def png_size(content: bytes) -> tuple[int, int]:
    """Width and height of a PNG in pixels (Portable Network Graphics Specification, 11.2.1).

    Raises:
        ValueError: it is not a PNG.
    """
    if not content.startswith(_PNG) or len(content) < 24:
        raise ValueError("the file is not a PNG: save it as one")
    width, height = struct.unpack(">II", content[16:24])
    if not width or not height:
        raise ValueError("the file is not a PNG that has pixels: save it again")
    return width, height


def sender_pattern(value: str) -> str:
    """A pattern of addresses in their canonical form (`addresses.canonical`); `*`, `?` and `[…]` are wildcards.

    Raises:
        ValueError: no address can match it; with a suggestion.
    """
    pattern = value.strip().lower()
    if not pattern:
        return ""
    # This text is logged, and addresses are personal data, so it repeats only domains.
    if _OUTSIDE_ADDRESSES.search(pattern):
        raise ValueError("no address matches it: write each address alone, as ann@shop.example or *@shop.example")
    local, at, domain = pattern.rpartition("@")
    labels = [label if _WILDCARD.search(label) else canonical_domain(label) for label in _DOTS.split(domain)]
    domain = ".".join(labels)
    if not domain.isascii():
        raise ValueError("no address matches it: write a label with a wildcard in US-ASCII, or without the wildcard")
    if not at and _WILDCARD.search(domain):
        return domain
    if not local and is_domain(domain.strip(".")):
        raise ValueError(f"no address matches {at}{domain}: write *@{'*' * domain.startswith('.')}{domain.rstrip('.')}")
    # A wildcard stands for characters of a label, or for whole labels.
    named = re.sub(r"\[[^]]*\]|[*?]", "x", domain)
    if not local or "@" in local or named.endswith(".") or not is_domain(named):
        raise ValueError("no address matches it: write it as ann@shop.example or *@shop.example")
    return f"{local}@{domain}"


def media_type_pattern(value: str) -> str:
    """A pattern of media types, in lower case; `*`, `?` and `[…]` are wildcards.

    Raises:
        ValueError: no media type can match it; with a suggestion.
    """
    pattern = value.strip().lower()
    has_form = _MEDIA_TYPE.fullmatch(pattern) or (_WILDCARD.search(pattern) and not pattern.startswith("*."))
    if not pattern or (has_form and not _OUTSIDE_TOKENS.search(pattern)):
        return pattern
    named = pattern.partition(";")[0].strip().removesuffix("/")
    if named in _TOP_LEVEL_TYPES:
        meant = f"{named}/*"
    elif _MEDIA_TYPE.fullmatch(named):
        meant = named
    else:
        meant = guess_type(f"file.{pattern.removeprefix('*').removeprefix('.')}")[0] or "text/csv or image/*"
    raise ValueError(f"no media type matches {value!r}: write {meant}")
