"""What ParseEmail makes of a message file, offline."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

from mailstep import keys
from mailstep.contracts import Message, StoredEmail
from mailstep.errors import UnreadableEmail
from mailstep.parse.message import parse
from mailstep_cli.errors import UserError

_FILE = StoredEmail(email_id="file", bucket="file", key=f"{keys.inbound('file')}file")
"""Stands for the object where a message comes from a file."""


def read_file(path: Path) -> bytes:
    """The octets of a file.

    Raises:
        UserError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from error


def parse_file(path: Path, attachments: Path | None = None) -> Message:
    """Parse a message file; write its attachments to a directory, under their safe names, if one is named.

    Raises:
        UserError: the file cannot be read, is no email, or the attachments cannot be written.
    """
    return parse_octets(read_file(path), path, attachments)


def parse_octets(raw: bytes, path: Path, attachments: Path | None = None) -> Message:
    """The same with the octets of the file, which is read no more.

    Raises:
        UserError: it is no email, or the attachments cannot be written.
    """
    contents: dict[str, bytes] = {}
    try:
        message = parse(raw, _FILE, contents.__setitem__ if attachments else lambda _key, _content: None)
    except UnreadableEmail as error:
        raise UserError(f"{path}: not an email ({error})") from error
    if attachments:
        _write(message, contents, attachments, path.name)
    return message


def _write(message: Message, contents: dict[str, bytes], parent: Path, name: str) -> None:
    try:
        directory = next(free for free in (parent / made for made in _names(name)) if not free.exists())
        directory.mkdir(parents=True)
        for number, attachment in enumerate(message.attachments, start=1):
            # The number keeps apart what the sender called the same.
            (directory / f"{number}-{attachment.filename}").write_bytes(contents[attachment.key])
    except OSError as error:
        raise UserError(f"{parent}: attachments cannot be written: {error.strerror}") from error


def _names(name: str) -> Iterator[str]:
    """A name, then the same with a number: files of one name in two folders are two messages."""
    yield name
    yield from (f"{name}-{number}" for number in count(2))
