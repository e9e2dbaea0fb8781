"""Erases what Mailstep stores of a person or of one email, and reports what was erased and what is left elsewhere."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING

import boto3

from mailstep import keys, reference
from mailstep.addresses import without_label
from mailstep.aws.ledger import suppression_id
from mailstep.start.identity import execution_name, later_answer
from mailstep_cli import failures, index_records, ledger_records, mail_objects, personal_data
from mailstep_cli.batches import whole
from mailstep_cli.errors import UserError
from mailstep_cli.home_stack import HomeStack, execution_arn
from mailstep_cli.mail_objects import Version
from mailstep_cli.messages import find_email

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

_EMAIL_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
LEFT = {
    "the executions' history in Step Functions": "it has the sender's address and the subject. AWS deletes it 90 days "
    "after an execution ended, and nobody can delete it earlier",
    "the index of messages": "the hourly sweep may list the id of an erased email again, without sender and "
    "subject, as long as Step Functions knows its executions",
    "the lists of replays": f"{keys.REPLAYS} has the ids and keys of the emails, and nothing of a sender, for "
    "ParsedRetentionDays",
    "SES's suppression list": "it has the address if a reply bounced: mailstep suppressed remove ADDRESS",
    "the queue of feedback that could not be recorded": "it has SES's events with addresses for 14 days",
    "mail to the operators": "SES's reports of bounces and complaints name the address",
    "backups of the ledger": "point-in-time recovery keeps hashes of addresses for 35 days",
    "your application, and the sender's own mailbox": "Mailstep has no access to them",
}
"""What this command does not reach, and why."""


@dataclass
class Erased:
    """What one email had, in versions and delete markers of objects, and in records."""

    email_id: str
    raw: int = 0
    parsed: int = 0
    answers: int = 0
    quarantine: int = 0
    index: int = 0
    ledger: int = 0


@dataclass
class Report:
    """What was erased. It names emails by their ids and the person by a hash, so that an auditor can keep it.

    Attributes:
        about: `{"email_id": ...}`, or `{"address_sha256": ...}` of the canonical address without label.
        by: The ARN of the operator who erased it.
        messages: What each email had.
        address_records: Records of the ledger by the address itself: counts of replies, and suppression.
        mentioned: Messages of other senders that name the address. They are not erased.
        unknown_answers: Answers without a message, so their sender is unknown. They are not erased.
        running: Emails that are still being processed, or answered later. They are not erased: erase again once their
            executions ended.
        complete: Whether nothing of what was found is left.
        left_elsewhere: What the command does not reach, and why.
    """

    stack: str
    about: dict[str, str]
    by: str
    began: str
    dry_run: bool
    ended: str = ""
    messages: list[Erased] = field(default_factory=list)
    address_records: int = 0
    mentioned: int = 0
    unknown_answers: int = 0
    running: list[str] = field(default_factory=list)
    interrupted: bool = False
    complete: bool = False
    left_elsewhere: dict[str, str] = field(default_factory=lambda: dict(LEFT))


class Erasure:
    """One erasure: what is found, then what is deleted."""

    def __init__(self, stack: HomeStack, *, dry_run: bool) -> None:
        self._stack, self._dry_run = stack, dry_run
        self._s3: S3Client = boto3.client("s3")
        self._dynamodb: DynamoDBClient = boto3.client("dynamodb")
        self._emails: dict[str, str | None] = {}
        self._address_records: list[str] = []
        self._records: dict[str, list[str]] = {}
        self._indexed: set[str] = set()
        self.report = Report(stack.name, {}, _caller(), _now(), dry_run)

    def find_person(
        self, address: str, progress: Callable[[int], None] = lambda _: None, *, keep_suppression: bool = False
    ) -> None:
        """Find everything of an address, with any label. With `keep_suppression`, it still gets no mail afterwards."""
        person = without_label(address.strip())
        found = personal_data.messages_of(self._s3, self._stack.bucket, person, progress=progress)
        self._indexed = set(index_records.of_person(self._dynamodb, self._stack.index_table, person))
        # An entry may be left of a message whose objects are gone.
        self._emails = dict.fromkeys(self._indexed) | found.messages
        self.report.about = {"address_sha256": suppression_id(person).partition("#")[2]}
        self.report.mentioned, self.report.unknown_answers = found.mentioned, found.unknown_answers
        ids = [
            *ledger_records.of_address(person, found.routes),
            *([] if keep_suppression else [suppression_id(person)]),
        ]
        self._address_records = ledger_records.there(self._dynamodb, self._stack.ledger, ids)
        self._find_records()

    def find_email(self, name: str) -> None:
        """Find everything of one email, by its whole id or its short reference.

        Raises:
            UserError: it is no id, nothing is stored under it, or several emails have the reference.
        """
        email_id = find_email(self._stack, name).email_id if reference.read(name) else name
        # A part of another name, such as that of one attachment, would be a prefix of keys (start/identity.py).
        if not _EMAIL_ID.fullmatch(email_id):
            raise UserError(f"{email_id!r} is not the id of an email: give its id, its reference, or an address")
        email = mail_objects.original(self._s3, self._stack.bucket, email_id)
        if not (
            email
            or mail_objects.made_of(self._s3, self._stack.bucket, email_id)
            or index_records.exists(self._dynamodb, self._stack.index_table, email_id)
        ):
            raise UserError(f"nothing is stored of an email {email_id!r}: give its id, its reference, or an address")
        self._emails = {email_id: email.key if email else None}
        self.report.about = {"email_id": email_id}
        self._find_records()

    def _find_records(self) -> None:
        self.report.address_records = len(self._address_records)
        for email_id, record in ledger_records.naming(self._dynamodb, self._stack.ledger, self._emails):
            self._records.setdefault(email_id, []).append(record)

    @property
    def count(self) -> int:
        """How many emails were found."""
        return len(self._emails)

    def erase(self, progress: Callable[[int], None] = lambda _: None) -> Report:
        """Delete what was found, unless it is a dry run; an interrupt ends it between two emails."""
        try:
            if not self._dry_run:
                ledger_records.delete(self._dynamodb, self._stack.ledger, self._address_records)
            for number, (email_id, key) in enumerate(self._emails.items(), start=1):
                with whole():
                    made = mail_objects.made_of(self._s3, self._stack.bucket, email_id)
                    if self._is_running(email_id, made):
                        self.report.running.append(email_id)
                    else:
                        self.report.messages.append(self._erase(email_id, key, made))
                progress(number)
        except KeyboardInterrupt:
            self.report.interrupted = True
        self.report.ended = _now()
        self.report.complete = not (self._dry_run or self.report.running or self.report.interrupted)
        return self.report

    def _is_running(self, email_id: str, made: list[Version]) -> bool:
        """Whether an execution, also one of a later answer, would still write something about the email."""
        sfn, workflow = failures.client(), self._stack.outputs.get("LaterAnswerStateMachineArn", "")
        answers = {later_answer(self._stack.bucket, one.key) for one in made}
        sends = (failures.described(sfn, execution_arn(workflow, execution_name(one))) for one in answers if one)
        executions = chain(failures.executions_of(sfn, self._stack, email_id), (one for one in sends if one))
        return any(one["status"] == "RUNNING" for one in executions)

    def _erase(self, email_id: str, key: str | None, made: list[Version]) -> Erased:
        """The raw message goes last: as long as it is there, the email is found again after an interrupt."""
        raw = list(mail_objects.versions(self._s3, self._stack.bucket, key, exact=True)) if key else []
        below = keys.later_answers(email_id)
        later = {one.key.removeprefix(below).removesuffix(".json") for one in made if one.key.startswith(below)}
        ids = ledger_records.of_email(email_id, later)
        records = ledger_records.there(self._dynamodb, self._stack.ledger, ids)
        records += self._records.get(email_id, [])
        erased = Erased(
            email_id,
            raw=len(raw),
            parsed=sum(one.key.startswith(keys.PARSED) for one in made),
            answers=sum(one.key.startswith(keys.ANSWERS) for one in made),
            quarantine=sum(one.key.startswith(keys.QUARANTINE) for one in made),
            index=int(index_records.exists(self._dynamodb, self._stack.index_table, email_id)),
            ledger=len(records),
        )
        if not self._dry_run:
            mail_objects.delete(self._s3, self._stack.bucket, made)
            ledger_records.delete(self._dynamodb, self._stack.ledger, records)
            index_records.delete(self._dynamodb, self._stack.index_table, email_id)
            mail_objects.delete(self._s3, self._stack.bucket, raw)
        return erased


def _caller() -> str:
    arn: str = boto3.client("sts").get_caller_identity()["Arn"]
    return arn


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
