"""What SES tells of replies that it took: whoever bounced for good, or complained, is left alone from then on."""

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, Field, TypeAdapter

from mailstep import ledger

BOUNCE_SECONDS = 90 * 24 * 3600
"""A mailbox that is gone may come back, with its owner or another."""
COMPLAINT_SECONDS = 365 * 24 * 3600


class _Recipient(BaseModel):
    address: str = Field(alias="emailAddress")


class _Bounce(BaseModel):
    kind: str = Field(alias="bounceType")
    recipients: tuple[_Recipient, ...] = Field(alias="bouncedRecipients")


class _Complaint(BaseModel):
    kind: str | None = Field(default=None, alias="complaintFeedbackType")
    recipients: tuple[_Recipient, ...] = Field(alias="complainedRecipients")


class Bounced(BaseModel):
    """An event of type Bounce; its `bounceType` is Permanent, Transient or Undetermined."""

    type: Literal["Bounce"] = Field(alias="eventType")
    bounce: _Bounce


class Complained(BaseModel):
    """An event of type Complaint."""

    type: Literal["Complaint"] = Field(alias="eventType")
    complaint: _Complaint


_EVENT: TypeAdapter[Bounced | Complained] = TypeAdapter(Bounced | Complained)


def record(event: str) -> int:
    """Leave alone whom SES's event tells of; answer how many that are.

    `event` is JSON (Amazon SES Developer Guide, "Contents of event data that Amazon SES publishes to Amazon SNS").

    Raises:
        ValueError: it is no event of a bounce or a complaint.
        TransientError: DynamoDB asks to try again.
    """
    found = list(_suppressions(_EVENT.validate_json(event)))
    for address, seconds in found:
        ledger.suppress(address, seconds=seconds)
    return len(found)


def _suppressions(event: Bounced | Complained) -> Iterator[tuple[str, int]]:
    match event:
        case Bounced(bounce=_Bounce(kind="Permanent", recipients=recipients)):
            yield from ((recipient.address, BOUNCE_SECONDS) for recipient in recipients)
        case Complained(complaint=_Complaint(kind=kind, recipients=recipients)) if kind != "not-spam":
            yield from ((recipient.address, COMPLAINT_SECONDS) for recipient in recipients)
