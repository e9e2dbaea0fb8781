"""Finding an execution on the account that this shell points to, local or real."""

from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from localcloud.errors import UserError

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


def find_execution(execution: str, stack: str) -> tuple[str, "SFNClient"]:
    """The ARN of an execution that is named by its ARN, its name, or how its name begins; and the client to ask.

    Raises:
        UserError: there is none or more than one, or AWS cannot be asked.
    """
    try:
        region = execution.split(":")[3] if execution.startswith("arn:") else None
        sfn: SFNClient = boto3.client("stepfunctions", region_name=region)
        if execution.startswith("arn:"):
            sfn.describe_execution(executionArn=execution)
            return execution, sfn
        return _by_name(sfn, execution, stack), sfn
    except IndexError as error:
        raise UserError(f"{execution} is not the ARN of an execution") from error
    except ClientError as error:
        raise UserError(f"AWS answered: {error.response['Error'].get('Message') or error}") from error
    except (BotoCoreError, ValueError) as error:
        raise UserError(
            f"AWS cannot be asked: {error} Set credentials and Region, or the variables that `mailstep up` prints."
        ) from error


def _by_name(sfn: "SFNClient", name: str, stack: str) -> str:
    described = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
    if "StateMachineArn" not in outputs:
        raise UserError(f"the stack {stack!r} has no output StateMachineArn: name Mailstep's stack with --stack")
    pages = sfn.get_paginator("list_executions").paginate(stateMachineArn=outputs["StateMachineArn"])
    found = [e for page in pages for e in page["executions"] if e["name"].startswith(name)]
    exact = [e for e in found if e["name"] == name]
    if len(exact or found) != 1:
        names = "".join(f" {e['name']}" for e in found[:5])
        raise UserError(
            f"{len(found)} executions of {stack!r} have a name that begins with {name!r}{names and ':'}{names}"
        )
    return (exact or found)[0]["executionArn"]
