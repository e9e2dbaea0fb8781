"""Finds messages whose latest execution failed, among the executions of a time, and repeats them.

The executions themselves are asked, not the index: they say what failed even if an event of theirs was lost.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

import boto3
from botocore.config import Config
from pydantic import ValidationError

from mailstep.contracts import StoredEmail
from mailstep_cli.home_stack import HomeStack

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_stepfunctions.type_defs import DescribeExecutionOutputTypeDef, ExecutionListItemTypeDef

REPLAYS = 99
"""An execution's name has 80 characters, so that `-r99` is the last replay of an email (identity.py)."""
_LONGEST = timedelta(days=15)
"""How long an execution may take: an application's outage and its own time are days (route_settings.py)."""
_FAILED: tuple[Literal["FAILED"], Literal["TIMED_OUT"], Literal["ABORTED"]] = ("FAILED", "TIMED_OUT", "ABORTED")
_NAME = re.compile(r"(?P<email_id>.+?)(?:-r(?P<number>[1-9]\d?))?")
UNANSWERED = "ApplicationUnanswered"
"""The error of an item that the application did not answer: only a replay puts it back into the queue."""


@dataclass(frozen=True)
class Failure:
    """The latest execution of a message, which failed."""

    email: StoredEmail
    name: str
    arn: str
    status: str
    error: str
    redriven: datetime | None
    """When it was redriven last."""


def client() -> "SFNClient":
    """A client that waits as long as Step Functions throttles it."""
    return boto3.client("stepfunctions", config=Config(retries={"mode": "adaptive", "total_max_attempts": 10}))


def name_of(email_id: str, number: int) -> str:
    """The name of an email's execution: the first one is `<email_id>`, the replays are `<email_id>-r2` and so on."""
    return email_id if number == 1 else f"{email_id}-r{number}"


def numbered(name: str) -> tuple[str, int]:
    """The email_id in the name of an execution, and its number: 1 for the first one."""
    found = _NAME.fullmatch(name)
    return (found["email_id"], int(found["number"] or 1)) if found else (name, 1)


def failures(sfn: "SFNClient", stack: HomeStack, since: datetime, until: datetime) -> Iterator[Failure]:
    """The messages that failed at a time from `since` to `until`, and have no later execution."""
    latest: dict[str, tuple[int, str]] = {}
    for found in ended(sfn, stack.workflow, since, until):
        email_id, number = numbered(found["name"])
        latest[email_id] = max(latest.get(email_id, (0, "")), (number, found["executionArn"]))
    for email_id, (number, arn) in latest.items():
        if number < REPLAYS and described(sfn, stack.execution(name_of(email_id, number + 1))):
            continue
        if (execution := described(sfn, arn)) and execution["status"] in _FAILED and (found_ := _failure(execution)):
            yield found_


def ended(sfn: "SFNClient", workflow: str, since: datetime, until: datetime) -> Iterator["ExecutionListItemTypeDef"]:
    """The executions of a state machine that failed, timed out or were aborted at a time from `since` to `until`."""
    for status in _FAILED:
        pages = sfn.get_paginator("list_executions").paginate(stateMachineArn=workflow, statusFilter=status)
        # The latest start comes first.
        for found in (one for page in pages for one in page["executions"]):
            if found["startDate"] < since - _LONGEST:
                break
            if since <= found.get("stopDate", found["startDate"]) <= until:
                yield found


def described(sfn: "SFNClient", arn: str) -> "DescribeExecutionOutputTypeDef | None":
    """The execution, or None if there is none of that ARN."""
    try:
        return sfn.describe_execution(executionArn=arn)
    except sfn.exceptions.ExecutionDoesNotExist:
        return None


def _failure(execution: "DescribeExecutionOutputTypeDef") -> Failure | None:
    try:
        email = StoredEmail.model_validate_json(execution["input"])
    except ValidationError:
        return None
    return Failure(
        email,
        execution["name"],
        execution["executionArn"],
        execution["status"],
        execution.get("error", ""),
        execution.get("redriveDate"),
    )


def replay_once(
    sfn: "SFNClient", stack: HomeStack, email: StoredEmail, *, began: datetime, reply_again: bool = False
) -> str:
    """Start one new execution of a message, unless one was started since `began`; return what was done.

    So a batch can be repeated after an interrupt: each message has exactly one new execution. Step Functions itself
    holds the record, because the name of an execution is used once. Two operators at once start one, too.
    """
    terms = json.dumps(
        email.model_copy(update={"replay": True, "reply_again": reply_again}).model_dump(mode="json"), sort_keys=True
    )
    for number in range(2, REPLAYS + 1):
        try:
            started = sfn.start_execution(
                stateMachineArn=stack.workflow_alias, name=name_of(email.email_id, number), input=terms
            )
        except sfn.exceptions.ExecutionAlreadyExists:
            there = described(sfn, stack.execution(name_of(email.email_id, number)))
            if there and there["startDate"] >= began:
                return "replayed already"
            if there and there["status"] == "RUNNING":
                return "still running"
        else:
            # A call that repeats a running execution gets that one.
            return "replayed" if started["startDate"] >= began else "still running"
    return "replayed too often"


def redrive(sfn: "SFNClient", failure: Failure, *, began: datetime) -> str:
    """Repeat the failed task of an execution, unless that was done since `began`; return what was done."""
    if failure.redriven and failure.redriven >= began:
        return "redriven already"
    if failure.error == UNANSWERED:
        return "not redriven: replay it, because a redrive puts no item back into the queue"
    try:
        sfn.redrive_execution(executionArn=failure.arn)
    except sfn.exceptions.ExecutionNotRedrivable:
        return "not redriven: it was stopped, or ended over 14 days ago; replay it"
    return "redriven"
