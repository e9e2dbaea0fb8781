"""Which records of the ledger belong to an email or to an address. The table has hashes only."""

import json
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from hashlib import md5
from typing import TYPE_CHECKING

from mailstep.addresses import without_label
from mailstep.aws import threads
from mailstep.aws.ledger import notice_id, override_id
from mailstep.aws.reply_counts import count_id, reply_to_count_id
from mailstep.outcomes import ReplyKind
from mailstep_cli.failures import REPLAYS, name_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import BatchGetItemInputTypeDef

_SENT_AS = "data"
"""The attribute of a result (Powertools for AWS, Idempotency, "DynamoDBPersistenceLayer": data_attr)."""
_GOT_AT_ONCE = 100
"""Items that one BatchGetItem takes (Amazon DynamoDB API Reference)."""


def of_email(email_id: str, later_answers: Iterable[str] = ()) -> list[str]:
    """The keys of what was sent for an email, as aws/ledger.py and reply/send_once.py make them.

    A reply that was asked for again is recorded by the name of the execution, a later answer by its own name.
    """
    names = (name_of(email_id, number) for number in range(1, REPLAYS + 1))
    return [
        notice_id(email_id),
        override_id(email_id),
        *(_reply(f"{name}#{kind}") for name in names for kind in ReplyKind),
        *(_reply(f"{email_id}/{name}#{ReplyKind.LATER_ANSWER}") for name in later_answers),
    ]


def of_address(address: str, routes: Iterable[str]) -> list[str]:
    """The keys of the counts of replies to an address, on each route (aws/reply_counts.py)."""
    sender = without_label(address)
    return [count for route in routes for count in (count_id(route, sender), reply_to_count_id(route, sender))]


def naming(dynamodb: "DynamoDBClient", table: str, emails: Collection[str]) -> Iterator[tuple[str, str]]:
    """The email_id and the key of each record that names one of these emails.

    These are the records of deliveries, of sent replies, and of threads; a thread names each of its emails. A record
    that a kind of reply was sent has SES's id of the reply, by which the record of that reply names the email. It scans
    the table.
    """
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=table,
        FilterExpression="attribute_exists(email_id) OR attribute_exists(#data)",
        ExpressionAttributeNames={"#data": _SENT_AS},
    )
    once: list[tuple[str, str]] = []
    sent_for: dict[str, str] = {}
    for item in (item for page in pages for item in page["Items"]):
        record = item["id"]["S"]
        if "email_id" not in item:
            once += [(record, one)] if (one := _reply_sent(item.get(_SENT_AS, {}).get("S"))) else []
            continue
        in_thread = (name.removeprefix(threads.EMAIL) for name in item if name.startswith(threads.EMAIL))
        for email_id in {item["email_id"]["S"], *in_thread}.intersection(emails):
            sent_for[record] = email_id
            yield email_id, record
    yield from ((sent_for[reply], record) for record, reply in once if reply in sent_for)


def _reply_sent(data: str | None) -> str | None:
    """The key of the record of a reply, by the result that Powertools keeps: SES's id of it, in JSON."""
    with suppress(ValueError):
        found = json.loads(data or "")
        return threads.sent_id(found) if isinstance(found, str) else None
    return None


def there(dynamodb: "DynamoDBClient", table: str, ids: list[str]) -> list[str]:
    """Those of the keys that the table has."""
    found = []
    for start in range(0, len(ids), _GOT_AT_ONCE):
        asked: BatchGetItemInputTypeDef = {
            "RequestItems": {
                table: {
                    "Keys": [{"id": {"S": one}} for one in ids[start : start + _GOT_AT_ONCE]],
                    "ProjectionExpression": "id",
                }
            }
        }
        while asked["RequestItems"]:
            answer = dynamodb.batch_get_item(**asked)
            found += [item["id"]["S"] for item in answer["Responses"].get(table, [])]
            asked = {"RequestItems": answer.get("UnprocessedKeys", {})}
    return found


def delete(dynamodb: "DynamoDBClient", table: str, ids: Iterable[str]) -> int:
    """Delete records; return how many there were."""
    return sum(
        bool(dynamodb.delete_item(TableName=table, Key={"id": {"S": one}}, ReturnValues="ALL_OLD").get("Attributes"))
        for one in ids
    )


def _reply(key: str) -> str:
    # As Powertools for AWS makes it (Idempotency, "How your records are stored").
    return f"reply#{md5(json.dumps(key).encode(), usedforsecurity=False).hexdigest()}"
