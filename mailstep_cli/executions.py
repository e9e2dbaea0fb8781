"""Finds executions in the account that this shell points to, local or real."""

from contextlib import suppress
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import ClientError

from mailstep.index_entry import email_id_of
from mailstep_cli import failures
from mailstep_cli.errors import UserError
from mailstep_cli.failures import Failure
from mailstep_cli.home_stack import HomeStack, find
from mailstep_cli.messages import find_email

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


def find_execution(execution: str, stack: str) -> tuple[str, "SFNClient"]:
    """The ARN of an execution, given its ARN, its name, or any name of its email; and the client of its Region.

    Raises:
        UserError: no execution, or more than one, matches.
    """
    if not execution.startswith("arn:"):
        sfn: SFNClient = boto3.client("stepfunctions")
        return _by_name(sfn, execution, stack), sfn
    try:
        there: SFNClient = boto3.client("stepfunctions", region_name=execution.split(":")[3])
    except (IndexError, ValueError) as error:
        raise UserError(f"{execution} is not the ARN of an execution") from error
    if failures.described(there, execution) is None:
        raise UserError(
            f"Step Functions has no execution {execution}, or forgot it: they are kept for 90 days. If it was started "
            "a moment ago, ask again"
        )
    return execution, there


def find_failed(execution: str, stack: str) -> tuple[Failure, "SFNClient"]:
    """The failure that a redrive is about, and the client of its Region.

    An ARN, or the name of a replay, is that execution; any other name is the newest execution of its email.

    Raises:
        UserError: no execution, or more than one, matches; or it did not fail.
    """
    arn, sfn = find_execution(execution, stack)
    name = arn.rpartition(":")[2]
    email_id, number = failures.numbered(name)
    # Another name than its own may lead to a replay: Step Functions may have forgotten the first execution.
    if not execution.startswith("arn:") and (number == 1 or execution != name):
        for newer in failures.executions_of(sfn, find(stack), email_id):
            arn = newer["executionArn"]
    return failures.failure_of(sfn.describe_execution(executionArn=arn)), sfn


def stack_of(arn: str, stack: str) -> HomeStack | None:
    """The home stack, if it is in the Region of the execution and is there."""
    try:
        home = find(stack)
    except (UserError, ClientError):
        return None
    return home if home.workflow.split(":")[3:5] == arn.split(":")[3:5] else None


def _by_name(sfn: "SFNClient", name: str, stack: str) -> str:
    """The execution of that name, or the first execution of the email that the name belongs to (messages.py)."""
    home = find(stack)
    if email_id_of(name):
        with suppress(sfn.exceptions.ExecutionDoesNotExist):
            return sfn.describe_execution(executionArn=home.execution(name))["executionArn"]
    entry = find_email(home, name)
    if not entry.executions:
        raise UserError(f"Step Functions has no execution of {entry.email_id}, or forgot it: they are kept for 90 days")
    return entry.executions[0].arn
