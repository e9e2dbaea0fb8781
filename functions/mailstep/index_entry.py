"""What the index says of one email: a summary of the message, its executions, and bounces of its replies.

An entry is built from parts that arrive in any order, and more than once. The result does not depend on the order.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from pydantic import Field, PlainSerializer

from mailstep import reference
from mailstep.addresses import NAME_BOUND, canonical, one_line
from mailstep.contracts import SUBJECT_IN_STATE, Contract, Message, StoredEmail
from mailstep.outcomes import ENDED_BADLY, RUNNING, UNKNOWN, Outcome, Standing

EXECUTIONS = 50
"""Executions that an entry keeps: the first one, and the latest others. A name allows 98 replays."""
FEEDBACK = 20
"""Bounces and complaints that an entry keeps, the first ones."""
_ERROR = 200  # characters of an error's name

# `<email_id>`, or `<email_id>-r…` for a replay; an email_id ends with a hash (start/identity.py).
_EXECUTION_NAME = re.compile(r"([A-Za-z0-9_-]{1,43}-[0-9a-f]{32})(-r.*)?")


def text_of(time: datetime) -> str:
    """A time as text that sorts as the times do: UTC, with milliseconds (RFC 3339)."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Time = Annotated[datetime, PlainSerializer(text_of, when_used="json")]


def email_id_of(execution_name: str) -> str | None:
    """The email_id in the name of an execution; None if StartFunction and `mailstep replay` give no such name."""
    found = _EXECUTION_NAME.fullmatch(execution_name)
    return found[1] if found else None


class _Tolerant(Contract):
    """A part of an entry. A version that is rolled back reads what a newer one wrote, so unknown fields are ignored."""

    model_config = Contract.model_config | {"extra": "ignore"}


class Execution(_Tolerant):
    """One execution of an email: the original, a replay, or one that was started by hand."""

    arn: str
    status: str = Field(description="Of Step Functions: RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED")
    started: Time
    redriven: Time | None = Field(default=None, description="When it was last redriven")
    redrives: int = 0
    ended: Time | None = None
    replay: bool = Field(default=False, description="Whether `mailstep replay` started it")
    outcome: Standing = Field(description="An outcome of docs/architecture.md, or `running`")
    reason: str | None = None
    withheld: str | None = Field(default=None, description="The rule that withheld the reply")
    error: str | None = Field(default=None, description="The name of the error that it failed with")
    ses_message_id: str | None = Field(default=None, description="SES's id of the reply")

    @property
    def name(self) -> str:
        """The name that `mailstep history` takes."""
        return self.arn.rpartition(":")[2]

    @property
    def latest_start(self) -> datetime:
        """When it started, or was last redriven."""
        return self.redriven or self.started

    def is_newer_than(self, other: Self) -> bool:
        """Whether it says more of the same execution: after a redrive, or how it ended."""
        return (self.redrives, self.ended is not None) > (other.redrives, other.ended is not None)


class Feedback(_Tolerant):
    """A bounce or complaint about a reply."""

    at: Time | None = Field(default=None, description="When SES recorded it")
    kind: Literal["Bounce", "Complaint"]
    detail: str = Field(default="", description="bounceType, or complaintFeedbackType (Amazon SES Developer Guide)")
    ses_message_id: str | None = Field(default=None, description="SES's id of the reply")


class IndexEntry(_Tolerant):
    """What the index says of one email. `mailstep list --json` prints it."""

    schema_: Literal["mailstep.index-entry/1"] = Field(
        default="mailstep.index-entry/1", alias="schema", description="Version of this contract"
    )
    email_id: str
    reference: str = Field(description="Eight characters that name the email, for people")
    route: str | None = None
    bucket: str | None = None
    key: str | None = Field(default=None, description="Of the raw message in the mail bucket")
    version_id: str | None = Field(default=None, description="Of the raw message, when its first execution started")
    stored: Time | None = Field(default=None, description="When S3 stored the raw message")
    received: Time | None = Field(
        default=None, description="When SES received it; until it is parsed, when S3 stored it or the execution started"
    )
    recipient: str | None = Field(default=None, description="The address that it came to, if the message says it")
    sender: str | None = Field(default=None, description="The address of the first author, in canonical form")
    sender_name: str | None = Field(default=None, description="The display name of the first author, cut")
    subject: str | None = Field(default=None, description="Cut to 200 characters")
    message_id: str | None = Field(default=None, description="RFC 5322 section 3.6.4, with its angle brackets")
    thread_id: str | None = None
    size_octets: int | None = None
    attachments: int | None = None
    outcome: Standing = Field(
        default=UNKNOWN,
        description="Of the latest execution; `running` while it runs, `unknown` if no execution is known",
    )
    reason: str | None = None
    withheld: str | None = None
    error: str | None = None
    started: Time | None = Field(default=None, description="When the latest execution started, or was redriven")
    ended: Time | None = None
    time_to_reply_ms: int | None = Field(
        default=None, description="From `received` until the end of the execution that replied; replays do not count"
    )
    executions: tuple[Execution, ...] = Field(default=(), description="The oldest first")
    feedback: tuple[Feedback, ...] = Field(default=(), description="Bounces of and complaints about its replies")

    model_config = _Tolerant.model_config | {"populate_by_name": True, "serialize_by_alias": True}

    @classmethod
    def empty(cls, email_id: str) -> Self:
        """An entry of an email about which nothing is known yet."""
        return cls(email_id=email_id, reference=reference.short(email_id))

    @property
    def ses_message_ids(self) -> tuple[str, ...]:
        """SES's ids of the replies with which its executions ended, the first one first."""
        return tuple(dict.fromkeys(one.ses_message_id for one in self.executions if one.ses_message_id))

    def with_email(self, email: StoredEmail) -> Self:
        """The entry with where the raw message lies."""
        first = self.bucket is None
        return self.model_copy(
            update={
                "route": email.route,
                "bucket": email.bucket,
                "key": email.key,
                # A copy in place has another version and time, and is the same email (start/identity.py).
                "version_id": email.version_id if first else self.version_id,
                "stored": email.stored if first else self.stored,
            }
        )._concluded()

    def with_execution(self, execution: Execution) -> Self:
        """The entry with an execution, unless it knows as much of that execution already."""
        known = {one.arn: one for one in self.executions}
        before = known.get(execution.arn)
        if before and not execution.is_newer_than(before):
            return self
        known[execution.arn] = execution
        return self.model_copy(update={"executions": _bounded(known.values())})._concluded()

    def with_message(self, message: Message) -> Self:
        """The entry with the summary of the parsed message."""
        author = message.from_[0] if message.from_ else None
        return self.model_copy(
            update={
                "received": message.received or self.received,
                "recipient": message.recipient.address if message.recipient else None,
                "sender": canonical(author.address) if author else None,
                "sender_name": one_line(author.name)[:NAME_BOUND] or None if author else None,
                "subject": message.subject[:SUBJECT_IN_STATE],
                "message_id": message.message_id or None,
                "thread_id": message.thread_id or None,
                "size_octets": message.size_octets,
                "attachments": len(message.attachments),
            }
        )._concluded()

    def with_feedback(self, feedback: Feedback) -> Self:
        """The entry with a bounce or complaint, once."""
        if feedback in self.feedback:
            return self
        kept = sorted((*self.feedback, feedback), key=lambda one: one.model_dump_json())
        return self.model_copy(update={"feedback": tuple(kept[:FEEDBACK])})

    def _concluded(self) -> Self:
        """The entry with what follows from its parts: the outcome is that of the execution that started last."""
        if not self.executions:
            return self.model_copy(update={"received": self.received or self.stored})
        last = max(self.executions, key=lambda one: (one.latest_start, one.arn))
        received = self.received or self.stored or self.executions[0].started
        return self.model_copy(
            update={
                "received": received,
                "outcome": last.outcome,
                "reason": last.reason,
                "withheld": last.withheld,
                "error": last.error,
                "started": last.latest_start,
                "ended": last.ended,
                "time_to_reply_ms": _time_to_reply(received, self.executions),
            }
        )


def _bounded(executions: Iterable[Execution]) -> tuple[Execution, ...]:
    ordered = sorted(executions, key=lambda one: (one.started, one.arn))
    return tuple(ordered if len(ordered) <= EXECUTIONS else [ordered[0], *ordered[1 - EXECUTIONS :]])


def _time_to_reply(received: datetime, executions: tuple[Execution, ...]) -> int | None:
    ends = [one.ended for one in executions if one.ended and one.ses_message_id and not one.replay]
    return max(0, round((min(ends) - received).total_seconds() * 1000)) if ends else None


def standing(status: str, outcome: str | None) -> Standing:
    """How an email stands by the status of its execution and the `outcome` in its output."""
    if status == "SUCCEEDED":
        return next((one for one in Outcome if one == outcome), UNKNOWN)
    return Outcome.FAILED if status in ENDED_BADLY else RUNNING


def error_name(error: str | None) -> str | None:
    """The name of an error, cut: an application can give any text (SendTaskFailure)."""
    return error[:_ERROR] if error else None
