"""Finds what belongs to the same email as an execution: its other executions, and its later answers."""

from dataclasses import dataclass
from typing import Any

import boto3

from mailstep import keys
from mailstep.contracts import Contract
from mailstep.index_entry import Execution, email_id_of
from mailstep.start.identity import execution_name, later_answer
from mailstep_cli.history import Timeline
from mailstep_cli.home_stack import HomeStack, execution_arn

_ANSWERS = 50
"""Later answers that are named, at most."""


@dataclass(frozen=True)
class LaterAnswerSent:
    """A later answer to an email."""

    name: str
    execution_arn: str
    """Of the execution that sends it."""


@dataclass(frozen=True)
class Related:
    """What belongs to one email."""

    email_id: str
    executions: tuple[Execution, ...]
    """As the index has them, the oldest first."""
    later_answers: tuple[LaterAnswerSent, ...]
    """By name."""


class History(Contract):
    """What `mailstep history --json` prints. `related` is null if the execution is not the stack's."""

    execution_arn: str
    timeline: Timeline
    related: Related | None = None


def related(home: HomeStack, arn: str, line: Timeline) -> Related | None:
    """What belongs to the email of an execution; None if it is not the stack's, or names no email."""
    answers = home.outputs.get("LaterAnswerStateMachineArn", "")
    if arn == execution_arn(home.workflow, name := arn.rpartition(":")[2]):
        email_id = email_id_of(name) or _email_id(line)
    elif arn == execution_arn(answers, name):
        email_id = _email_id(line)
    else:
        return None
    if not email_id:
        return None
    entry = home.index.get(email_id) if home.index_table else None
    return Related(email_id, entry.executions if entry else (), tuple(_later_answers(home, answers, email_id)))


def _email_id(line: Timeline) -> str | None:
    """The email_id in the input of the execution, which its first state has."""
    given: Any = line.states[0].input if line.states else None
    named = given.get("email_id") if isinstance(given, dict) else None
    return named if isinstance(named, str) else None


def _later_answers(home: HomeStack, workflow: str, email_id: str) -> list[LaterAnswerSent]:
    found = boto3.client("s3").list_objects_v2(
        Bucket=home.bucket, Prefix=keys.later_answers(email_id), MaxKeys=_ANSWERS
    )
    answers = [later_answer(home.bucket, one["Key"]) for one in found.get("Contents", [])]
    return [LaterAnswerSent(one.name, execution_arn(workflow, execution_name(one))) for one in answers if one]
