"""The workflow's executions: started under a name that makes a repeated event harmless, and asked how they ended."""

import json
from typing import TYPE_CHECKING

from mailstep.aws.clients import client, transient_faults
from mailstep.contracts import StoredEmail

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_FAILED = {"FAILED", "TIMED_OUT", "ABORTED"}


def start(email: StoredEmail, workflow_arn: str) -> str:
    """Start the execution named after the email. One that is already there is success: the event was a repeat.

    Returns:
        `started` or `already there`.

    Raises:
        TransientError: Step Functions asks to try again; so does the queue then.
    """
    sfn: SFNClient = client("stepfunctions")
    with transient_faults():
        try:
            sfn.start_execution(
                stateMachineArn=workflow_arn,
                name=email.email_id,
                # Minimal and canonical, so that the inputs of repeated events are the same to the last byte.
                input=json.dumps(
                    email.model_dump(mode="json", exclude={"replay", "reply_again"}),
                    sort_keys=True,
                    separators=(",", ":"),
                ),
            )
        except sfn.exceptions.ExecutionAlreadyExists:
            return "already there"
    return "started"


def has_failed(execution_arn: str) -> bool:
    """Whether an execution ended without an answer. One that Step Functions no longer knows gives none either.

    Raises:
        TransientError: Step Functions asks to try again.
    """
    sfn: SFNClient = client("stepfunctions")
    with transient_faults():
        try:
            return sfn.describe_execution(executionArn=execution_arn)["status"] in _FAILED
        except sfn.exceptions.ExecutionDoesNotExist:
            return True
