"""A batch counts what became of each thing, goes on after a failure, and ends between two things after Ctrl-C."""

import json
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from mailstep import keys
from mailstep.contracts import StoredEmail
from mailstep.index_entry import IndexEntry
from mailstep.outcomes import RUNNING
from mailstep_cli import batches, distributed
from mailstep_cli.errors import UserError
from mailstep_cli.failures import name_of, numbered
from mailstep_cli.home_stack import HomeStack
from mailstep_cli.messages import Filter
from mailstep_cli.repeating import Repeat, stored_email_of
from mailstep_cli.times import moment
from tests.support.events import BUCKET
from tests.support.index import NOW as NOW_OF_INDEX
from tests.support.index import TABLE, message_index
from tests.support.index import email as indexed_email

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
EMAIL = "v3vru3dcb4dfql8cgvn4v9f5k5fbsf9d6u9ol4o1-0123456789abcdef0123456789abcdef"  # pragma: allowlist secret


def denied(_: object) -> str:
    raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "StartExecution")


def test_a_refused_call_is_one_failure_and_the_batch_goes_on() -> None:
    acts: list[Callable[[object], str]] = [denied, lambda _: "done", lambda _: "left"]
    tally = batches.each([0, 1, 2, 1], lambda number: acts[number](number), total=4)
    assert (tally.ended, tally.failed) == ({"done": 2, "left": 1}, {"0": "AWS answered: no"})
    assert (tally.done, tally.interrupted) == (4, False)


def test_an_interrupt_ends_the_batch_and_what_was_done_is_counted() -> None:
    def act(number: int) -> str:
        if number == 2:
            raise KeyboardInterrupt
        return "done"

    tally = batches.each(range(10), act, total=10)
    assert (tally.done, tally.total, tally.interrupted) == (2, 10, True)


def test_ctrl_c_waits_until_the_thing_is_done_and_a_second_one_does_not() -> None:
    finished: list[int] = []

    def act(presses: int) -> str:
        for _ in range(presses):
            signal.raise_signal(signal.SIGINT)
        finished.append(presses)
        return "done"

    tally = batches.each([0, 1, 0], act, total=3)
    assert (tally.interrupted, tally.done, finished) == (True, 2, [0, 1])
    tally = batches.each([2, 0], act, total=2)
    assert (tally.interrupted, tally.done, finished) == (True, 0, [0, 1])


def test_a_rate_is_kept_by_waiting_and_never_made_up_for(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(round(seconds, 3))
        clock[0] += seconds

    monkeypatch.setattr("mailstep_cli.batches.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("mailstep_cli.batches.time.sleep", sleep)

    def act(number: int) -> str:
        clock[0] += 3 if number == 1 else 0
        return "done"

    batches.each(range(4), act, total=4, rate=2)
    # The second one took three seconds: the next two do not come at once.
    assert slept == [0, 0.5, 0, 0.5]


@pytest.mark.parametrize(("number", "name"), [(1, EMAIL), (2, f"{EMAIL}-r2"), (99, f"{EMAIL}-r99")])
def test_the_executions_of_an_email_are_numbered_by_their_names(number: int, name: str) -> None:
    assert name_of(EMAIL, number) == name
    assert numbered(name) == (EMAIL, number)
    assert len(name) <= 80, "AWS Step Functions API reference, StartExecution"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("90m", NOW - timedelta(minutes=90)),
        ("2h", NOW - timedelta(hours=2)),
        ("3d", NOW - timedelta(days=3)),
        ("2026-11-26T11:30:00+00:00", NOW - timedelta(minutes=30)),
        ("2026-11-26T11:30:00.250Z", NOW - timedelta(minutes=29, seconds=59.75)),
    ],
)
def test_a_time_is_how_long_ago_or_a_date(text: str, meant: datetime) -> None:
    assert moment(text, now=NOW) == meant


@pytest.mark.parametrize("text", ["yesterday", "2", "2x", "", "2026-13-01"])
def test_what_is_no_time_is_named(text: str) -> None:
    with pytest.raises(UserError, match="is not a time"):
        moment(text, now=NOW)


def batch(**changes: Any) -> Repeat:
    stack = HomeStack("staging", {}, asked=NOW)
    given: dict[str, Any] = {"since": "2h", "until": None, "began": None, **changes}
    return Repeat("replay", stack, **given)


def test_the_command_that_goes_on_means_the_same_messages_at_any_later_time() -> None:
    first = batch(reply_again=True)
    assert first.goes_on() == (
        "mailstep replay --failed --since 2026-11-26T10:00:00+00:00 --until 2026-11-26T12:00:01+00:00 "
        "--began 2026-11-26T12:00:00+00:00 --stack staging --reply-again"
    )
    resumed = batch(
        since="2026-11-26T10:00:00+00:00", until="2026-11-26T12:00:01+00:00", began="2026-11-26T12:00:00+00:00"
    )
    assert resumed.times() == first.times()
    assert resumed.goes_on().endswith("--stack staging")


def test_what_failed_in_the_second_of_the_question_is_meant_too() -> None:
    """AWS's clock, in the Date of its answer, has whole seconds (RFC 9110 section 5.6.7)."""
    since, until, began = batch().times()
    assert since < began <= NOW < NOW + timedelta(milliseconds=999) < until


def test_the_filters_of_a_batch_are_in_the_command_that_goes_on() -> None:
    asked = batch(wanted=Filter(route="orders"), options=["--route", "orders", "--subject", "Order 4711"])
    assert asked.goes_on().startswith("mailstep replay --route orders --subject 'Order 4711' --since 2026-11-26T10")


@pytest.mark.usefixtures("account")
def test_two_replays_that_begin_in_one_second_keep_their_own_lists() -> None:
    machine = boto3.client("stepfunctions").create_state_machine(
        name="mailstep-replay", definition="{}", roleArn="arn:aws:iam::123456789012:role/x"
    )["stateMachineArn"]
    stack = HomeStack("mailstep", {"MailBucketName": BUCKET}, {"ReplayWorkflow": machine})
    for _ in range(3):
        started = [distributed.start(stack, [indexed_email(number)], began=NOW, reply_again=False) for number in (1, 2)]
        s3 = boto3.client("s3")
        lists = [json.loads(s3.get_object(Bucket=BUCKET, Key=keys.replay(name))["Body"].read()) for _, name in started]
        assert [one["email"]["email_id"] for [one] in lists] == [indexed_email(number).email_id for number in (1, 2)]
        assert len({execution for execution, _ in started}) == 2


def test_many_messages_need_a_time() -> None:
    with pytest.raises(UserError, match="need --since"):
        batch(since=None).times()


def as_stored(stored: StoredEmail, entry: IndexEntry) -> IndexEntry:
    return entry.with_email(stored)


@pytest.mark.usefixtures("account")
def test_the_filters_of_list_choose_what_is_replayed_and_what_runs_is_left_alone() -> None:
    stack = HomeStack("mailstep", {"MessageIndexName": TABLE}, asked=NOW, parameters={"ParsedRetentionDays": "30"})
    for number, route in ((1, "orders"), (2, "tickets"), (3, "orders")):
        stored = indexed_email(number, route)
        message_index().change(stored.email_id, partial(as_stored, stored))
    since, until = (NOW_OF_INDEX + timedelta(hours=hours) for hours in (-1, 1))
    asked = Repeat("replay", stack, since.isoformat(), until.isoformat(), None, wanted=Filter(route="orders"))
    found = [one for one in asked.meant(boto3.client("stepfunctions")) if isinstance(one, IndexEntry)]
    assert {one.email_id for one in found} == {indexed_email(number, "orders").email_id for number in (1, 3)}
    [first] = [stored_email_of(one) for one in found if one.email_id == indexed_email(1, "orders").email_id]
    assert first == indexed_email(1, "orders")
    assert stored_email_of(found[0].model_copy(update={"outcome": RUNNING})) is None
