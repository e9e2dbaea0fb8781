"""What SES tells of replies that it took: an address that bounced for good, or complained, is left alone from then on.

A bounce or complaint that cannot be read, or not all of it, is counted (an alarm watches that) and said without its
content. It is no error, so it does not go to the dead-letter queue: to try it again changes nothing, the queue's alarm
would ring until somebody deletes the event by hand, and addresses would lie there. Nothing is lost with it: SES tells
the operators' topic the same event, and keeps a suppression list of its own (docs/runbook.md, "FeedbackUnreadAlarm").
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mailstep.aws import ledger
from mailstep.mime.options import DEFAULTS

BOUNCE_SECONDS = 90 * 24 * 3600
"""A mailbox that is gone may come back, with its owner or another."""
COMPLAINT_SECONDS = 365 * 24 * 3600

# Names of the other events, of SES's event publishing and of its notifications. No other text of an event is said.
_OTHERS = {
    *("AmazonSnsSubscriptionSucceeded", "Bounce", "Click", "Complaint", "Delivery", "DeliveryDelay", "Open"),
    *("Received", "Reject", "Rendering Failure", "Send", "Subscription"),
}
_SES_MESSAGE_ID = re.compile(r"[A-Za-z0-9-]{1,100}")


@dataclass(frozen=True)
class Feedback:
    """What became of one message to the topic. Nothing in it names a person.

    Attributes:
        kind: `Bounce` or `Complaint`; of what is neither: the name of SES's event or notification, `JSON` or `text`.
        is_ours: Whether it is an event of a bounce or a complaint.
        suppressed: Addresses that are left alone from now on.
        unread: Recipients that could not be read; 1 where the event could not be read at all.
        ses_message_id: Of the reply that bounced or was complained about.
    """

    kind: str
    is_ours: bool = False
    suppressed: int = 0
    unread: int = 0
    ses_message_id: str | None = None


def record(message: str) -> Feedback:
    """Leave alone the addresses that SES's event tells of, as far as it can be read.

    `message` is what SES published: an event in JSON (Amazon SES Developer Guide, "Contents of event data that Amazon
    SES publishes to Amazon SNS"), or the plain text by which it says that it may publish.

    Raises:
        TransientError: DynamoDB asks to try again.
    """
    try:
        event = json.loads(message)
    except (ValueError, RecursionError):
        # What begins as an event of SES does, and is none, may have been one.
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


# An address and the seconds that it is left alone; None where an address cannot be read.
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
