"""Turns an execution's history into a timeline: when each state ran, how often, how long, and how it ended."""

import json
import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from mailstep.contracts import Override

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_SCHEDULED = re.compile(r"^(Task|LambdaFunction|Activity)Scheduled$")
_SUCCEEDED = re.compile(r"^(Task|LambdaFunction|Activity)Succeeded$")
_FAILED = re.compile(r"^(Task|LambdaFunction|Activity)\w*(Failed|TimedOut)$")
_ENTERED = re.compile(r"^\w+StateEntered$")
_LEFT = re.compile(r"^\w+State(Exited|Aborted)$")
_ENDED = re.compile(r"^Execution(Succeeded|Failed|Aborted|TimedOut)$")
_PASSED_OVER = {"ExecutionStarted", "TaskStarted", "TaskSubmitted", "LambdaFunctionStarted", "ActivityStarted"}
"""Events that add nothing to the events beside them."""
_ENDED_BADLY = {"ExecutionFailed": "Failed", "ExecutionAborted": "Aborted", "ExecutionTimedOut": "States.Timeout"}


@dataclass
class Attempt:
    """One attempt at a state. A task has one for each retry, any other state has one."""

    started: datetime
    ended: datetime | None = None
    error: str | None = None
    cause: str | None = None

    @property
    def duration(self) -> timedelta | None:
        """How long it took; None while it runs."""
        return self.ended - self.started if self.ended else None


@dataclass
class State:
    """One visit of a state. `result` is what its task answered, `output` what the state made of that.

    `caught_by` is the state that a Catch went on to, if the last attempt failed.
    """

    name: str
    entered: datetime
    attempts: list[Attempt] = field(default_factory=list)
    left: datetime | None = None
    input: Any = None
    result: Any = None
    output: Any = None
    caught_by: str | None = None

    @property
    def error(self) -> str | None:
        """The error of the last attempt, which a Catch handled or which ended the execution."""
        return self.attempts[-1].error if self.attempts else None


@dataclass
class Timeline:
    """A whole execution. `error` and `cause` are the execution's own, `override` is that of its input.

    `redriven` has the times of its redrives, `other_events` counts the events that are not known here by their type.
    """

    started: datetime
    override: Override | None = None
    states: list[State] = field(default_factory=list)
    ended: datetime | None = None
    error: str | None = None
    cause: str | None = None
    redriven: list[datetime] = field(default_factory=list)
    other_events: Counter[str] = field(default_factory=Counter)


def timeline(events: list[dict[str, Any]]) -> Timeline:
    """Read the events of GetExecutionHistory, oldest first (AWS Step Functions API reference, HistoryEvent).

    The states are taken as a sequence: Mailstep's workflow has no Parallel and no Map.
    """
    line = Timeline(events[0]["timestamp"], _override(events[0]))
    for event in events:
        _read(event, line)
    for state in line.states:
        if not state.attempts:
            state.attempts.append(Attempt(state.entered, state.left or line.ended))
    for state, following in pairwise(line.states):
        if state.error and state.left:
            state.caught_by = following.name
    return line


def _read(event: dict[str, Any], line: Timeline) -> None:
    kind, at = event["type"], event["timestamp"]
    details: dict[str, Any] = next((value for name, value in event.items() if name.endswith("EventDetails")), {})
    state = line.states[-1] if line.states else None
    if _ENTERED.match(kind):
        line.states.append(State(details["name"], at, input=_json(details.get("input"))))
    elif _ENDED.match(kind):
        # An execution that was stopped or timed out may have no details.
        line.ended, line.error = at, details.get("error") or _ENDED_BADLY.get(kind)
        line.cause = details.get("cause")
        if state and state.attempts and state.attempts[-1].ended is None:
            state.attempts[-1].ended, state.attempts[-1].error = at, line.error
    elif kind == "ExecutionRedriven":
        # A redrive continues in the failed state without entering it again.
        line.ended, line.error, line.cause = None, None, None
        line.redriven.append(at)
    elif kind not in _PASSED_OVER and not (state and _is_of(state, kind, at, details)):
        line.other_events[kind] += 1


def _is_of(state: State, kind: str, at: datetime, details: dict[str, Any]) -> bool:
    """Read an event of a state, and return whether its type is known."""
    if _LEFT.match(kind):
        state.left = at
        state.output = _json(details.get("output"))
    elif _SCHEDULED.match(kind):
        state.attempts.append(Attempt(at))
    elif kind == "EvaluationFailed":
        # A JSONata expression of the state failed, before or after its task.
        error = details.get("error", "States.QueryEvaluationError")
        state.attempts.append(Attempt(at, at, error, details.get("cause")))
    elif _FAILED.match(kind) and (not state.attempts or state.attempts[-1].ended):
        # Refused before it was scheduled: the workflow's role lacks the permission (States.Permissions).
        state.attempts.append(Attempt(at, at, details.get("error"), details.get("cause")))
    elif state.attempts and _SUCCEEDED.match(kind):
        state.attempts[-1].ended = at
        state.result = _json(details.get("output"))
    elif state.attempts and _FAILED.match(kind):
        attempt = state.attempts[-1]
        attempt.ended = at
        attempt.error, attempt.cause = details.get("error", "States.Timeout"), details.get("cause")
    else:
        return False
    return True


def _json(text: str | None) -> Any:
    """What an event carries. AWS cuts it where a log is asked for without data, so it may be no JSON."""
    with suppress(ValueError):
        return json.loads(text or "null")
    return text


def _override(started: dict[str, Any]) -> Override | None:
    # Any JSON can be the input of an execution that somebody started by hand.
    with suppress(ValueError, KeyError, TypeError):
        return Override.model_validate(json.loads(started["executionStartedEventDetails"]["input"])["override"])
    return None


def fetch(sfn: "SFNClient", execution_arn: str) -> Timeline:
    """The timeline of an execution, from GetExecutionHistory alone."""
    # As many as a page takes: an execution can have 25,000 (AWS Step Functions API reference, GetExecutionHistory).
    pages = sfn.get_paginator("get_execution_history").paginate(
        executionArn=execution_arn, PaginationConfig={"PageSize": 1000}
    )
    return timeline([dict(event) for page in pages for event in page["events"]])
