"""Processes a stored message again, as a new execution from its S3 object."""

import json
from typing import TYPE_CHECKING

import boto3
from pydantic import ValidationError

from mailstep.contracts import Override, StoredEmail
from mailstep.validate.policy import OVERRIDABLE
from mailstep_cli.errors import UserError
from mailstep_cli.failures import REPLAYS, name_of

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_sts import STSClient


def override(rule: str) -> Override:
    """The override of a rule of the policy, by the identity that this shell's credentials are for.

    Raises:
        UserError: there is no such rule, or it cannot be overridden.
    """
    if rule not in OVERRIDABLE:
        raise UserError(f"{rule!r} cannot be overridden: name one of {', '.join(OVERRIDABLE)} (docs/policy.md)")
    sts: STSClient = boto3.client("sts")
    return Override(rule=rule, by=sts.get_caller_identity()["Arn"])


def replay(sfn: "SFNClient", execution_arn: str, *, reply_again: bool, overridden: Override | None = None) -> str:
    """Start `<email_id>-r2`, or the next free name, with the input of the execution; return its ARN.

    A kind of reply that was already sent is not sent again, unless `reply_again`. If the same replay is still running,
    this returns its ARN and starts no second one (AWS Step Functions API reference, StartExecution). The input has the
    overridden rule, with who overrode it.

    Raises:
        UserError: it is not an execution of Mailstep, still runs, or has reached the limit of replays.
    """
    execution = sfn.describe_execution(executionArn=execution_arn)
    try:
        email = StoredEmail.model_validate_json(execution["input"])
    except ValidationError as error:
        raise UserError(f"{execution_arn} is not an execution of Mailstep's workflow") from error
    if execution["status"] == "RUNNING":
        raise UserError(
            f"{execution['name']} is still running: see what it waits for with mailstep history {execution['name']}"
        )
    changes = {"replay": True, "reply_again": reply_again, "override": overridden}
    terms = email.model_copy(update=changes).model_dump(mode="json")
    for number in range(2, REPLAYS + 1):
        try:
            return sfn.start_execution(
                stateMachineArn=execution.get("stateMachineAliasArn") or execution["stateMachineArn"],
                name=name_of(email.email_id, number),
                input=json.dumps(terms, sort_keys=True),
            )["executionArn"]
        except sfn.exceptions.ExecutionAlreadyExists:
            continue
    raise UserError(f"{email.email_id} has been replayed {REPLAYS - 1} times: redrive one of its executions instead")
