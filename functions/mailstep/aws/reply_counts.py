"""Counts replies in DynamoDB, over a rolling hour and a rolling day: to one sender, and to one domain.

No loop runs for ever, whatever the other side says of itself (RFC 3834 section 2). A sender is counted without labels:
a machine that answers from `support+1@`, `support+2@` and so on is one. A domain is counted because a machine can have
as many addresses there as it likes.
"""

import time
from collections.abc import Iterable
from contextlib import suppress
from enum import Enum, auto
from typing import TYPE_CHECKING

from mailstep import limits
from mailstep.addresses import without_label
from mailstep.aws.clients import client, transient_faults
from mailstep.aws.ledger_table import digest, table_name
from mailstep.contracts import Message
from mailstep.errors import TransientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_HOUR, _DAY = 3600, 24 * 3600
_STEP = 600  # seconds; a domain is counted by ten minutes, because one item could not hold each reply
_ATTEMPTS = 5


def count_id(route: str, sender: str) -> str:
    """The key of the count of a route's replies to a sender, an address without its label."""
    return f"replies#{digest(f'{route} {sender}')}"


def count_reply(message: Message, an_hour: int) -> bool:
    """Count a reply at the time of receipt, and return whether the bounds allow it.

    Each mailbox in From is counted as a sender, and each of their domains once. `an_hour` is the bound of one sender in
    an hour; limits.py says how the others follow from it. An email counts once, even if it is retried or replayed. What
    a bound forbids does not count.

    Raises:
        TransientError: DynamoDB is unavailable, or others count the same sender at this moment.
    """
    when = int(message.received.timestamp() if message.received else time.time())
    senders = dict.fromkeys(without_label(one.address) for one in message.from_)
    found = {one: _count_sender(count_id(message.route, one), message.email_id, when, an_hour) for one in senders}
    counted = [sender for sender in senders if found[sender] is _Found.COUNTED]
    domains = dict.fromkeys(sender.rpartition("@")[2] for sender in counted)
    most = an_hour * limits.REPLIES_TO_A_DOMAIN
    if _Found.TOO_MANY not in found.values() and all(
        _count_domain(f"{message.route} @{domain}", when, most) for domain in domains
    ):
        return True
    for sender in counted:
        _forget(count_id(message.route, sender), message.email_id)
    return False


class _Found(Enum):
    KNOWN = auto()
    COUNTED = auto()
    TOO_MANY = auto()


def _count_sender(count: str, email_id: str, when: int, an_hour: int) -> _Found:
    key, this = {"id": {"S": count}}, digest(email_id)[:16]
    dynamodb: DynamoDBClient = client("dynamodb")
    for _ in range(_ATTEMPTS):
        with transient_faults():
            item = dynamodb.get_item(TableName=table_name(), Key=key, ConsistentRead=True).get("Item", {})
        sent = {email: int(at["N"]) for email, at in item.get("sent", {"M": {}})["M"].items()}
        if this in sent:
            return _Found.KNOWN
        counts = [(at, 1) for at in [*sent.values(), when]]
        if not _are_allowed(counts, when, an_hour):
            return _Found.TOO_MANY
        newest = max(at for at, _ in counts)
        version = int(item.get("version", {"N": "0"})["N"])
        with transient_faults(), suppress(dynamodb.exceptions.ConditionalCheckFailedException):
            dynamodb.update_item(
                TableName=table_name(),
                Key=key,
                UpdateExpression="SET sent = :sent, version = :next, expiration = :end",
                # Another reply may have been counted since the item was read.
                ConditionExpression="attribute_not_exists(id) OR version = :seen",
                ExpressionAttributeValues={
                    ":sent": {
                        "M": {e: {"N": str(at)} for e, at in (sent | {this: when}).items() if at > newest - _DAY}
                    },
                    ":seen": {"N": str(version)},
                    ":next": {"N": str(version + 1)},
                    ":end": {"N": str(int(time.time()) + 2 * _DAY)},
                },
            )
            return _Found.COUNTED
    raise TransientError("the ledger: others count the same sender")


def _forget(count: str, email_id: str) -> None:
    """Take an email out of a sender's count: otherwise a retry would find it there, and send what was forbidden."""
    dynamodb: DynamoDBClient = client("dynamodb")
    with transient_faults():
        dynamodb.update_item(
            TableName=table_name(),
            Key={"id": {"S": count}},
            UpdateExpression="SET version = version + :one REMOVE sent.#email",
            ExpressionAttributeNames={"#email": digest(email_id)[:16]},
            ExpressionAttributeValues={":one": {"N": "1"}},
        )


def _count_domain(domain: str, when: int, an_hour: int) -> bool:
    counted = _add(domain, when, 1)
    if _are_allowed(counted, when, an_hour):
        return True
    _add(domain, when, -1)
    return False


def _add(domain: str, when: int, number: int) -> list[tuple[int, int]]:
    """Add to the count of the ten minutes, and return all counts with their times."""
    key, now = f"domain#{digest(domain)}#{when // _DAY}", int(time.time())
    dynamodb: DynamoDBClient = client("dynamodb")
    with transient_faults():
        changed = dynamodb.update_item(
            TableName=table_name(),
            Key={"id": {"S": key}},
            UpdateExpression="ADD #now :number SET expiration = :end",
            ExpressionAttributeNames={"#now": f"at{when // _STEP * _STEP}"},
            ExpressionAttributeValues={":number": {"N": str(number)}, ":end": {"N": str(now + 3 * _DAY)}},
            ReturnValues="ALL_NEW",
        )
        before = dynamodb.get_item(
            TableName=table_name(), Key={"id": {"S": f"domain#{digest(domain)}#{when // _DAY - 1}"}}
        ).get("Item", {})
    counts = {**before, **changed["Attributes"]}
    return [(int(name[2:]), int(value["N"])) for name, value in counts.items() if name.startswith("at")]


def _are_allowed(counts: Iterable[tuple[int, int]], when: int, an_hour: int) -> bool:
    """Whether the replies so far, this one among them, are within the bounds: pairs of a time and a number."""
    known = list(counts)

    def within(seconds: int) -> int:
        return sum(number for at, number in known if abs(at - when) < seconds)

    return within(_HOUR) <= an_hour and within(_DAY) <= an_hour * limits.REPLIES_A_DAY
