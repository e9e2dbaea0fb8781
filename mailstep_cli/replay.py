"""Processes a stored message again, as a new execution from its S3 object."""

import json
import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import boto3
from pydantic import ValidationError

from mailstep.contracts import Override, StoredEmail
from mailstep.validate.policy import OVERRIDABLE
from mailstep_cli.errors import UserError
from mailstep_cli.failures import REPLAYS, described, name_of
from mailstep_cli.home_stack import execution_arn

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_stepfunctions.type_defs import DescribeExecutionOutputTypeDef
    from mypy_boto3_sts import STSClient

DONE, DONE_ALREADY = "replayed", "replayed already"
STILL_RUNNING, TOO_OFTEN = "still running", "replayed too often"
_WAITS = (0.5, 1, 2)
"""Seconds between questions about an execution that must be there."""


def override(rule: str) -> Override:
    """The override of a rule of the policy, by the identity that this shell's credentials are for.

    Raises:
        UserError: there is no such rule, or it cannot be overridden.
    """
    if rule not in OVERRIDABLE:
        raise UserError(f"{rule!r} cannot be overridden: name one of {', '.join(OVERRIDABLE)} (docs/policy.md)")
    sts: STSClient = boto3.client("sts")
    return Override(rule=rule, by=sts.get_caller_identity()["Arn"])


@dataclass(frozen=True)
class Replayed:
    """What was done, in a few words, and the ARN of the execution that it is about; without one, it is empty."""

    done: str
    execution: str


def replay(sfn: "SFNClient", arn: str, *, reply_again: bool, overridden: Override | None = None) -> str:
    """Process the message of an execution again, as `replay_once` does; return the ARN of the new execution.

    Raises:
        UserError: it is not an execution of Mailstep, it or a replay of its email still runs, or the email has reached
            the limit of replays.
    """
    execution = sfn.describe_execution(executionArn=arn)
    try:
        email = StoredEmail.model_validate_json(execution["input"])
    except ValidationError as error:
        raise UserError(f"{arn} is not an execution of Mailstep's workflow") from error
    if execution["status"] == "RUNNING":
        raise _still_running(execution["name"])
    # The workflow of the execution itself: an ARN may be one of another stack.
    workflow = execution.get("stateMachineAliasArn") or execution["stateMachineArn"]
    again = replay_once(sfn, workflow, email, reply_again=reply_again, overridden=overridden)
    if again.done == STILL_RUNNING:
        raise _still_running(again.execution.rpartition(":")[2])
    if again.done == TOO_OFTEN:
        raise UserError(
            f"{email.email_id} has been replayed {REPLAYS - 1} times: redrive one of its executions instead"
        )
    return again.execution


def replay_once(
    sfn: "SFNClient",
    workflow: str,
    email: StoredEmail,
    *,
    began: datetime | None = None,
    reply_again: bool = False,
    overridden: Override | None = None,
) -> Replayed:
    """Start `<email_id>-r2`, or the next free name, unless an execution of the message was started since `began`.

    So a batch can be repeated after an interrupt: each message has exactly one new execution. Step Functions itself
    holds the record, because the name of an execution is used once. Two operators at once start one, too: a second
    call with the same input gets the execution that runs (AWS Step Functions API Reference, StartExecution).

    A kind of reply that was already sent is not sent again, unless `reply_again`. The input has the overridden rule,
    with who overrode it. `workflow` is the ARN of the workflow's alias.
    """
    changes = {"replay": True, "reply_again": reply_again, "override": overridden}
    terms = json.dumps(email.model_copy(update=changes).model_dump(mode="json"), sort_keys=True)
    for number in range(2, REPLAYS + 1):
        name = name_of(email.email_id, number)
        arn = execution_arn(workflow, name)
        try:
            started = sfn.start_execution(stateMachineArn=workflow, name=name, input=terms)
        except sfn.exceptions.ExecutionAlreadyExists:
            there = _existing(sfn, arn)
            if there and began and there["startDate"] >= began:
                return Replayed(DONE_ALREADY, arn)
            if there and there["status"] == "RUNNING":
                return Replayed(STILL_RUNNING, arn)
        else:
            is_new = began is None or started["startDate"] >= began
            return Replayed(DONE if is_new else STILL_RUNNING, arn)
    return Replayed(TOO_OFTEN, "")


def _existing(sfn: "SFNClient", arn: str) -> "DescribeExecutionOutputTypeDef | None":
    """The execution whose name is taken; None if Step Functions does not describe it within some seconds.

    DescribeExecution is eventually consistent (AWS Step Functions API Reference): one that began a moment ago, by this
    batch or another operator, may not be there yet.
    """
    for wait in (0, *_WAITS):
        time.sleep(wait)
        if there := described(sfn, arn):
            return there
    return None


def _still_running(name: str) -> UserError:
    return UserError(f"{name} is still running: see what it waits for with mailstep history {name}")
