"""Suppresses an address after a permanent bounce or a complaint.

A bounce or complaint that cannot be read completely is counted (an alarm watches the count) and logged without its
content. It is not an error, so it does not go to the dead-letter queue: a retry would change nothing, the queue's alarm
would stay in ALARM until an operator deletes the event, and the queue would hold addresses. Nothing is lost: SES sends
the same event to the operators' topic, and keeps its own suppression list (docs/runbook.md, "FeedbackUnreadAlarm").
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mailstep.aws import ledger
from mailstep.mime.options import DEFAULTS

BOUNCE_SECONDS = 90 * 24 * 3600
"""Limited, because a deleted mailbox may come back with its owner or another person."""
COMPLAINT_SECONDS = 365 * 24 * 3600

# Names of the other events of SES's event publishing and notifications. No other text of an event is logged.
_OTHERS = {
    *("AmazonSnsSubscriptionSucceeded", "Bounce", "Click", "Complaint", "Delivery", "DeliveryDelay", "Open"),
    *("Received", "Reject", "Rendering Failure", "Send", "Subscription"),
}
_SES_MESSAGE_ID = re.compile(r"[A-Za-z0-9-]{1,100}")


@dataclass(frozen=True)
class Feedback:
    """The result of one message to the topic. It contains no personal data.

    Attributes:
        kind: `Bounce` or `Complaint`; otherwise the name of SES's event or notification, `JSON` or `text`.
        is_ours: Whether the event is a bounce or a complaint.
        suppressed: Number of addresses that it suppressed.
        unread: Number of recipients that could not be read; 1 if the event could not be read at all.
        ses_message_id: SES's id of the reply that caused the bounce or complaint.
    """

    kind: str
    is_ours: bool = False
    suppressed: int = 0
    unread: int = 0
    ses_message_id: str | None = None


def record(message: str) -> Feedback:
    """Suppress the addresses in SES's event, as far as it can be read.

    `message` is SES's publication: an event in JSON (Amazon SES Developer Guide, "Contents of event data that Amazon
    SES publishes to Amazon SNS"), or the plain text that confirms SES may publish.

    Raises:
        TransientError: DynamoDB is unavailable.
    """
    try:
        event = json.loads(message)
    except (ValueError, RecursionError):
        # Broken JSON may have been an event of SES.
        return Feedback("text", unread=int(message.lstrip().startswith("{")))
    match event:
        case {"eventType": "Bounce", **rest}:
            found = list(_bounced(rest.get("bounce")))
        case {"eventType": "Complaint", **rest}:
            found = list(_complained(rest.get("complaint")))
        case {"eventType": str(kind)} | {"notificationType": str(kind)} if kind in _OTHERS:
            return Feedback(kind)
        case _:
            return Feedback("JSON")
    known = [one for one in found if one]
    for address, seconds in known:
        ledger.suppress(address, seconds=seconds)
    return Feedback(
        event["eventType"],
        is_ours=True,
        suppressed=len(known),
        unread=len(found) - len(known),
        ses_message_id=_ses_message_id(rest.get("mail")),
    )


# An address and the seconds to suppress it for; None if the address cannot be read.
type _Suppression = tuple[str, int] | None


def _bounced(bounce: object) -> Iterator[_Suppression]:
    match bounce:
        case {"bounceType": "Transient" | "Undetermined"}:
            return
        case {"bounceType": "Permanent", "bouncedRecipients": [*recipients]}:
            yield from _suppressions(recipients, BOUNCE_SECONDS)
        case _:
            yield None


def _complained(complaint: object) -> Iterator[_Suppression]:
    match complaint:
        # The recipient took a message out of the spam folder.
        case {"complaintFeedbackType": "not-spam"}:
            return
        case {"complainedRecipients": [*recipients]}:
            yield from _suppressions(recipients, COMPLAINT_SECONDS)
        case _:
            yield None


def _suppressions(recipients: Iterable[object], seconds: int) -> Iterator[_Suppression]:
    for recipient in recipients:
        match recipient:
            case {"emailAddress": str(address)} if "@" in address and len(address) <= DEFAULTS.address:
                yield address, seconds
            case _:
                yield None


def _ses_message_id(mail: object) -> str | None:
    match mail:
        case {"messageId": str(identifier)} if _SES_MESSAGE_ID.fullmatch(identifier):
            return identifier
    return None
