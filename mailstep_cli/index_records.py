"""The entries of the index of messages that belong to a person or an email. A stack may have no index yet."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mailstep.addresses import without_label

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def of_person(dynamodb: "DynamoDBClient", table: str | None, person: str) -> Iterator[str]:
    """The emails that a person wrote, with any label. It scans the table: its keys have the label."""
    if not table:
        return
    pages = dynamodb.get_paginator("scan").paginate(TableName=table, ProjectionExpression="email_id, sender")
    for item in (item for page in pages for item in page["Items"]):
        if without_label(item.get("sender", {}).get("S", "")) == person:
            yield item["email_id"]["S"]


def exists(dynamodb: "DynamoDBClient", table: str | None, email_id: str) -> bool:
    """Whether the index has an entry of an email, even one that has expired and is not deleted yet."""
    return bool(table and dynamodb.get_item(TableName=table, Key={"email_id": {"S": email_id}}).get("Item"))


def delete(dynamodb: "DynamoDBClient", table: str | None, email_id: str) -> None:
    """Delete the entry of an email, if there is one."""
    if table:
        dynamodb.delete_item(TableName=table, Key={"email_id": {"S": email_id}})
