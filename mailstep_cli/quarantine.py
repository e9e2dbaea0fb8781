"""Messages that could not be read: which there are and why, what is in one, and how they are processed again."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import boto3

from mailstep import keys, limits, reference
from mailstep.contracts import StoredEmail
from mailstep.outcomes import Outcome
from mailstep_cli import failures, mail_objects, replay
from mailstep_cli.errors import UserError
from mailstep_cli.home_stack import HomeStack

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectTypeDef

TAG = Outcome.QUARANTINED.value
"""The tag that QuarantineEmail puts the reason into (statemachine/email.asl.json)."""


@dataclass(frozen=True)
class Quarantined:
    """A message in quarantine: since when, how large, and why it could not be read."""

    email_id: str
    since: datetime
    size_octets: int
    reason: str


@dataclass(frozen=True)
class ShownQuarantined:
    """A message in quarantine, and how its raw text begins, with escapes for what a terminal obeys."""

    message: Quarantined
    begins: str


class Quarantine:
    """The quarantine of a stack."""

    def __init__(self, stack: HomeStack) -> None:
        self._stack, self._s3 = stack, _client()

    def all(self) -> Iterator[Quarantined]:
        """Every message in quarantine, in the order of their ids."""
        for found in self._objects():
            yield self._described(found["Key"], found["LastModified"], found["Size"])

    def find(self, email_id: str) -> Quarantined:
        """The one whose id begins with `email_id`, or whose short reference it is.

        Raises:
            UserError: no message in quarantine, or more than one, begins so.
        """
        found = self._s3.list_objects_v2(Bucket=self._stack.bucket, Prefix=keys.quarantined(email_id), MaxKeys=2).get(
            "Contents", []
        ) or self._with_reference(email_id)
        exact = [one for one in found if one["Key"] == keys.quarantined(email_id)] or found
        if len(exact) != 1:
            how_many = "no message" if not found else "more than one message"
            raise UserError(
                f"{how_many} in quarantine has the reference {email_id!r}, or an id that begins so. "
                "mailstep quarantine list shows them all"
            )
        return self._described(exact[0]["Key"], exact[0]["LastModified"], exact[0]["Size"])

    def _with_reference(self, name: str) -> "list[ObjectTypeDef]":
        # The index has references too, but for a shorter time than the quarantine has messages.
        wanted = reference.read(name)
        return [one for one in self._objects() if reference.short(one["Key"].removeprefix(keys.QUARANTINE)) == wanted]

    def _objects(self) -> "Iterator[ObjectTypeDef]":
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._stack.bucket, Prefix=keys.QUARANTINE)
        return (one for page in pages for one in page.get("Contents", []))

    def raw(self, one: Quarantined) -> bytes:
        """The message as SES stored it."""
        return mail_objects.read(
            self._s3, self._stack.bucket, keys.quarantined(one.email_id), octets=limits.MESSAGE_OCTETS
        )

    def release(self, one: Quarantined, *, began: datetime | None = None) -> replay.Replayed:
        """Process the original message again, and take its copy out of quarantine; return what was done.

        If it cannot be read this time either, the workflow quarantines it again. With `began`, by AWS's clock, the
        message is left alone if an execution of it was started since then (`replay_once`).
        """
        sfn = failures.client()
        execution = failures.described(sfn, self._stack.execution(one.email_id))
        email = (
            StoredEmail.model_validate_json(execution["input"])
            if execution
            else mail_objects.original(self._s3, self._stack.bucket, one.email_id)
        )
        if email is None or not mail_objects.exists(self._s3, email):
            return replay.Replayed("kept: the original is gone, so only the copy in quarantine is left", "")
        # Before the replay, and these versions only: a new copy that the replay makes stays.
        copies = list(mail_objects.versions(self._s3, self._stack.bucket, keys.quarantined(one.email_id), exact=True))
        again = replay.replay_once(sfn, self._stack.workflow_alias, email, began=began)
        if again.done in {replay.DONE, replay.DONE_ALREADY}:
            mail_objects.delete(self._s3, self._stack.bucket, copies)
        return dataclasses.replace(again, done="released") if again.done == replay.DONE else again

    def delete(self, one: Quarantined) -> str:
        """Delete the copy for good, and leave the original under `inbound/`."""
        copies = list(mail_objects.versions(self._s3, self._stack.bucket, keys.quarantined(one.email_id), exact=True))
        mail_objects.delete(self._s3, self._stack.bucket, copies)
        return "deleted"

    def _described(self, key: str, since: datetime, size: int) -> Quarantined:
        tags = self._s3.get_object_tagging(Bucket=self._stack.bucket, Key=key)["TagSet"]
        reason = next((tag["Value"] for tag in tags if tag["Key"] == TAG), "")
        return Quarantined(key.removeprefix(keys.QUARANTINE), since, size, reason)


def _client() -> "S3Client":
    return boto3.client("s3")
