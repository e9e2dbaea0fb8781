"""Finds the messages of a person in the mail bucket, by the bucket itself: nothing else knows all that is stored.

The index and `parsed/` forget a message before `inbound/` does. So each raw message is asked who wrote it.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import batched
from typing import TYPE_CHECKING

from pydantic import ValidationError

from mailstep import keys
from mailstep.addresses import without_label
from mailstep.contracts import Message
from mailstep.mime.fields import decode_words
from mailstep.mime.structure import structure
from mailstep.parse.fields import addresses
from mailstep.parse.fields import field as field_of
from mailstep.start.identity import stored_email
from mailstep_cli import mail_objects
from mailstep_cli.mail_objects import Version

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_HEADER_OCTETS = 256 * 1024
_AT_ONCE = 16
_PAGE = 500
_WRITERS = ("from", "sender", "reply-to")
_OTHERS = ("to", "cc", "bcc", "resent-from", "resent-to", "resent-cc")

# Whatever may be one in a broken field, as a whole: `joann@` is not `ann@`. RFC 5322 section 3.4.1, without quotes.
_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w.-]{1,255}")


@dataclass
class Found:
    """The messages of a person.

    Attributes:
        messages: By email_id, the key of the raw message; None if the raw message itself is gone.
        mentioned: How many messages of others name the address in a field such as To or Cc.
        routes: The names under `inbound/`.
        unknown_answers: How many answers have no message left, so their sender is unknown.
    """

    messages: dict[str, str | None] = field(default_factory=dict)
    mentioned: int = 0
    routes: set[str] = field(default_factory=set)
    unknown_answers: int = 0


@dataclass(frozen=True)
class _Read:
    email_id: str
    key: str | None
    is_theirs: bool
    is_mentioned: bool


def messages_of(
    s3: "S3Client", bucket: str, address: str, *, progress: Callable[[int], None] = lambda _: None
) -> Found:
    """Every message that an address wrote: in From, Sender, Reply-To or Return-Path, with any label (RFC 5233).

    It reads the header of each version of each raw message, and tells `progress` how many it has read.
    """
    person, found, seen = without_label(address.strip()), Found(), set[str]()

    def take(reads: Iterable[_Read]) -> None:
        for read in reads:
            seen.add(read.email_id)
            if read.is_theirs:
                found.messages[read.email_id] = read.key or found.messages.get(read.email_id)
            elif read.is_mentioned:
                found.mentioned += 1
            progress(len(seen))

    def header(version: Version, email_id: str, key: str | None) -> _Read:
        return _Read(email_id, key, *_names(_header(s3, bucket, version), person))

    def raw(version: Version) -> _Read | None:
        email = stored_email(bucket, version.key)
        if email is None:
            return None
        found.routes.add(email.route)
        return header(version, email.email_id, version.key)

    def copy(version: Version) -> _Read | None:
        email_id = version.key.removeprefix(keys.QUARANTINE)
        return None if email_id in seen else header(version, email_id, None)

    def parsed(version: Version) -> _Read | None:
        email_id = version.key.removeprefix(keys.PARSED).partition("/")[0]
        if email_id in seen or version.key != keys.message(email_id):
            return None
        content = mail_objects.read(s3, bucket, version.key, version.version_id)
        try:
            message = Message.model_validate_json(content)
        except ValidationError:
            return None
        writers = {without_label(one.address) for one in (*message.from_, *message.reply_to)}
        others = {without_label(one.address) for one in (*message.to, *message.cc)}
        return _Read(email_id, None, person in writers, person in others)

    take(_each(raw, mail_objects.versions(s3, bucket, keys.INBOUND)))
    take(_each(copy, mail_objects.versions(s3, bucket, keys.QUARANTINE)))
    take(_each(parsed, mail_objects.versions(s3, bucket, keys.PARSED)))
    answers = {_answered(version.key) for version in mail_objects.versions(s3, bucket, keys.ANSWERS)}
    found.unknown_answers = len(answers - seen)
    return found


def _each(read: Callable[[Version], _Read | None], versions: Iterable[Version]) -> Iterator[_Read]:
    """What `read` returns for each version that is no delete marker, several at a time."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for page in batched((version for version in versions if not version.is_marker), _PAGE, strict=False):
            yield from (one for one in pool.map(read, page) if one)


def _answered(key: str) -> str:
    return key.removeprefix(keys.ANSWERS).partition("/")[0].removesuffix(".json")


def _header(s3: "S3Client", bucket: str, version: Version) -> bytes:
    """The header of a raw message; the whole message if its header does not end within the first octets."""
    first = mail_objects.read(s3, bucket, version.key, version.version_id, octets=_HEADER_OCTETS)
    if b"\n\n" not in first.replace(b"\r", b"") and (version.size or 0) > len(first):
        first = mail_objects.read(s3, bucket, version.key, version.version_id)
    head, _, _ = first.replace(b"\r\n", b"\n").partition(b"\n\n")
    return head + b"\n\n"


def _names(header: bytes, person: str) -> tuple[bool, bool]:
    """Whether a person wrote a message, and whether another field names the person."""
    root = structure(header, set())

    def addressed(names: Iterable[str]) -> set[str]:
        return {without_label(one.address) for name in names for one in addresses(root, name, set())}

    writers = addressed(_WRITERS)
    returned = without_label(field_of(root, "return-path").strip("<> "))
    if not writers:
        # Nothing says who wrote it, so the address anywhere in the header counts.
        everything = decode_words(header.decode("latin-1"), ()).lower()
        return returned == person or person in map(without_label, _ADDRESS.findall(everything)), False
    return person in writers | {returned}, person in addressed(_OTHERS)
