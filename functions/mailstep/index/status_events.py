"""Reads an execution, as an event of Step Functions or as DescribeExecution has it, into what the index keeps of it."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from mailstep.aws.executions import Described
from mailstep.contracts import StoredEmail
from mailstep.index_entry import Execution, error_name, standing

DETAIL_TYPE = "Step Functions Execution Status Change"
_ID = 200  # characters of what an output says that is not ours to bound


@dataclass(frozen=True)
class Seen:
    """An execution of the workflow, and the email that it processes."""

    email: StoredEmail
    execution: Execution


class _Detail(BaseModel):
    """`detail` of a status event. Pydantic reads times in milliseconds since 1970 as well as in text."""

    model_config = ConfigDict(alias_generator=to_camel)

    execution_arn: str
    status: str
    start_date: datetime
    stop_date: datetime | None = None
    input: str | None = None
    output: str | None = None
    error: str | None = None
    redrive_count: int | None = None
    redrive_date: datetime | None = None


def of_event(event: object) -> Seen | None:
    """The execution in an event of EventBridge; None if it is no status event of an email.

    (AWS Step Functions Developer Guide, "Automating Step Functions event delivery with EventBridge": times are in
    milliseconds since 1970, and the output is there only if the execution succeeded.)

    Raises:
        ValidationError: it is a status event of another shape.
    """
    match event:
        case {"detail-type": str(kind), "detail": dict(detail)} if kind == DETAIL_TYPE:
            said = _Detail.model_validate(detail)
            return _seen(
                Described(
                    arn=said.execution_arn,
                    status=said.status,
                    started=said.start_date,
                    input=said.input or "",
                    redriven=said.redrive_date,
                    redrives=said.redrive_count or 0,
                    ended=said.stop_date,
                    output=said.output,
                    error=said.error,
                )
            )
    return None


def of_description(described: Described) -> Seen | None:
    """The same of what DescribeExecution says; None if the execution is not of an email."""
    return _seen(described)


def _seen(found: Described) -> Seen | None:
    try:
        email = StoredEmail.model_validate_json(found.input)
    except ValidationError:
        return None
    said = _object(found.output)
    return Seen(
        email,
        Execution(
            arn=found.arn,
            status=found.status,
            started=found.started,
            redriven=found.redriven,
            redrives=found.redrives,
            ended=found.ended if found.status != "RUNNING" else None,
            replay=email.replay,
            outcome=standing(found.status, said.get("outcome")),
            reason=_text(said.get("reason")),
            withheld=_text(said.get("withheld")),
            error=error_name(found.error),
            ses_message_id=_text(said.get("ses_message_id")),
        ),
    )


def _object(output: str | None) -> dict[str, Any]:
    try:
        found = json.loads(output or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _text(value: object) -> str | None:
    return value[:_ID] if isinstance(value, str) and value else None
