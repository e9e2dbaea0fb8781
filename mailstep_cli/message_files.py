"""Parses message files as ParseEmail does, offline."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

from mailstep import keys
from mailstep.contracts import Message, StoredEmail
from mailstep.errors import UnreadableEmail
from mailstep.parse.message import parse
from mailstep_cli.errors import UserError

_FILE = StoredEmail(email_id="file", route="file", bucket="file", key=f"{keys.inbound('file')}file")
"""Stands for the object where a message comes from a file."""


def read_file(path: Path) -> bytes:
    """The octets of a file.

    Raises:
        UserError: the file cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from error


def parse_file(path: Path, attachments: Path | None = None) -> Message:
    """Parse a message file, and write its attachments under their safe names to `attachments`, if given.

    Raises:
        UserError: the file cannot be read, is not an email, or the attachments cannot be written.
    """
    return parse_octets(read_file(path), path, attachments)


def parse_octets(raw: bytes, path: Path, attachments: Path | None = None) -> Message:
    """Do the same with the octets of a file that is already read.

    Raises:
        UserError: the file is not an email, or the attachments cannot be written.
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
            # The number keeps attachments of the same name apart.
            (directory / f"{number}-{attachment.filename}").write_bytes(contents[attachment.key])
    except OSError as error:
        raise UserError(f"{parent}: cannot write the attachments: {error.strerror}") from error


def _names(name: str) -> Iterator[str]:
    """A name, then the same name with numbers: files of one name in two folders are two messages."""
    yield name
    yield from (f"{name}-{number}" for number in count(2))
