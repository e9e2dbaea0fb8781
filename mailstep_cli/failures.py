"""Finds messages whose latest execution failed, one or all of a time, and redrives them.

The executions themselves are asked, not the index: they say what failed even if an event of theirs was lost.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from pydantic import ValidationError

from mailstep.contracts import StoredEmail
from mailstep.outcomes import ENDED_BADLY
from mailstep_cli.errors import UserError
from mailstep_cli.home_stack import HomeStack

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_stepfunctions.type_defs import DescribeExecutionOutputTypeDef, ExecutionListItemTypeDef

REPLAYS = 99
"""An execution's name has 80 characters, so that `-r99` is the last replay of an email (identity.py)."""
_LONGEST = timedelta(days=15)
"""How long an execution may take: an application's outage and its own time are days (route_settings.py)."""
_NAME = re.compile(r"(?P<email_id>.+?)(?:-r(?P<number>[1-9]\d?))?")
REDRIVEN = "redriven"
UNANSWERED = "ApplicationUnanswered"
"""The error of an item that the application did not answer: only a replay puts it back into the queue."""


@dataclass(frozen=True)
class Failure:
    """An execution that failed. `email` is None if it is not one of an email, but of a later answer."""

    email: StoredEmail | None
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


def executions_of(sfn: "SFNClient", stack: HomeStack, email_id: str) -> "Iterator[DescribeExecutionOutputTypeDef]":
    """The executions of an email that Step Functions knows, the first one first. It may have forgotten that one."""
    for number in range(1, REPLAYS + 1):
        if found := described(sfn, stack.execution(name_of(email_id, number))):
            yield found
        elif number > 1:
            return


def failure_of(execution: "DescribeExecutionOutputTypeDef") -> Failure:
    """What failed in an execution.

    Raises:
        UserError: it did not fail.
    """
    if execution["status"] not in ENDED_BADLY:
        raise UserError(
            f"{execution['name']} did not fail: its status is {execution['status']}. To redrive an earlier execution "
            "of the email, give its ARN"
        )
    email = None
    with suppress(ValidationError):
        email = StoredEmail.model_validate_json(execution["input"])
    return Failure(
        email,
        execution["name"],
        execution["executionArn"],
        execution["status"],
        execution.get("error", ""),
        execution.get("redriveDate"),
    )


def failures(sfn: "SFNClient", stack: HomeStack, since: datetime, until: datetime) -> Iterator[Failure]:
    """The messages that failed at a time from `since` to `until`, and have no later execution."""
    latest: dict[str, tuple[int, str]] = {}
    for found in ended(sfn, stack.workflow, since, until):
        email_id, number = numbered(found["name"])
        latest[email_id] = max(latest.get(email_id, (0, "")), (number, found["executionArn"]))
    for email_id, (number, arn) in latest.items():
        if number < REPLAYS and described(sfn, stack.execution(name_of(email_id, number + 1))):
            continue
        if (execution := described(sfn, arn)) and execution["status"] in ENDED_BADLY:
            failure = failure_of(execution)
            if failure.email:
                yield failure


def ended(sfn: "SFNClient", workflow: str, since: datetime, until: datetime) -> Iterator["ExecutionListItemTypeDef"]:
    """The executions of a state machine that failed, timed out or were aborted at a time from `since` to `until`."""
    for status in ENDED_BADLY:
        pages = sfn.get_paginator("list_executions").paginate(stateMachineArn=workflow, statusFilter=status)
        # The latest start comes first.
        for found in (one for page in pages for one in page["executions"]):
            if found["startDate"] < since - _LONGEST:
                break
            if since <= found.get("stopDate", found["startDate"]) <= until:
                yield found


def described(sfn: "SFNClient", arn: str) -> "DescribeExecutionOutputTypeDef | None":
    """The execution; None if the ARN names none."""
    try:
        return sfn.describe_execution(executionArn=arn)
    except sfn.exceptions.ExecutionDoesNotExist:
        return None


def redrive(sfn: "SFNClient", failure: Failure, *, began: datetime | None = None) -> str:
    """Repeat the failed task of an execution, unless that was done since `began`; return what was done.

    Anything but `redriven` says why it was not, and what to do instead.
    """
    if began and failure.redriven and failure.redriven >= began:
        return "redriven already"
    if failure.error == UNANSWERED:
        return "not redriven: replay it, because a redrive puts no item back into the queue"
    try:
        sfn.redrive_execution(executionArn=failure.arn)
    except sfn.exceptions.ExecutionNotRedrivable:
        return "not redriven: it was stopped, or ended over 14 days ago; replay it"
    return REDRIVEN
