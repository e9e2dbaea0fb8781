"""Starts executions of the workflow, under a name that makes a repeated event harmless, and asks how they ended."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from mailstep.aws.clients import answered, client, transient_faults
from mailstep.contracts import LaterAnswer, StoredEmail
from mailstep.outcomes import ENDED_BADLY

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_stepfunctions.type_defs import ExecutionListItemTypeDef

STARTED, ALREADY_THERE = "started", "already there"
_JUST_STARTED = timedelta(seconds=12)
"""How long ago an execution started at most that a call started: its first answer may be lost (clients.py)."""


@dataclass(frozen=True)
class Described:
    """An execution as Step Functions describes it (AWS Step Functions API Reference, DescribeExecution)."""

    arn: str
    status: str
    started: datetime
    input: str
    redriven: datetime | None = None
    redrives: int = 0
    ended: datetime | None = None
    output: str | None = None
    error: str | None = None


@dataclass(frozen=True)
class Listed:
    """An execution as a list has it (AWS Step Functions API Reference, ExecutionListItem)."""

    arn: str
    status: str
    started: datetime
    ended: datetime | None
    redrives: int


def start(name: str, given: StoredEmail | LaterAnswer, workflow_arn: str) -> str:
    """Start the execution of that name. If it exists, the event was a repeat, which counts as success.

    The same call while the execution runs is answered with that one (AWS Step Functions API Reference, StartExecution),
    which its start tells, some seconds later.

    Returns:
        `started` or `already there`.

    Raises:
        TransientError: Step Functions is unavailable; the queue then delivers the record again.
    """
    sfn: SFNClient = client("stepfunctions")
    with transient_faults():
        try:
            answer = sfn.start_execution(
                stateMachineArn=workflow_arn,
                name=name,
                # Minimal and canonical, so that repeated events have identical input.
                input=json.dumps(
                    given.model_dump(mode="json", exclude={"replay", "reply_again", "override"}),
                    sort_keys=True,
                    separators=(",", ":"),
                ),
            )
        except sfn.exceptions.ExecutionAlreadyExists:
            return ALREADY_THERE
    return STARTED if answered(answer) - answer["startDate"] < _JUST_STARTED else ALREADY_THERE


def has_failed(execution_arn: str) -> bool:
    """Whether an execution failed, or no longer exists in Step Functions.

    Raises:
        TransientError: Step Functions is unavailable.
    """
    sfn: SFNClient = client("stepfunctions")
    with transient_faults():
        try:
            return sfn.describe_execution(executionArn=execution_arn)["status"] in ENDED_BADLY
        except sfn.exceptions.ExecutionDoesNotExist:
            return True


def newest(workflow_arn: str, since: datetime) -> Iterator[Listed]:
    """The executions that started since a time, the newest first, by the alias of the workflow or without it.

    Raises:
        TransientError: Step Functions is unavailable.
    """
    for one in _listed(workflow_arn):
        if one["startDate"] < since:
            return
        yield Listed(
            one["executionArn"],
            one["status"],
            one["startDate"],
            one.get("stopDate"),
            one.get("redriveCount", 0),
        )


def running(workflow_arn: str) -> set[str]:
    """The ARNs of all executions that run now, by the alias of the workflow or without it.

    Raises:
        TransientError: Step Functions is unavailable.
    """
    return {one["executionArn"] for one in _listed(workflow_arn, statusFilter="RUNNING")}


def _listed(workflow_arn: str, **which: Any) -> "Iterator[ExecutionListItemTypeDef]":
    sfn: SFNClient = client("stepfunctions")
    # The ARN of an alias would list only what was started by the alias (API reference, ListExecutions).
    unqualified = ":".join(workflow_arn.split(":")[:7])
    pages = iter(sfn.get_paginator("list_executions").paginate(stateMachineArn=unqualified, **which))
    while True:
        with transient_faults():
            page = next(pages, None)
        if page is None:
            return
        yield from page["executions"]


def describe(execution_arn: str) -> Described | None:
    """An execution; None if Step Functions does not know the ARN, or forgot it.

    Raises:
        TransientError: Step Functions is unavailable.
    """
    sfn: SFNClient = client("stepfunctions")
    with transient_faults():
        try:
            found = sfn.describe_execution(executionArn=execution_arn)
        except sfn.exceptions.ExecutionDoesNotExist:
            return None
    return Described(
        arn=found["executionArn"],
        status=found["status"],
        started=found["startDate"],
        input=found.get("input", ""),
        redriven=found.get("redriveDate"),
        redrives=found.get("redriveCount", 0),
        ended=found.get("stopDate"),
        output=found.get("output"),
        error=found.get("error"),
    )
