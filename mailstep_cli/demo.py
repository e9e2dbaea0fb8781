"""Sends messages to a local account, and follows each until its execution ends."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailstep.outcomes import Outcome
from mailstep_cli import history
from mailstep_cli.smtp_client import MessageFile, recipient, send

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

    from mailstep_local.cloud import LocalCloud

STILL_RUNNING = "still running"
"""In place of an outcome, where the execution had not ended in time."""
_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Result:
    """A message and the result of its execution: an `Outcome`, or `STILL_RUNNING`.

    `execution_arn` is None if no execution started in time.
    """

    file: Path
    execution_arn: str | None
    status: str
    outcome: str
    reason: str | None
    withheld: str | None
    reply: Path | None
    timeline: history.Timeline | None

    @property
    def error(self) -> str | None:
        """The error that decided: the execution's own, else the last one that a Catch handled."""
        if self.timeline is None:
            return "no execution started in time"
        caught = [state.error for state in self.timeline.states if state.error]
        return self.timeline.error or (caught[-1] if caught else None)

    def as_json(self) -> dict[str, Any]:
        """The object that `mailstep demo --json` prints."""
        states = self.timeline.states if self.timeline else []
        return {
            "file": str(self.file),
            "execution_arn": self.execution_arn,
            "status": self.status,
            "outcome": self.outcome,
            "reason": self.reason,
            "withheld": self.withheld,
            "error": self.error,
            "reply": str(self.reply) if self.reply else None,
            "states": [
                {
                    "name": state.name,
                    "attempts": len(state.attempts),
                    "duration_ms": _milliseconds(state),
                    "error": state.error,
                }
                for state in states
            ],
        }


def run(cloud: "LocalCloud", files: list[MessageFile], *, route: str | None, timeout: float) -> list[Result]:
    """Send every file, then follow each until its execution ends or `timeout` seconds have passed."""
    sent = [(file, send(file, recipient(file, cloud.addresses, route), port=cloud.smtp_port)) for file in files]
    deadline = time.monotonic() + timeout
    return [_follow(cloud, file, ses_message_id, deadline) for file, ses_message_id in sent]


def _follow(cloud: "LocalCloud", file: MessageFile, ses_message_id: str, deadline: float) -> Result:
    sfn: SFNClient = cloud.account.client("stepfunctions")
    arn: str | None = None
    while True:
        arn = arn or _execution_arn(sfn, cloud.outputs["StateMachineArn"], ses_message_id)
        if arn:
            execution = sfn.describe_execution(executionArn=arn)
            if execution["status"] != "RUNNING":
                return _result(cloud, file, arn, execution["status"], execution.get("output"))
        # Asked at least once: other messages may have used up the time.
        if time.monotonic() >= deadline:
            break
        time.sleep(_POLL_SECONDS)
    if arn:
        line = history.fetch(sfn, arn)
        return Result(file.path, arn, "RUNNING", STILL_RUNNING, None, None, _last_reply(cloud, line), line)
    return Result(file.path, None, "NOT_STARTED", Outcome.FAILED, None, None, None, None)


def _execution_arn(sfn: "SFNClient", state_machine_arn: str, ses_message_id: str) -> str | None:
    pages = sfn.get_paginator("list_executions").paginate(stateMachineArn=state_machine_arn)
    found = (e["executionArn"] for page in pages for e in page["executions"] if e["name"].startswith(ses_message_id))
    return next(found, None)


def _result(cloud: "LocalCloud", file: MessageFile, arn: str, status: str, output: str | None) -> Result:
    line = history.fetch(cloud.account.client("stepfunctions"), arn)
    said: dict[str, Any] = json.loads(output or "{}") if status == "SUCCEEDED" else {"outcome": Outcome.FAILED}
    reason, withheld = said.get("reason"), said.get("withheld")
    return Result(file.path, arn, status, said["outcome"], reason, withheld, _last_reply(cloud, line), line)


def _last_reply(cloud: "LocalCloud", line: history.Timeline) -> Path | None:
    outputs = [state.output for state in line.states if isinstance(state.output, dict)]
    replies = [cloud.outbox / f"{said['ses_message_id']}.eml" for said in outputs if said.get("ses_message_id")]
    return replies[-1] if replies else None


def _milliseconds(state: history.State) -> int:
    ends = [state.left, *(attempt.ended for attempt in state.attempts)]
    end = max((end for end in ends if end), default=state.entered)
    return round((end - state.entered).total_seconds() * 1000)
