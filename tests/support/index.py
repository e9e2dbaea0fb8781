"""The table of the index as the template declares it, and entries for it."""

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import boto3

from mailstep.aws.message_index import MessageIndex
from mailstep.contracts import StoredEmail
from mailstep.index.status_events import Seen, of_event
from tests.support.events import BUCKET, REGION
from tests.support.transformed import transformed

TABLE = "mailstep-index"
WORKFLOW = "arn:aws:states:us-east-1:123456789012:stateMachine:mailstep-email"
NOW = datetime.now(UTC).replace(microsecond=0)
"""Of this run: an entry of long ago would have expired."""


@cache
def index_table() -> dict[str, Any]:
    """What CreateTable takes of the template's table."""
    properties = transformed("template.yaml", {"Domain": "mail.example.com"})["MessageIndex"]["Properties"]
    assert properties["TableName"] == TABLE
    no_part_of_the_call = {"TimeToLiveSpecification", "SSESpecification"}
    return {name: value for name, value in properties.items() if name not in no_part_of_the_call}


def create_index_table() -> None:
    """The table of template.yaml, on moto."""
    boto3.client("dynamodb", region_name=REGION).create_table(**index_table())


def message_index() -> MessageIndex:
    return MessageIndex(TABLE, 30)


def email(number: int = 1, route: str = "orders") -> StoredEmail:
    name = f"{number:04}ses{route}"
    return StoredEmail(
        email_id=f"{name}-{number:032x}", route=route, bucket=BUCKET, key=f"inbound/{route}/{name}", stored=NOW
    )


def milliseconds(time: datetime) -> int:
    return round(time.timestamp() * 1000)


def status_event(
    stored: StoredEmail,
    status: str = "SUCCEEDED",
    *,
    started: datetime = NOW,
    seconds: float = 2,
    name: str = "",
    output: str | None = None,
    redriven: datetime | None = None,
    redrives: int = 0,
    error: str | None = None,
) -> dict[str, Any]:
    """An event as AWS documents it (Step Functions Developer Guide, "Automating ... with EventBridge")."""
    ended = status != "RUNNING"
    arn = f"{WORKFLOW.replace(':stateMachine:', ':execution:')}:{name or stored.email_id}"
    return {
        "version": "0",
        "id": "315c1398-40ff-a850-213b-158f73e60175",
        "detail-type": "Step Functions Execution Status Change",
        "source": "aws.states",
        "account": "123456789012",
        "time": "2026-11-26T12:00:00Z",
        "region": REGION,
        "resources": [arn],
        "detail": {
            "executionArn": arn,
            "stateMachineArn": WORKFLOW,
            "name": name or stored.email_id,
            "status": status,
            "startDate": milliseconds(started),
            "stopDate": milliseconds((redriven or started) + timedelta(seconds=seconds)) if ended else None,
            "input": stored.model_dump_json(),
            "output": output,
            "inputDetails": {"included": True},
            "outputDetails": None,
            "error": error,
            "cause": None,
            "stateMachineVersionArn": None,
            "stateMachineAliasArn": None,
            "redriveCount": redrives,
            "redriveDate": milliseconds(redriven) if redriven else None,
            "redriveStatus": "NOT_REDRIVABLE",
            "redriveStatusReason": None,
        },
    }


def seen(stored: StoredEmail, status: str = "SUCCEEDED", **details: Any) -> Seen:
    found = of_event(status_event(stored, status, **details))
    assert found
    return found


def ended_as(outcome: str, reason: str | None = None, ses_message_id: str | None = None, **more: Any) -> str:
    """The output of an execution (statemachine/email.asl.json)."""
    return json.dumps({"outcome": outcome, "reason": reason, "ses_message_id": ses_message_id} | more)
