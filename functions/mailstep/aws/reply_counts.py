"""Counts replies in DynamoDB, over a rolling hour and a rolling day: by sender, by Reply-To, and by domain.

No loop runs for ever, whatever the other side says of itself (RFC 3834 section 2). A sender is counted without labels:
a machine that answers from `support+1@`, `support+2@` and so on is one. A domain is counted because a machine can have
as many addresses there as it likes. A mailbox that others name in Reply-To has a count of its own: what they cause is
bounded, and takes nothing from the replies to its owner's own mail.
"""

import time
from collections.abc import Iterable
from contextlib import suppress
from enum import Enum, auto
from typing import TYPE_CHECKING

from mailstep import limits
from mailstep.addresses import canonical, without_label
from mailstep.aws.clients import client, transient_faults
from mailstep.aws.ledger_table import digest, table_name
from mailstep.contracts import Address, Message
from mailstep.errors import TransientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_HOUR, _DAY = 3600, 24 * 3600
_STEP = 600  # seconds; a domain is counted by ten minutes, because one item could not hold each reply
_ATTEMPTS = 5


def count_id(route: str, sender: str) -> str:
    """The key of the count of a route's replies to a sender, an address without its label."""
    return f"replies#{digest(f'{route} {sender}')}"


def reply_to_count_id(route: str, mailbox: str) -> str:
    """The key of the count of a route's replies to a mailbox that others named in Reply-To, without its label."""
    return f"reply-to#{digest(f'{route} {mailbox}')}"


def count_reply(message: Message, to: Address, an_hour: int) -> bool:
    """Count a reply at the time of receipt, and return whether the bounds allow it.

    `to` is the mailbox that gets it: the author, or the one in Reply-To. The author is always counted, another mailbox
    under the count of Reply-To, and each of their domains once. `an_hour` is the bound of one sender in an hour;
    limits.py says how the others follow from it. An email counts once, even if it is retried or replayed. What a bound
    forbids does not count.

    Raises:
        TransientError: DynamoDB is unavailable, or others count the same mailbox at this moment.
    """
    when, bounds = _when(message), _bounds(message, to, an_hour)
    found = {count: _count(count, message.email_id, when, most) for count, most in bounds.items()}
    counted = [count for count, result in found.items() if result is _Found.COUNTED]
    if _Found.TOO_MANY not in found.values() and (
        not counted or _count_domains(_domains(message, to), when, an_hour * limits.REPLIES_TO_A_DOMAIN)
    ):
        return True
    # Otherwise a retry would find the email there, and send what was forbidden.
    for count in counted:
        _forget(count, message.email_id)
    return False


def forget_reply(message: Message, to: Address) -> None:
    """Take a reply that is not sent after all out of the counts. A second call changes nothing.

    Raises:
        TransientError: DynamoDB is unavailable.
    """
    was_counted = [_forget(count, message.email_id) for count in _bounds(message, to, 0)]
    if any(was_counted):
        for domain in _domains(message, to):
            _add(domain, _when(message), -1)


def _bounds(message: Message, to: Address, an_hour: int) -> dict[str, int]:
    """The count of each mailbox, and how many replies it may have in an hour."""
    author, mailbox = without_label(message.from_[0].address), without_label(to.address)
    bounds = {count_id(message.route, author): an_hour}
    if mailbox != author:
        bounds[reply_to_count_id(message.route, mailbox)] = an_hour * limits.REPLIES_BY_REPLY_TO
    return bounds


def _domains(message: Message, to: Address) -> list[str]:
    domains = (canonical(one.address).rpartition("@")[2] for one in (message.from_[0], to))
    return list(dict.fromkeys(f"{message.route} @{domain}" for domain in domains))


def _when(message: Message) -> int:
    return int(message.received.timestamp() if message.received else time.time())


class _Found(Enum):
    KNOWN = auto()
    COUNTED = auto()
    TOO_MANY = auto()


def _count(count: str, email_id: str, when: int, an_hour: int) -> _Found:
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
    raise TransientError("the ledger: others count the same mailbox")


def _forget(count: str, email_id: str) -> bool:
    """Take an email out of a count, and return whether it was there."""
    dynamodb: DynamoDBClient = client("dynamodb")
    with transient_faults(), suppress(dynamodb.exceptions.ConditionalCheckFailedException):
        dynamodb.update_item(
            TableName=table_name(),
            Key={"id": {"S": count}},
            UpdateExpression="SET version = version + :one REMOVE sent.#email",
            ConditionExpression="attribute_exists(sent.#email)",
            ExpressionAttributeNames={"#email": digest(email_id)[:16]},
            ExpressionAttributeValues={":one": {"N": "1"}},
        )
        return True
    return False


def _count_domains(domains: list[str], when: int, an_hour: int) -> bool:
    allowed = [domain for domain in domains if _are_allowed(_add(domain, when, 1), when, an_hour)]
    if allowed == domains:
        return True
    for domain in domains:
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
