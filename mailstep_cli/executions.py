"""Finds executions in the account that this shell points to, local or real."""

from typing import TYPE_CHECKING

import boto3

from mailstep_cli.errors import UserError

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_stepfunctions.type_defs import ExecutionListItemTypeDef

_LISTED = 10


def latest(stack: str) -> list["ExecutionListItemTypeDef"]:
    """The newest executions of a stack, the newest first.

    Raises:
        UserError: the stack is not Mailstep's.
    """
    sfn: SFNClient = boto3.client("stepfunctions")
    return sfn.list_executions(stateMachineArn=_state_machine(stack), maxResults=_LISTED)["executions"]


def find_execution(execution: str, stack: str) -> tuple[str, "SFNClient"]:
    """The ARN of an execution, given its ARN, its name or the start of its name; and the client of its Region.

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
    there.describe_execution(executionArn=execution)
    return execution, there


def _by_name(sfn: "SFNClient", name: str, stack: str) -> str:
    pages = sfn.get_paginator("list_executions").paginate(stateMachineArn=_state_machine(stack))
    found = {e["name"]: e["executionArn"] for page in pages for e in page["executions"] if e["name"].startswith(name)}
    # The name itself, or the original if all others are its replays (`-r2`).
    first = min(found, key=len, default="")
    if not found or not all(other.startswith(first) for other in found):
        names = ", ".join(list(found)[:_LISTED])
        raise UserError(
            f"{len(found)} executions of {stack!r} have a name that begins with {name!r}{names and ': '}{names}"
        )
    return found[first]


def _state_machine(stack: str) -> str:
    described = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
    if "StateMachineArn" not in outputs:
        raise UserError(f"the stack {stack!r} has no output StateMachineArn: name Mailstep's stack with --stack")
    return outputs["StateMachineArn"]
