"""Starts executions of the workflow, under a name that makes a repeated event harmless, and asks how they ended."""

import json
from typing import TYPE_CHECKING

from mailstep.aws.clients import client, transient_faults
from mailstep.contracts import LaterAnswer, StoredEmail

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_FAILED = {"FAILED", "TIMED_OUT", "ABORTED"}


def start(name: str, given: StoredEmail | LaterAnswer, workflow_arn: str) -> str:
    """Start the execution of that name. If it exists, the event was a repeat, which counts as success.

    Returns:
        `started` or `already there`.

    Raises:
        TransientError: Step Functions is unavailable; the queue then delivers the record again.
    """
    sfn: SFNClient = client("stepfunctions")
    with transient_faults():
        try:
            sfn.start_execution(
                stateMachineArn=workflow_arn,
                name=name,
                # Minimal and canonical, so that repeated events have identical input.
                input=json.dumps(
                    given.model_dump(mode="json", exclude={"replay", "reply_again"}),
                    sort_keys=True,
                    separators=(",", ":"),
                ),
            )
        except sfn.exceptions.ExecutionAlreadyExists:
            return "already there"
    return "started"


def has_failed(execution_arn: str) -> bool:
    """Whether an execution failed, or no longer exists in Step Functions.

    Raises:
        TransientError: Step Functions is unavailable.
    """
    sfn: SFNClient = client("stepfunctions")
    with transient_faults():
        try:
            return sfn.describe_execution(executionArn=execution_arn)["status"] in _FAILED
        except sfn.exceptions.ExecutionDoesNotExist:
            return True
