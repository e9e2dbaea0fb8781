"""Keeps in the ledger which thread each reply was sent in, and which emails of a sender a thread has.

A thread is the sender's claim: anyone can write a stranger's Message-ID into References. So each sender has a record of
their own for each thread of a route, and sees what they wrote and what was sent to them, and nothing of others.
"""

import time
from typing import TYPE_CHECKING

from mailstep import keys, limits
from mailstep.addresses import without_label
from mailstep.aws.clients import client, transient_faults
from mailstep.aws.ledger import REPLAYABLE_SECONDS
from mailstep.aws.ledger_table import digest, table_name
from mailstep.contracts import EarlierEmail, Message

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

EMAIL = "email "
"""Before the `email_id` in the name of an attribute: one for each email of the thread."""


def record_reply(ses_message_id: str, message: Message) -> None:
    """Record for which email, and in which thread, a reply, a notice or a later answer was sent."""
    dynamodb: DynamoDBClient = client("dynamodb")
    with transient_faults():
        dynamodb.put_item(
            TableName=table_name(),
            Item={
                "id": {"S": sent_id(ses_message_id)},
                "thread": {"S": message.thread_id},
                "email_id": {"S": message.email_id},
                "expiration": _end(),
            },
        )


def thread_of_reply(ses_message_id: str) -> str | None:
    """The thread that a reply was sent in; None if Mailstep did not send it, or no longer knows."""
    found = _sent(ses_message_id, table_name())
    return found["thread"]["S"] if found else None


def email_of_reply(ses_message_id: str, table: str) -> str | None:
    """The email_id that a reply, a notice or a later answer was sent for; None as for `thread_of_reply`.

    `table` is the name of the ledger's table.
    """
    found = _sent(ses_message_id, table)
    return found["email_id"]["S"] if found else None


def _sent(ses_message_id: str, table: str) -> "dict[str, AttributeValueTypeDef] | None":
    dynamodb: DynamoDBClient = client("dynamodb")
    with transient_faults():
        found = dynamodb.get_item(TableName=table, Key={"id": {"S": sent_id(ses_message_id)}}).get("Item")
    return found if found and int(found["expiration"]["N"]) > time.time() else None


def join(message: Message) -> tuple[EarlierEmail, ...]:
    """Add an email of an authenticated sender to its thread; return the sender's earlier ones, the newest last.

    The record keeps the newest `limits.THREAD_EMAILS`.
    """
    when = int(message.received.timestamp() if message.received else time.time())
    name = f"{EMAIL}{message.email_id}"
    dynamodb: DynamoDBClient = client("dynamodb")
    with transient_faults():
        record = dynamodb.update_item(
            TableName=table_name(),
            Key=_key(message),
            # A retry or a replay keeps what was sent since.
            UpdateExpression="SET #email = if_not_exists(#email, :email), email_id = :newest, expiration = :end",
            ExpressionAttributeNames={"#email": name},
            ExpressionAttributeValues={
                ":email": {"M": {"at": {"N": str(when)}, "answers": {"L": []}}},
                ":newest": {"S": message.email_id},
                ":end": _end(),
            },
            ReturnValues="ALL_NEW",
        )["Attributes"]
        emails = sorted((one for one in record if one.startswith(EMAIL)), key=lambda one: (_at(record[one]), one))
        for old in emails[: -limits.THREAD_EMAILS]:
            dynamodb.update_item(
                TableName=table_name(),
                Key=_key(message),
                UpdateExpression="REMOVE #email",
                ExpressionAttributeNames={"#email": old},
            )
    before = emails[: emails.index(name)][-limits.THREAD_EMAILS :]
    return tuple(_earlier(one.removeprefix(EMAIL), record[one]) for one in before)


def record_answer(message: Message, key: str) -> None:
    """Record that an answer to an email of a thread was sent; nothing if the thread does not have the email."""
    dynamodb: DynamoDBClient = client("dynamodb")
    with transient_faults():
        try:
            dynamodb.update_item(
                TableName=table_name(),
                Key=_key(message),
                UpdateExpression="SET #email.answers = list_append(#email.answers, :answer)",
                ConditionExpression="attribute_exists(#email) AND NOT contains(#email.answers, :key)"
                " AND size(#email.answers) < :most",
                ExpressionAttributeNames={"#email": f"{EMAIL}{message.email_id}"},
                ExpressionAttributeValues={
                    ":answer": {"L": [{"S": key}]},
                    ":key": {"S": key},
                    ":most": {"N": str(limits.THREAD_ANSWERS)},
                },
            )
        except dynamodb.exceptions.ConditionalCheckFailedException:
            return


def _earlier(email_id: str, email: "AttributeValueTypeDef") -> EarlierEmail:
    sent = tuple(answer["S"] for answer in email["M"]["answers"]["L"])
    return EarlierEmail(email_id=email_id, message_key=keys.message(email_id), answer_keys=sent)


def _at(email: "AttributeValueTypeDef") -> int:
    return int(email["M"]["at"]["N"])


def _key(message: Message) -> "dict[str, AttributeValueTypeDef]":
    sender = without_label(message.from_[0].address)
    return {"id": {"S": f"thread#{digest(f'{message.route} {sender} {message.thread_id}')}"}}


def sent_id(ses_message_id: str) -> str:
    """The key of the record of a reply, by the id that SES gave it."""
    # As in the Message-ID: the id, then the domain of the Region, which some answers of SES have too.
    return f"sent#{digest(ses_message_id.partition('@')[0])}"


def _end() -> "AttributeValueTypeDef":
    return {"N": str(int(time.time()) + REPLAYABLE_SECONDS)}
