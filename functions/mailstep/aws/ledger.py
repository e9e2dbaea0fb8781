"""Keeps records between messages in DynamoDB: deliveries, notices, overrides, and suppressed addresses.

The table has addresses only as hashes. `expiration` (seconds since 1970) lets DynamoDB delete each record. That may
take days (Amazon DynamoDB Developer Guide, "Time to Live"), so reading a record compares it with the clock.
"""

import json
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from mailstep.addresses import canonical, without_label
from mailstep.authentication import is_authenticated
from mailstep.aws import reply_counts
from mailstep.aws.clients import client, transient_faults
from mailstep.aws.ledger_table import digest, table_name
from mailstep.contracts import Address, Message

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

DUPLICATE_SECONDS = 5 * 24 * 3600
"""How long a duplicate is recognised: a sender's server gives up after four to five days (RFC 5321 section 4.5.4.1)."""
REPLAYABLE_SECONDS = 100 * 24 * 3600
"""How long replies and notices are recorded: longer than the email can be replayed. An execution ends within days, and
can be replayed for 90 days after that (AWS Step Functions, "Quotas", execution history retention)."""


SUPPRESSED = "suppressed#"
"""How the key of each suppression record begins."""


def notice_id(email_id: str) -> str:
    """The key of the record that an email's sender got a notice."""
    return f"notice#{email_id}"


def suppression_id(address: str) -> str:
    """The key of the suppression record of an address, the same however it is written and with any label."""
    return f"{SUPPRESSED}{digest(without_label(address))}"


def suppress(address: str, *, seconds: int) -> None:
    """Suppress an address for this many seconds."""
    dynamodb: DynamoDBClient = client("dynamodb")
    with transient_faults():
        dynamodb.put_item(
            TableName=table_name(),
            Item={"id": {"S": suppression_id(address)}, "expiration": {"N": str(int(time.time()) + seconds)}},
        )


def record_notice(email_id: str) -> None:
    """Record that the sender of the email gets a delay or failure notice."""
    dynamodb: DynamoDBClient = client("dynamodb")
    with transient_faults():
        dynamodb.put_item(
            TableName=table_name(),
            Item={"id": {"S": notice_id(email_id)}, "expiration": {"N": str(int(time.time()) + REPLAYABLE_SECONDS)}},
        )


def has_notice(email_id: str) -> bool:
    """Whether any execution of the email sent a delay or failure notice."""
    return _find(notice_id(email_id))


def override_id(email_id: str) -> str:
    """The key of the record of the rule that the latest replay of an email overrode."""
    return f"override#{digest(email_id)}"


def record_override(email_id: str, rule: str) -> None:
    """Record the code of the rule that a replay overrides; empty for a replay without an override."""
    dynamodb: DynamoDBClient = client("dynamodb")
    with transient_faults():
        dynamodb.update_item(
            TableName=table_name(),
            Key={"id": {"S": override_id(email_id)}},
            UpdateExpression="SET overridden = :rule, expiration = :end",
            ExpressionAttributeValues={
                ":rule": {"S": rule},
                ":end": {"N": str(int(time.time()) + REPLAYABLE_SECONDS)},
            },
        )


def overridden(email_id: str) -> str:
    """The code of the rule that the latest replay of an email overrode; empty if there is none."""
    found = _item(override_id(email_id))
    return found["overridden"]["S"] if found else ""


def _find(identity: str) -> bool:
    return _item(identity) is not None


def _item(identity: str) -> "dict[str, AttributeValueTypeDef] | None":
    dynamodb: DynamoDBClient = client("dynamodb")
    with transient_faults():
        found = dynamodb.get_item(TableName=table_name(), Key={"id": {"S": identity}}).get("Item")
    return found if found and int(found["expiration"]["N"]) > time.time() else None


class Ledger:
    """The records that the policy uses (`policy.Records`).

    `has_failed` takes the ARN of an execution, and returns whether it failed. Each method raises TransientError if
    DynamoDB is unavailable or `has_failed` raises it.
    """

    def __init__(self, has_failed: Callable[[str], bool]) -> None:
        self._has_failed = has_failed

    def is_suppressed(self, address: str) -> bool:
        """Whether the address is suppressed after a permanent bounce or a complaint."""
        return _find(suppression_id(address))

    def record_delivery(self, message: Message, execution_arn: str) -> bool:
        """Record the delivery, and return whether it may be processed.

        The record belongs to one email and has its latest execution. A retry, redrive or replay of that email passes.
        Another email with the same Message-ID and content passes only if that execution failed, because then its sender
        would otherwise get no reply. A message with neither Message-ID nor Date always passes: a person may have
        written the same twice.
        """
        if not message.message_id and not _written(message):
            return True
        other = self._hold(message, execution_arn)
        return other is None or (
            self._has_failed(other) and self._hold(message, execution_arn, instead_of=other) is None
        )

    def _hold(self, message: Message, execution_arn: str, *, instead_of: str = "") -> str | None:
        """Take the record for this email if it is free; otherwise return the execution that holds it."""
        now = int(time.time())
        dynamodb: DynamoDBClient = client("dynamodb")
        with transient_faults():
            try:
                dynamodb.update_item(
                    TableName=table_name(),
                    Key={"id": {"S": f"duplicate#{_content_digest(message)}"}},
                    UpdateExpression="SET email_id = :email, execution_arn = :execution, expiration = :end",
                    ConditionExpression="attribute_not_exists(id) OR email_id = :email OR expiration < :now"
                    " OR execution_arn = :other",
                    ExpressionAttributeValues={
                        ":email": {"S": message.email_id},
                        ":execution": {"S": execution_arn},
                        ":other": {"S": instead_of},
                        ":now": {"N": str(now)},
                        ":end": {"N": str(now + DUPLICATE_SECONDS)},
                    },
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except dynamodb.exceptions.ConditionalCheckFailedException as error:
                return error.response["Item"]["execution_arn"]["S"]  # type: ignore[typeddict-item, no-any-return]
        return None

    def count_reply(self, message: Message, to: Address, at_most: int) -> bool:
        """Count a reply to a mailbox, and return whether the bounds allow it (reply_counts.py)."""
        return reply_counts.count_reply(message, to, at_most)

    def forget_reply(self, message: Message, to: Address) -> None:
        """Take a reply that is not sent after all out of the counts."""
        reply_counts.forget_reply(message, to)


def _content_digest(message: Message) -> str:
    """A hash of everything that makes two deliveries one message: route, Message-ID, Date and the visible content."""
    return digest(
        json.dumps(
            [
                message.route,
                # A copy that SES did not authenticate gets no reply, so it must not stand for the one that does.
                is_authenticated(message),
                message.message_id,
                _written(message),
                [canonical(address.address) for address in message.from_],
                message.subject,
                _without_space(message.text),
                _without_space(message.html or ""),
                [attachment.sha256 for attachment in message.attachments],
            ]
        )
    )


def _written(message: Message) -> str | None:
    return message.date.isoformat() if message.date else message.date_raw


def _without_space(text: str) -> str:
    """The text as a relaxed signature sees it: a copy with other white space still passes (RFC 6376 section 3.4.4)."""
    lines = (" ".join(re.split(r"[ \t]+", line)).rstrip(" ") for line in re.split(r"\r\n|\r|\n", text))
    return "\n".join(lines).rstrip("\n")
