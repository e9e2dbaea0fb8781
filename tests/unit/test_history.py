"""A timeline from the events of AWS itself, which has kinds of event that the emulations lack."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console

from mailstep.validate.policy import MEANINGS, WITHHELD
from mailstep_cli.display import readable_cause, timeline_table
from mailstep_cli.history import timeline

START = datetime(2026, 11, 24, tzinfo=UTC)


def event(at: float, kind: str, **details: Any) -> dict[str, Any]:
    named = {f"{kind[0].lower()}{kind[1:]}EventDetails": details} if details else {}
    return {"timestamp": START + timedelta(seconds=at), "type": kind, **named}


def state_event(at: float, kind: str, name: str) -> dict[str, Any]:
    which = "stateEnteredEventDetails" if kind.endswith("Entered") else "stateExitedEventDetails"
    return {"timestamp": START + timedelta(seconds=at), "type": kind, which: {"name": name, "output": '{"a": 1}'}}


def test_a_retry_a_catch_and_a_choice() -> None:
    line = timeline(
        [
            event(0, "ExecutionStarted"),
            state_event(0, "TaskStateEntered", "ParseEmail"),
            event(0.1, "TaskScheduled", resource="invoke"),
            event(0.2, "TaskStarted", resource="invoke"),
            event(1, "TaskFailed", error="TransientError", cause="{}"),
            event(2, "TaskScheduled", resource="invoke"),
            event(2.1, "TaskStarted", resource="invoke"),
            event(4, "TaskTimedOut", error="States.Timeout"),
            state_event(4, "TaskStateExited", "ParseEmail"),
            state_event(4, "ChoiceStateEntered", "Choose"),
            state_event(4.5, "ChoiceStateExited", "Choose"),
            event(5, "ExecutionSucceeded", output="{}"),
        ]
    )
    parse, choose = line.states
    assert [(a.error, a.duration) for a in parse.attempts] == [
        ("TransientError", timedelta(seconds=0.9)),
        ("States.Timeout", timedelta(seconds=2)),
    ]
    assert parse.output == {"a": 1}
    assert [a.duration for a in choose.attempts] == [timedelta(seconds=0.5)]
    assert (line.ended, line.error) == (START + timedelta(seconds=5), None)


@pytest.mark.parametrize(("kind", "error"), [("ExecutionAborted", "Aborted"), ("ExecutionTimedOut", "States.Timeout")])
def test_an_end_without_details_is_no_success(kind: str, error: str) -> None:
    line = timeline(
        [
            event(0, "ExecutionStarted"),
            state_event(0, "TaskStateEntered", "ParseEmail"),
            event(1, "TaskScheduled", resource="invoke"),
            event(3, kind),
        ]
    )
    assert line.error == error
    assert [attempt.error for attempt in line.states[0].attempts] == [error]
    console = Console(width=120, record=True)
    console.print(timeline_table(line, title="execution"))
    assert "failed after" in console.export_text()


def test_what_took_no_time_has_the_shortest_bar() -> None:
    line = timeline(
        [
            event(0, "ExecutionStarted"),
            state_event(1, "ChoiceStateEntered", "Choose"),
            state_event(1, "ChoiceStateExited", "Choose"),
            event(2, "ExecutionSucceeded", output="{}"),
        ]
    )
    console = Console(width=120, record=True)
    console.print(timeline_table(line, title="execution"))
    assert console.export_text().count("━") == 1


def test_lambdas_older_events_and_a_redrive() -> None:
    line = timeline(
        [
            event(0, "ExecutionStarted"),
            state_event(0, "TaskStateEntered", "SendReply"),
            event(0, "LambdaFunctionScheduled", resource="arn"),
            event(0.5, "LambdaFunctionStarted"),
            event(1, "LambdaFunctionFailed", error="MessageRejected", cause="no"),
            event(1, "ExecutionFailed", error="MessageRejected", cause="no"),
            event(60, "ExecutionRedriven"),
            event(60, "LambdaFunctionScheduled", resource="arn"),
            event(61, "LambdaFunctionSucceeded", output="{}"),
            state_event(61, "TaskStateExited", "SendReply"),
            event(61, "ExecutionSucceeded", output="{}"),
        ]
    )
    [reply] = line.states
    assert [a.error for a in reply.attempts] == ["MessageRejected", None]
    assert line.error is None


def test_an_aborted_execution_ends_what_was_running() -> None:
    line = timeline(
        [
            event(0, "ExecutionStarted"),
            state_event(0, "TaskStateEntered", "ParseEmail"),
            event(0, "TaskScheduled", resource="invoke"),
            event(3, "ExecutionAborted", error="stopped", cause="by hand"),
        ]
    )
    assert line.states[0].attempts[0].ended == START + timedelta(seconds=3)
    assert (line.error, line.cause) == ("stopped", "by hand")


@pytest.mark.parametrize("already_sent", [True, False])
def test_the_view_of_a_replay_says_whether_its_reply_had_been_sent_before(already_sent: bool) -> None:
    ended = state_event(1, "TaskStateExited", "SendReply")
    ended["stateExitedEventDetails"]["output"] = '{"outcome": "replied", "reason": null, "ses_message_id": "1"}'
    payload = {"Payload": {"ses_message_id": "1", "already_sent": already_sent}}
    line = timeline(
        [
            event(0, "ExecutionStarted"),
            state_event(0, "TaskStateEntered", "SendReply"),
            event(0, "TaskScheduled", resource="invoke"),
            event(1, "TaskSucceeded", output=json.dumps(payload)),
            ended,
            event(1, "ExecutionSucceeded", output="{}"),
        ]
    )
    console = Console(width=200, record=True)
    console.print(timeline_table(line, title="execution"))
    assert ("not sent again" in console.export_text()) == already_sent


def test_a_cause_is_read_for_its_message() -> None:
    assert readable_cause('{"errorMessage": "a\\nb", "errorType": "X"}') == "a b"
    assert readable_cause("plain") == "plain"
    assert readable_cause(None) == ""
    assert len(readable_cause("x" * 1000)) < 300


@pytest.mark.parametrize("code", MEANINGS)
def test_the_view_of_a_message_names_the_code_of_its_refusal_and_what_it_means(code: str) -> None:
    line = timeline(
        [
            event(0, "ExecutionStarted"),
            state_event(0, "PassStateEntered", "StaySilent"),
            {
                **state_event(1, "PassStateExited", "StaySilent"),
                "stateExitedEventDetails": {
                    "name": "StaySilent",
                    "output": f'{{"outcome": "silent", "reason": "{code}"}}',
                },
            },
            event(1, "ExecutionSucceeded"),
        ]
    )
    console = Console(width=400)
    with console.capture() as shown:
        console.print(timeline_table(line, title="x"))
    assert f"silent ({code}: {MEANINGS[code]})" in shown.get()


def ending(output: Mapping[str, object]) -> str:
    line = timeline(
        [
            event(0, "ExecutionStarted"),
            state_event(0, "PassStateEntered", "EndWithoutReply"),
            {
                **state_event(1, "PassStateExited", "EndWithoutReply"),
                "stateExitedEventDetails": {"name": "EndWithoutReply", "output": json.dumps(output)},
            },
            event(1, "ExecutionSucceeded"),
        ]
    )
    console = Console(width=500)
    with console.capture() as shown:
        console.print(timeline_table(line, title="x"))
    return shown.get()


@pytest.mark.parametrize("code", WITHHELD)
def test_the_view_of_a_processed_message_says_which_rule_withheld_its_reply(code: str) -> None:
    processed = {"outcome": "processed", "reason": None}
    assert f"processed, reply withheld ({code}: {WITHHELD[code]})" in ending(processed | {"withheld": code})
    for output in (processed, processed | {"withheld": None}):
        assert "processed (the application asked for no reply)" in ending(output)


def test_a_task_that_was_refused_before_it_was_scheduled_has_its_error() -> None:
    line = timeline(
        [
            event(0, "ExecutionStarted"),
            state_event(0, "TaskStateEntered", "ParseEmail"),
            event(1, "TaskFailed", error="States.Permissions", cause="not authorized"),
            event(2, "ExecutionFailed", error="States.Permissions", cause="not authorized"),
        ]
    )
    [attempt] = line.states[0].attempts
    assert (attempt.error, attempt.cause) == ("States.Permissions", "not authorized")
