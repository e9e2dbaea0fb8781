"""What is remembered between messages, in DynamoDB: deliveries, answers an hour, addresses to leave alone.

No address stands in the table in clear. `expiration` (seconds since 1970) lets DynamoDB delete each record; it may take
days (Amazon DynamoDB Developer Guide, "Time to Live"), so that what is read is compared with the clock.
"""

import contextlib
import json
import os
import time
from hashlib import sha256
from typing import TYPE_CHECKING

from mailstep.addresses import in_ascii
from mailstep.aws import client, transient_faults
from mailstep.contracts import Message

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DUPLICATE_SECONDS = 24 * 3600
"""How long a message is known again: sender's servers give up after days, but repeat within minutes."""
_HOUR = 3600


def suppression_id(address: str) -> str:
    """The key of the record that an address is left alone; its domain is known in either form (RFC 5890)."""
    with contextlib.suppress(ValueError):
        address = in_ascii(address)
    return f"suppressed#{_digest(address.lower())}"


def suppress(address: str, *, seconds: int) -> None:
    """Leave an address alone for so many seconds."""
    dynamodb: DynamoDBClient = client("dynamodb")
    with transient_faults():
        dynamodb.put_item(
            TableName=_table(),
            Item={"id": {"S": suppression_id(address)}, "expiration": {"N": str(int(time.time()) + seconds)}},
        )


class Ledger:
    """The records that policy.py asks for (`policy.Records`).

    Each method raises TransientError where DynamoDB asks to try again.
    """

    def is_suppressed(self, address: str) -> bool:
        """Whether the address is to be left alone."""
        dynamodb: DynamoDBClient = client("dynamodb")
        with transient_faults():
            found = dynamodb.get_item(TableName=_table(), Key={"id": {"S": suppression_id(address)}}).get("Item")
        return found is not None and int(found["expiration"]["N"]) > time.time()

    def claims(self, message: Message, key: str) -> bool:
        """Whether no other object held the same Message-ID and content for the route within a day.

        SES stores each delivery under a key of its own; a retry, redrive or replay reads the same one, and passes. What
        has neither Message-ID nor Date cannot be told from what its sender wrote again, and passes too.
        """
        if not message.message_id and not _written(message):
            return True
        now = int(time.time())
        return self._write(
            UpdateExpression="SET object_key = :key, expiration = :end",
            ConditionExpression="attribute_not_exists(id) OR object_key = :key OR expiration < :now",
            Key={"id": {"S": f"duplicate#{_content_digest(message)}"}},
            ExpressionAttributeValues={
                ":key": {"S": key},
                ":now": {"N": str(now)},
                ":end": {"N": str(now + DUPLICATE_SECONDS)},
            },
        )

    def counts(self, message: Message, at_most: int) -> bool:
        """Whether the route's answers to the sender in the hour of receipt, this one included, are no more than that.

        The emails themselves are kept, not their number: what is tried again, or replayed on another day, is counted
        once, in its own hour.
        """
        now = int(time.time())
        hour = (int(message.received.timestamp()) if message.received else now) // _HOUR
        sender = f"{message.route} {message.from_[0].address.lower()}"
        return self._write(
            UpdateExpression="ADD emails :this SET expiration = :end",
            ConditionExpression="attribute_not_exists(id) OR contains(emails, :email) OR size(emails) < :most",
            Key={"id": {"S": f"hour#{_digest(sender)}#{hour}"}},
            ExpressionAttributeValues={
                ":this": {"SS": [message.id]},
                ":email": {"S": message.id},
                ":most": {"N": str(at_most)},
                ":end": {"N": str(now + 2 * _HOUR)},
            },
        )

    def _write(self, **update: object) -> bool:
        dynamodb: DynamoDBClient = client("dynamodb")
        with transient_faults():
            try:
                dynamodb.update_item(TableName=_table(), **update)  # type: ignore[arg-type]
            except dynamodb.exceptions.ConditionalCheckFailedException:
                return False
        return True


def _table() -> str:
    return os.environ["TABLE_NAME"]


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _content_digest(message: Message) -> str:
    """What makes two deliveries one message: route, Message-ID, Date and what a person would read in it."""
    return _digest(
        json.dumps(
            [
                message.route,
                message.message_id,
                _written(message),
                [address.address for address in message.from_],
                message.subject,
                message.text,
                message.html,
                [attachment.sha256 for attachment in message.attachments],
            ]
        )
    )


def _written(message: Message) -> str | None:
    return message.date.isoformat() if message.date else message.date_raw
