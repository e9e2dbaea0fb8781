"""The workflow that replays very many messages: its pace, what it tries again, and no message twice."""

import json
from typing import Any

import pytest
from jsonata import Jsonata

from tests.support.project import REPLAY_DEFINITION

EACH = json.loads(REPLAY_DEFINITION)["States"]["ReplayEach"]
STATES = EACH["ItemProcessor"]["States"]
TASKS = ("StartReplay", "LookAtReplay")
BEGAN = "2026-11-26T12:00:00Z"
BEFORE, SINCE = "2026-11-26T11:59:59.999Z", "2026-11-26T12:00:00.000Z"


def evaluated(expression: str, **variables: Any) -> Any:
    compiled = Jsonata(expression.removeprefix("{%").removesuffix("%}").strip())
    frame = compiled.create_frame()
    for name, value in variables.items():
        frame.bind(name, value)
    return compiled.evaluate(None, frame)


def of_result(state: str, field: str, **result: str) -> Any:
    """A field of the output of a task that got this result."""
    return evaluated(STATES[state]["Output"][field], states={"result": result}, began=BEGAN, email={"email_id": "e-1"})


def chosen(number: int, started: str, status: str = "SUCCEEDED") -> str:
    """What is done about a replay of this number that is there already; `next` is to try the next number."""
    looked = {field: of_result("LookAtReplay", field, StartDate=started, Status=status)
              for field in ("is_new", "is_running")}  # fmt: skip
    for choice in STATES["ChooseNumber"]["Choices"]:
        if evaluated(choice["Condition"], states={"input": looked}, number=number):
            assert choice["Next"] == "EndItem"
            assert evaluated(choice["Output"]["email_id"], email={"email_id": "e-1"}) == "e-1"
            return str(choice["Output"]["done"])
    assert STATES["ChooseNumber"]["Default"] == "StartReplay"
    assert evaluated(STATES["ChooseNumber"]["Assign"]["number"], number=number) == number + 1
    return "next"


def test_it_replays_ten_messages_a_second() -> None:
    """docs/runbook.md. Each item waits first."""
    assert EACH["ItemProcessor"]["StartAt"] == "KeepPace"
    assert EACH["MaxConcurrency"] / STATES["KeepPace"]["Seconds"] == 10


def test_a_message_that_cannot_be_replayed_does_not_end_the_others() -> None:
    """Without it, the first failed item ends the Map (Amazon States Language, "Map State", tolerated failures)."""
    assert EACH["ToleratedFailurePercentage"] == 100


@pytest.mark.parametrize("task", TASKS)
def test_what_passes_is_tried_again_for_some_minutes(task: str) -> None:
    """AWS Step Functions: throttling and faults of its own API, of the network, and no answer in time."""
    passes = {"Sfn.ThrottlingException", "Sfn.SfnException", "Sfn.SdkClientException", "States.Timeout"}
    if task == "StartReplay":
        passes.add("Sfn.ExecutionLimitExceededException")  # a million open executions (StartExecution, Errors)
    else:
        passes.add("Sfn.ExecutionDoesNotExistException")  # DescribeExecution is eventually consistent (API reference)
    [retrier] = STATES[task]["Retry"]
    assert set(retrier["ErrorEquals"]) == passes
    waits = [retrier["IntervalSeconds"] * retrier["BackoffRate"] ** n for n in range(retrier["MaxAttempts"])]
    assert sum(min(wait, retrier["MaxDelaySeconds"]) for wait in waits) >= 10 * 60
    assert waits[0] <= 5
    assert retrier["JitterStrategy"] == "FULL", "ten at once do not come again at once"
    assert STATES[task]["TimeoutSeconds"] <= 60


def test_a_name_that_is_taken_is_looked_at_and_nothing_else_is_caught() -> None:
    [catcher] = STATES["StartReplay"]["Catch"]
    assert catcher["ErrorEquals"] == ["Sfn.ExecutionAlreadyExistsException"]
    assert catcher["Next"] == "LookAtReplay"
    assert "Catch" not in STATES["LookAtReplay"]


def test_the_first_replay_of_an_email_is_its_second_execution() -> None:
    """As `mailstep replay` names it (mailstep_cli/replay.py): each name is taken once."""
    assert STATES["KeepPace"]["Assign"]["number"] == 2
    assert evaluated(STATES["StartReplay"]["Arguments"]["Name"], email={"email_id": "e-1"}, number=2) == "e-1-r2"
    arn = STATES["LookAtReplay"]["Arguments"]["ExecutionArn"]
    assert evaluated(arn, email={"email_id": "e-1"}, number=3) == "${ExecutionArnPrefix}:e-1-r3"


@pytest.mark.parametrize(
    ("number", "started", "status", "done"),
    [
        (2, SINCE, "SUCCEEDED", "replayed already"),
        (2, SINCE, "RUNNING", "replayed already"),
        (2, BEFORE, "RUNNING", "still running"),
        (2, BEFORE, "SUCCEEDED", "next"),
        (98, BEFORE, "FAILED", "next"),
        (99, BEFORE, "FAILED", "replayed too often"),
        (100, BEFORE, "FAILED", "replayed too often"),
        (99, SINCE, "FAILED", "replayed already"),
    ],
)
def test_a_replay_since_the_batch_began_counts_and_no_second_one_starts_beside_one_that_runs(
    number: int, started: str, status: str, done: str
) -> None:
    assert chosen(number, started, status) == done


@pytest.mark.parametrize(("started", "done"), [(SINCE, "replayed"), (BEFORE, "still running")])
def test_a_replay_that_runs_since_before_the_batch_is_not_said_to_be_replayed(started: str, done: str) -> None:
    """With the same input, StartExecution answers with the execution that runs (AWS Step Functions, StartExecution)."""
    assert of_result("StartReplay", "done", StartDate=started) == done
    assert of_result("StartReplay", "email_id") == "e-1"
