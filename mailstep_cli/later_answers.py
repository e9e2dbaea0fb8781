"""Writes an answer to an email, after its first one, into the mail bucket, from where Mailstep sends it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from pydantic import ValidationError

from mailstep import keys, reference
from mailstep.answers import read_answer
from mailstep.contracts import LaterAnswer
from mailstep.errors import MalformedAnswer
from mailstep.start.identity import execution_name
from mailstep_cli.errors import UserError
from mailstep_cli.home_stack import HomeStack, execution_arn
from mailstep_cli.message_files import read_file
from mailstep_cli.messages import find_email

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_LISTED = 2


@dataclass(frozen=True)
class Written:
    """Where the answer lies, and the execution that sends it."""

    bucket: str
    key: str
    execution_arn: str


def write(home: HomeStack, email: str, file: Path, name: str | None) -> Written:
    """Write the answer in `file` for an email, under `name` or else the file's own name.

    `email` is the email's id, the first characters of it, or its short reference.

    Raises:
        UserError: the stack is older than later answers, there is no such email or more than one, the file is not an
            answer, or the name is taken.
    """
    octets = read_file(file)
    _check(octets, file)
    if "LaterAnswerStateMachineArn" not in home.outputs:
        raise UserError(f"the stack {home.name!r} has no later answers: deploy this version")
    s3: S3Client = boto3.client("s3")
    bucket, machine = home.bucket, home.outputs["LaterAnswerStateMachineArn"]
    email_id, called = _email_id(s3, home, email), name or file.stem
    key = keys.later_answer(email_id, called)
    try:
        answer = LaterAnswer(email_id=email_id, name=called, bucket=bucket, key=key)
    except ValidationError as error:
        raise UserError(
            f"{called!r} cannot name an answer: give --name, of 1 to 100 letters, digits, '.', '_' and '-'"
        ) from error
    if s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents"):
        raise UserError(f"s3://{bucket}/{key} is there already, and each name is sent once: give another --name")
    s3.put_object(Bucket=bucket, Key=key, Body=octets, ContentType="application/json")
    return Written(bucket, key, execution_arn(machine, execution_name(answer)))


def _check(octets: bytes, file: Path) -> None:
    try:
        read_answer(octets, later=True)
    except MalformedAnswer as error:
        raise UserError(
            f'{file}: {error}. Write JSON as docs/schemas/answer.json says, such as {{"text": "It is on its way."}}'
        ) from error


def _email_id(s3: "S3Client", home: HomeStack, begin: str) -> str:
    """The id of the one email that is kept and whose id begins so, or that has this reference."""
    page = s3.list_objects_v2(Bucket=home.bucket, Prefix=f"{keys.PARSED}{begin}", Delimiter="/", MaxKeys=_LISTED)
    found = [one["Prefix"].removeprefix(keys.PARSED).rstrip("/") for one in page.get("CommonPrefixes", [])]
    if begin in found:
        return begin
    # With a catch-all route, an email and its copy have ids that begin alike: the index knows which one is the email.
    if len(found) > 1 or (not found and reference.read(begin)):
        return find_email(home, begin).email_id
    if not found:
        raise UserError(
            f"no email that is kept has an id that begins with {begin!r}. mailstep list shows the latest ones"
        )
    return found[0]
