"""A timeline from the events of AWS itself, which has kinds of event that the emulations lack.

Over 300 lines, because one recorded history serves the timeline and its view.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import boto3
import pytest
from botocore.model import ListShape, StructureShape
from botocore.parsers import create_parser
from botocore.session import get_session
from botocore.stub import Stubber
from rich.console import Console

from mailstep.validate.policy import MEANINGS, WITHHELD
from mailstep_cli.history import fetch, timeline
from mailstep_cli.timeline_view import readable_cause, seconds, timeline_table, what_followed, word_of

START = datetime(2026, 11, 24, tzinfo=UTC)


def event(at: float, kind: str, **details: Any) -> dict[str, Any]:
    named = {f"{kind[0].lower()}{kind[1:]}EventDetails": details} if details else {}
    return {"timestamp": START + timedelta(seconds=at), "type": kind, **named}


def state_event(at: float, kind: str, name: str) -> dict[str, Any]:
    details = {"name": name} if kind.endswith("Entered") else {"name": name, "output": '{"a": 1}'}
    return {"timestamp": START + timedelta(seconds=at), "type": kind, details_of(kind): details}


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
    # The workflow retried nothing: the execution failed, and an operator redrove it.
    assert [word_of(line, reply, number) for number in (1, 2)] == ["failed", "ok"]
    assert what_followed(line, reply, 1) == ""


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
    console = Console(width=1000)
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
        assert "processed (the application, or the processor, asked for no reply)" in ending(output)


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


def told_by_aws(*events: dict[str, Any]) -> list[dict[str, Any]]:
    """Events as the SDK reads them, from the JSON of GetExecutionHistory; each member must be one of AWS's model."""
    shape = get_session().get_service_model("stepfunctions").operation_model("GetExecutionHistory").output_shape
    assert isinstance(shape, StructureShape)
    listed = shape.members["events"]
    assert isinstance(listed, ListShape)
    known = cast("StructureShape", listed.member).members
    body: list[dict[str, Any]] = []
    for number, (at, kind, details) in enumerate(((e["at"], e["type"], e.get("details")) for e in events), start=1):
        name = next((n for n in (f"{kind[0].lower()}{kind[1:]}EventDetails", details_of(kind)) if n in known), None)
        assert details is None or (name and details.keys() <= cast("StructureShape", known[name]).members.keys()), kind
        body.append({"timestamp": 1_795_000_000 + at, "type": kind, "id": number, "previousEventId": number - 1})
        if name and details is not None:
            body[-1][name] = details
    parsed = create_parser("json").parse(
        {"status_code": 200, "headers": {}, "body": json.dumps({"events": body}).encode()}, shape
    )
    return list(parsed["events"])


def details_of(kind: str) -> str:
    return "stateEnteredEventDetails" if kind.endswith("Entered") else "stateExitedEventDetails"


def at(seconds: float, kind: str, **details: Any) -> dict[str, Any]:
    return {"at": seconds, "type": kind, "details": details or None}


LAMBDA = {"resourceType": "lambda", "resource": "invoke"}
BUSY = '{"errorMessage": "the application answered 503", "errorType": "TransientError"}'
LONGEST = "Lambda.ClientExecutionTimeoutException"
# An outage, a delay notice whose function dies, the queue's heartbeat that stops, and a redrive.
RECORDED = (
    at(0, "ExecutionStarted", input="{}", roleArn="arn:aws:iam::1:role/x"),
    at(0, "TaskStateEntered", name="ProcessEmail", input='{"subject": "Order"}'),
    at(0, "TaskScheduled", **LAMBDA, region="us-east-1", parameters="{}", timeoutInSeconds=35),
    at(0.1, "TaskStarted", **LAMBDA),
    at(1, "TaskFailed", **LAMBDA, error="TransientError", cause=BUSY),
    at(5, "TaskScheduled", **LAMBDA, region="us-east-1", parameters="{}"),
    at(5.1, "TaskStarted", **LAMBDA),
    at(6, "TaskFailed", **LAMBDA, error="TransientError", cause=BUSY),
    at(6, "TaskStateExited", name="ProcessEmail", output="{}"),
    at(6, "TaskStateEntered", name="SendDelayNotice", input="{}"),
    at(6, "TaskScheduled", **LAMBDA, region="us-east-1", parameters="{}"),
    at(6.1, "TaskStarted", **LAMBDA),
    at(71, "TaskTimedOut", **LAMBDA, error=LONGEST, cause="too long"),
    at(71, "TaskStateExited", name="SendDelayNotice", output="{}"),
    at(71, "TaskStateEntered", name="QueueEmail", input="{}"),
    at(71, "TaskScheduled", resourceType="sqs", resource="sendMessage.waitForTaskToken", region="r", parameters="{}"),
    at(71.1, "TaskStarted", resourceType="sqs", resource="sendMessage.waitForTaskToken"),
    at(71.2, "TaskSubmitted", resourceType="sqs", resource="sendMessage.waitForTaskToken", output="{}"),
    at(
        100,
        "TaskTimedOut",
        resourceType="sqs",
        resource="sendMessage.waitForTaskToken",
        error="States.HeartbeatTimeout",
    ),
    at(100, "MapRunStarted", mapRunArn="arn:aws:states:us-east-1:1:mapRun:x"),
    at(100, "ExecutionFailed", error="States.HeartbeatTimeout"),
    at(4000, "ExecutionRedriven", redriveCount=1),
    at(4000, "TaskScheduled", resourceType="sqs", resource="sendMessage.waitForTaskToken", region="r", parameters="{}"),
    at(
        4010,
        "TaskSucceeded",
        resourceType="sqs",
        resource="sendMessage.waitForTaskToken",
        output='{"answer_key": null}',
    ),
    at(4010, "TaskStateExited", name="QueueEmail", output="{}"),
    at(4010, "ExecutionSucceeded", output="{}"),
)


def shown(width: int, *, verbose: bool = False) -> str:
    console = Console(width=width)
    with console.capture() as captured:
        console.print(timeline_table(timeline(told_by_aws(*RECORDED)), title="x", verbose=verbose))
    return captured.get()


@pytest.mark.parametrize("width", [60, 80, 200])
def test_names_of_states_and_errors_are_whole_at_any_width(width: int) -> None:
    lines = shown(width).splitlines()
    assert max(map(len, lines)) <= width
    for whole in (
        "ProcessEmail",
        "SendDelayNotice",
        "QueueEmail",
        "TransientError",
        LONGEST,
        "States.HeartbeatTimeout",
    ):
        assert any(whole in line for line in lines), whole


def test_the_bars_give_way_first() -> None:
    assert "━" not in shown(55)
    assert "━" in shown(80)


def test_the_view_says_what_was_retried_caught_and_redriven() -> None:
    said = " ".join(shown(300).split())
    assert "TransientError: the application answered 503; retried after 4.00 s" in said
    assert "TransientError: the application answered 503; a Catch went on to SendDelayNotice" in said
    assert f"{LONGEST}: too long; a Catch went on to QueueEmail" in said
    assert "redriven after 1 h 6 min" in said
    assert "Other events: MapRunStarted (1)" in said
    assert ("Order" in said, "Order" in shown(300, verbose=True)) == (False, True)


def test_the_wait_between_two_tries_is_drawn_to_scale() -> None:
    line = timeline(
        [
            event(0, "ExecutionStarted"),
            state_event(0, "TaskStateEntered", "ParseEmail"),
            event(0, "TaskScheduled", resource="invoke"),
            event(2, "TaskFailed", error="TransientError", cause="{}"),
            event(8, "TaskScheduled", resource="invoke"),
            event(10, "TaskSucceeded", output="{}"),
            state_event(10, "TaskStateExited", "ParseEmail"),
            event(10, "ExecutionSucceeded", output="{}"),
        ]
    )
    console = Console(width=200)
    with console.capture() as captured:
        console.print(timeline_table(line, title="x"))
    [retry] = [row for row in captured.get().splitlines() if "·" in row]
    assert abs(retry.count("·") - 3 * retry.count("━")) <= 2, "it waited 6 seconds, and ran for 2"


def test_a_history_of_25_000_events_is_read_from_all_its_pages() -> None:
    """25,000 is the most that an execution can have, and 1,000 the most of a page (AWS Step Functions, "Quotas")."""
    events = [event(0, "ExecutionStarted")]
    for second in range(12_499):
        events += [state_event(second, "PassStateEntered", "A"), state_event(second, "PassStateExited", "A")]
    events.append(event(12_500, "ExecutionSucceeded", output="{}"))
    assert len(events) == 25_000
    sfn = boto3.client("stepfunctions", region_name="us-east-1")
    arn = "arn:aws:states:us-east-1:123456789012:execution:mailstep-email:x"
    with Stubber(sfn) as aws:
        for first in range(0, 25_000, 1000):
            page: dict[str, Any] = {"events": [one | {"id": n} for n, one in enumerate(events[first : first + 1000])]}
            asked: dict[str, Any] = {"executionArn": arn, "maxResults": 1000}
            if first:
                asked["nextToken"] = f"after-{first}"
            if first < 24_000:
                page["nextToken"] = f"after-{first + 1000}"
            aws.add_response("get_execution_history", page, asked)
        line = fetch(sfn, arn)
        aws.assert_no_pending_responses()
    assert len(line.states) == 12_499
    assert line.ended == START + timedelta(seconds=12_500)


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (0.154, "0.15 s"),
        (59.99, "59.99 s"),
        (60, "1 min 0 s"),
        (125, "2 min 5 s"),
        (12_000, "3 h 20 min"),
        (259_200, "3 d 0 h"),
    ],
)
def test_a_span_is_told_in_the_units_that_a_person_would_use(span: float, said: str) -> None:
    assert seconds(timedelta(seconds=span)) == said
