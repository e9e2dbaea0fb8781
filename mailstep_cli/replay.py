"""Processing a stored message again, as a new execution from its S3 object."""

import json
from typing import TYPE_CHECKING

from pydantic import ValidationError

from mailstep.contracts import StoredEmail
from mailstep_cli.errors import UserError

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_MOST = 99
"""Replays of one email: an execution's name has 80 characters (identity.py)."""


def replay(sfn: "SFNClient", execution_arn: str, *, reply_again: bool) -> str:
    """Start `<id>-r2`, or the next one that is free, with the input of the execution; answer its ARN.

    Kinds of reply that the email has had are not sent again, unless `reply_again`. One that is still running under
    the same terms is answered, not doubled (AWS Step Functions API reference, StartExecution).

    Raises:
        UserError: it is no execution of Mailstep's, still runs, or has been replayed as often as can be.
    """
    execution = sfn.describe_execution(executionArn=execution_arn)
    try:
        email = StoredEmail.model_validate_json(execution["input"])
    except ValidationError as error:
        raise UserError(f"{execution_arn} is no execution of Mailstep's workflow") from error
    if execution["status"] == "RUNNING":
        raise UserError(f"{execution['name']} is still running: what it waits for, mailstep history says")
    terms = email.model_copy(update={"replay": True, "reply_again": reply_again}).model_dump(mode="json")
    for number in range(2, _MOST + 1):
        try:
            return sfn.start_execution(
                stateMachineArn=execution.get("stateMachineAliasArn") or execution["stateMachineArn"],
                name=f"{email.email_id}-r{number}",
                input=json.dumps(terms, sort_keys=True),
            )["executionArn"]
        except sfn.exceptions.ExecutionAlreadyExists:
            continue
    raise UserError(f"{email.email_id} has been replayed {_MOST - 1} times: redrive one of these executions instead")
