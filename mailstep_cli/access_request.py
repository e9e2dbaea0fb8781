"""Writes what Mailstep stores of a person into a ZIP file, for a request for access."""

import json
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import boto3

from mailstep import keys
from mailstep.addresses import without_label
from mailstep_cli import index_records, mail_objects, personal_data
from mailstep_cli.errors import UserError
from mailstep_cli.home_stack import HomeStack

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_README = """What is here of each message, in a folder named after its id:

message.eml        the message as it was received
message.json       what was read in it
answer.json        what was answered
later-answers/     what was answered after that
quarantined.eml    the copy of a message that could not be read
index.json         the entry in the list of messages; all that is left of a message that has expired
"""


@dataclass(frozen=True)
class Export:
    """What was written.

    Attributes:
        file: The ZIP file.
        messages: How many messages are in it.
        expired: Those of them of which only the entry in the index is left.
        objects: How many files are in it.
        mentioned: How many messages of others name the person. They are not in it.
    """

    file: str
    messages: int
    expired: int
    objects: int
    mentioned: int


def write(stack: HomeStack, address: str, file: Path, *, progress: Callable[[int], None] = lambda _: None) -> Export:
    """Write everything of an address to a new file that only its owner can read; return what is in it.

    Attachments lie in the messages themselves, so they are not written a second time.

    Raises:
        UserError: the file exists, or cannot be written.
    """
    s3: S3Client = boto3.client("s3")
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise UserError(f"{file}: {error.strerror}. Name a new file with --output") from error
    objects = 0
    with os.fdopen(descriptor, "wb") as opened, zipfile.ZipFile(opened, "w", zipfile.ZIP_DEFLATED) as archive:
        person = without_label(address.strip())
        found = personal_data.messages_of(s3, stack.bucket, person, progress=progress)
        expired = set(index_records.of_person(boto3.client("dynamodb"), stack.index_table, person)) - set(
            found.messages
        )
        archive.writestr("README.txt", _README)
        for email_id, key in (found.messages | dict.fromkeys(expired)).items():
            for source, name in _wanted(s3, stack.bucket, email_id, key):
                content = mail_objects.read(s3, stack.bucket, source.key, source.version_id)
                archive.writestr(f"{email_id}/{name}", content)
                objects += 1
            if stack.index_table and (entry := stack.index.get(email_id)):
                archive.writestr(f"{email_id}/index.json", entry.model_dump_json(indent=2))
                objects += 1
        archive.writestr("messages.json", json.dumps(sorted({*found.messages, *expired}), indent=2))
    return Export(str(file), len(found.messages) + len(expired), len(expired), objects, found.mentioned)


def _wanted(s3: "S3Client", bucket: str, email_id: str, key: str | None) -> list[tuple[mail_objects.Version, str]]:
    """The newest version of each object of an email, deleted by a marker or not, and its name in the file."""
    raw = list(mail_objects.versions(s3, bucket, key, exact=True)) if key else []
    named = [(version, "message.eml") for version in raw]
    for version in mail_objects.made_of(s3, bucket, email_id):
        if version.key == keys.message(email_id):
            named.append((version, "message.json"))
        elif version.key == keys.quarantined(email_id):
            named.append((version, "quarantined.eml"))
        elif version.key.startswith(keys.ANSWERS):
            name = version.key.removeprefix(keys.later_answers(email_id)).rpartition("/")[2]
            named.append((version, "answer.json" if version.key == keys.answer(email_id) else f"later-answers/{name}"))
    # The newest version of a key comes first (Amazon S3 API Reference, ListObjectVersions).
    newest: dict[str, mail_objects.Version] = {}
    for version, name in named:
        if not version.is_marker:
            newest.setdefault(name, version)
    return [(version, name) for name, version in newest.items()]
