"""Suppresses the address that a reply went to, after a permanent bounce or a complaint.

A bounce or complaint that cannot be read is counted (an alarm watches the count) and logged without its
content. It is not an error, so it does not go to the dead-letter queue: a retry would change nothing, the queue's alarm
would stay in ALARM until an operator deletes the event, and the queue would hold addresses. Nothing is lost: SES sends
the same event to the operators' topic, and keeps its own suppression list (docs/runbook.md, "FeedbackUnreadAlarm").
"""

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parseaddr

from mailstep.addresses import canonical
from mailstep.aws import ledger
from mailstep.contracts import EMAIL_ID, EMAIL_ID_FIELD
from mailstep.mime.options import DEFAULTS

BOUNCE_SECONDS = 90 * 24 * 3600
"""Limited, because a deleted mailbox may come back with its owner or another person."""
COMPLAINT_SECONDS = 365 * 24 * 3600

# Names of the other events of SES's event publishing and notifications. No other text of an event is logged.
_OTHERS = {
    *("AmazonSnsSubscriptionSucceeded", "Bounce", "Click", "Complaint", "Delivery", "DeliveryDelay", "Open"),
    *("Received", "Reject", "Rendering Failure", "Send", "Subscription"),
}
# With the domain of SES's own Message-ID, as some emulations write it.
_SES_MESSAGE_ID = re.compile(r"[A-Za-z0-9-]{1,100}(@([a-z0-9-]{1,30}\.)?amazonses\.com)?")
_KIND = re.compile(r"[A-Za-z-]{1,40}")


@dataclass(frozen=True)
class FeedbackEvent:
    """The result of one message to the topic. It contains no personal data.

    Attributes:
        kind: `Bounce` or `Complaint`; otherwise the name of SES's event or notification, `JSON` or `text`.
        is_ours: Whether the event is a bounce or a complaint.
        suppressed: 1 if it suppressed the recipient of the reply.
        unread: 1 if the event could not be read.
        ses_message_id: SES's id of the reply that caused the bounce or complaint.
        email_id: The email that the reply answers, if the reply's header field says it.
        detail: SES's type of the bounce or complaint.
        at: When SES recorded it.
    """

    kind: str
    is_ours: bool = False
    suppressed: int = 0
    unread: int = 0
    ses_message_id: str | None = None
    email_id: str | None = None
    detail: str = ""
    at: datetime | None = None


def record(message: str) -> FeedbackEvent:
    """Suppress the address that SES's event is about.

    `message` is SES's publication: an event in JSON (Amazon SES Developer Guide, "Contents of event data that Amazon
    SES publishes to Amazon SNS"), or the plain text that confirms SES may publish.

    Raises:
        TransientError: DynamoDB is unavailable.
    """
    try:
        event = json.loads(message)
    except (ValueError, RecursionError):
        # Broken JSON may have been an event of SES.
        return FeedbackEvent("text", unread=int(message.lstrip().startswith("{")))
    match event:
        case {"eventType": "Bounce", **rest}:
            seconds = _bounced(rest.get("bounce"))
        case {"eventType": "Complaint", **rest}:
            seconds = _complained(rest.get("complaint"))
        case {"eventType": str(kind)} | {"notificationType": str(kind)} if kind in _OTHERS:
            return FeedbackEvent(kind)
        case _:
            return FeedbackEvent("JSON")
    recipient = _recipient(rest.get("mail"))
    unread = seconds is None or (seconds > 0 and recipient is None)
    if seconds and recipient:
        ledger.suppress(recipient, seconds=seconds)
    about = rest.get("bounce") or rest.get("complaint")
    return FeedbackEvent(
        event["eventType"],
        is_ours=True,
        suppressed=int(bool(seconds and recipient)),
        unread=int(unread),
        ses_message_id=_ses_message_id(rest.get("mail")),
        email_id=_email_id(rest.get("mail")),
        detail=_detail(about),
        at=_at(about),
    )


def _bounced(bounce: object) -> int | None:
    """The seconds to suppress the recipient for, 0 for not at all; None if the bounce cannot be read."""
    match bounce:
        case {"bounceType": "Transient" | "Undetermined"}:
            return 0
        case {"bounceType": "Permanent"}:
            return BOUNCE_SECONDS
    return None


def _complained(complaint: object) -> int | None:
    """The same of a complaint."""
    match complaint:
        # The recipient took a message out of the spam folder.
        case {"complaintFeedbackType": "not-spam"}:
            return 0
        case {"complainedRecipients": [*_]}:
            return COMPLAINT_SECONDS
    return None


def _recipient(mail: object) -> str | None:
    """The address that the reply went to, in canonical form: a reply has one recipient.

    SES says it in `mail.destination`. The recipients that a bounce or complaint itself names come from the other
    system's report: they can be forwarded, spelt with a display name, or any address at all (Amazon SES Developer
    Guide, "Contents of event data that Amazon SES publishes to Amazon SNS": the mail object, bouncedRecipients).
    """
    match mail:
        case {"destination": [str(written)]}:
            address = parseaddr(written)[1]
            return canonical(address) if "@" in address and len(address) <= DEFAULTS.address else None
    return None


def _ses_message_id(mail: object) -> str | None:
    match mail:
        case {"messageId": str(identifier)} if _SES_MESSAGE_ID.fullmatch(identifier):
            return identifier
    return None


def _email_id(mail: object) -> str | None:
    """The email_id in the header of the reply, as Mailstep wrote it (Amazon SES Developer Guide, the mail object).

    SES leaves fields out of an event if the header is longer than 10 KB.
    """
    match mail:
        case {"headers": [*fields]}:
            for one in fields:
                match one:
                    case {"name": str(name), "value": str(value)} if name.lower() == EMAIL_ID_FIELD.lower():
                        # The field is folded: with its name, an id is longer than a line (RFC 5322 section 2.2.3).
                        named = value.strip()
                        return named if re.fullmatch(EMAIL_ID, named) else None
    return None


def _detail(about: object) -> str:
    match about:
        case {"bounceType": str(kind)} | {"complaintFeedbackType": str(kind)} if _KIND.fullmatch(kind):
            return kind
    return ""


def _at(about: object) -> datetime | None:
    match about:
        case {"timestamp": str(text)}:
            with suppress(ValueError):
                time = datetime.fromisoformat(text)
                return time if time.tzinfo else time.replace(tzinfo=UTC)
    return None
