"""Addresses that get no mail: Mailstep's own record of bounces and complaints, and SES's list for the account."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import boto3

from mailstep.addresses import canonical, without_label
from mailstep.aws.ledger import SUPPRESSED, suppression_id
from mailstep_cli.errors import UserError
from mailstep_cli.home_stack import HomeStack

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sesv2.type_defs import SuppressedDestinationSummaryTypeDef


@dataclass(frozen=True)
class Suppressed:
    """A suppressed address.

    Attributes:
        address: As SES has it; None if only Mailstep suppresses it, which keeps no more than a hash of the address.
        record: The id of Mailstep's record; None if only SES suppresses the address.
        until: When Mailstep's record ends.
        ses_reason: `BOUNCE` or `COMPLAINT`; None if it is not on SES's list.
        ses_since: When SES put it on the list.
    """

    address: str | None = None
    record: str | None = None
    until: datetime | None = None
    ses_reason: str | None = None
    ses_since: datetime | None = None


@dataclass(frozen=True)
class Removed:
    """An address that gets mail again, and the lists that it was on: `Mailstep`, `SES`."""

    address: str
    removed_from: list[str]


def all_of(stack: HomeStack) -> list[Suppressed]:
    """What either of them suppresses. An address on SES's list is matched with Mailstep's record of it."""
    ours = _records(stack)
    found = []
    for listed in _on_the_list_of_ses():
        record = suppression_id(listed["EmailAddress"])
        until = ours.pop(record, None)
        found.append(
            Suppressed(
                listed["EmailAddress"],
                record if until else None,
                until,
                listed["Reason"],
                listed["LastUpdateTime"],
            )
        )
    return [*found, *(Suppressed(record=record, until=until) for record, until in ours.items())]


def find(stack: HomeStack, address: str) -> Suppressed | None:
    """Who suppresses an address, however it is written and with any label; None if neither list has it."""
    record = suppression_id(_checked(address))
    until = _until(stack, record)
    sesv2: SESV2Client = boto3.client("sesv2")
    for spelling in spellings(address):
        try:
            listed = sesv2.get_suppressed_destination(EmailAddress=spelling)["SuppressedDestination"]
        except sesv2.exceptions.NotFoundException:
            continue
        return Suppressed(
            listed["EmailAddress"], record if until else None, until, listed["Reason"], listed["LastUpdateTime"]
        )
    return Suppressed(address, record, until) if until else None


def remove(stack: HomeStack, address: str) -> list[str]:
    """Take an address off both lists; return those that it was on: `Mailstep`, `SES`."""
    record, removed = suppression_id(_checked(address)), []
    dynamodb: DynamoDBClient = boto3.client("dynamodb")
    if dynamodb.delete_item(TableName=stack.ledger, Key={"id": {"S": record}}, ReturnValues="ALL_OLD").get(
        "Attributes"
    ):
        removed.append("Mailstep")
    sesv2: SESV2Client = boto3.client("sesv2")
    for spelling in spellings(address):
        try:
            sesv2.delete_suppressed_destination(EmailAddress=spelling)
        except sesv2.exceptions.NotFoundException:
            continue
        removed.append("SES")
        break
    return removed


def spellings(address: str) -> list[str]:
    """How SES's list may have the address: as given, in canonical form, and without a label."""
    return list(dict.fromkeys([address.strip(), canonical(address.strip()), without_label(address.strip())]))


def _checked(address: str) -> str:
    found = address.strip()
    if "@" not in found.strip("@") or any(character.isspace() for character in found):
        raise UserError(f"{address!r} is not an address")
    return found


def _records(stack: HomeStack) -> dict[str, datetime]:
    dynamodb: DynamoDBClient = boto3.client("dynamodb")
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=stack.ledger,
        FilterExpression="begins_with(id, :prefix) AND expiration > :now",
        ExpressionAttributeValues={
            ":prefix": {"S": SUPPRESSED},
            ":now": {"N": str(int(datetime.now(UTC).timestamp()))},
        },
    )
    return {item["id"]["S"]: _time(item["expiration"]["N"]) for page in pages for item in page["Items"]}


def _until(stack: HomeStack, record: str) -> datetime | None:
    dynamodb: DynamoDBClient = boto3.client("dynamodb")
    item = dynamodb.get_item(TableName=stack.ledger, Key={"id": {"S": record}}).get("Item")
    until = _time(item["expiration"]["N"]) if item else None
    return until if until and until > datetime.now(UTC) else None


def _time(seconds: str) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)


def _on_the_list_of_ses() -> list["SuppressedDestinationSummaryTypeDef"]:
    sesv2: SESV2Client = boto3.client("sesv2")
    found: list[SuppressedDestinationSummaryTypeDef] = []
    token = ""
    while True:
        page = sesv2.list_suppressed_destinations(NextToken=token) if token else sesv2.list_suppressed_destinations()
        found += page.get("SuppressedDestinationSummaries", [])
        token = page.get("NextToken", "")
        if not token:
            return found
