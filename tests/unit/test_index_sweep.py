"""The sweep: whatever status events are lost, the index becomes what the executions say. On moto's own executions.

Over 300 lines, because all of it needs a workflow whose events were lost.
"""

import dataclasses
import json
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from mailstep import keys
from mailstep.aws import clients, executions
from mailstep.aws.message_index import By
from mailstep.contracts import Message, StoredEmail
from mailstep.index import indexing
from mailstep.index.status_events import Seen, of_description
from mailstep.index.sweep import gaps
from mailstep.index_entry import EXECUTIONS, IndexEntry
from mailstep.start.identity import stored_email
from mailstep_cli import rebuilding
from mailstep_cli.home_stack import HomeStack
from tests.support.events import BUCKET, REGION
from tests.support.index import TABLE, create_index_table, email, message_index
from tests.support.index import seen as seen_of
from tests.support.requests import requests_made

MAILS = 30
REPLIED = {"outcome": "replied", "ses_message_id.$": "$.email_id"}
DEFINITION = {"StartAt": "End", "States": {"End": {"Type": "Pass", "Parameters": REPLIED, "End": True}}}


@pytest.fixture
def workflow(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A workflow that answers every email, with its table; moto runs what is started."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    clients.client.cache_clear()
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        create_index_table()
        boto3.client("s3", region_name=REGION).create_bucket(Bucket=BUCKET)
        yield boto3.client("stepfunctions", region_name=REGION).create_state_machine(
            name="email", definition=json.dumps(DEFINITION), roleArn="arn:aws:iam::123456789012:role/x"
        )["stateMachineArn"]
    clients.client.cache_clear()


@pytest.fixture
def ended(workflow: str) -> list[Seen]:
    """What was seen of 30 executions that ended, the oldest first."""
    sfn = boto3.client("stepfunctions", region_name=REGION)
    arns = [
        sfn.start_execution(stateMachineArn=workflow, name=one.email_id, input=one.model_dump_json())["executionArn"]
        for one in map(email, range(MAILS))
    ]
    deadline = time.monotonic() + 60
    while any(sfn.describe_execution(executionArn=arn)["status"] == "RUNNING" for arn in arns):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    found = [of_description(described) for arn in arns if (described := executions.describe(arn))]
    return [one for one in found if one]


def started(seen: Seen) -> Seen:
    """The event of the beginning of an execution."""
    running = {"status": "RUNNING", "outcome": "running", "ended": None, "ses_message_id": None}
    return Seen(seen.email, seen.execution.model_copy(update=running))


def contents() -> dict[str, IndexEntry]:
    return {entry.email_id: entry for entry in message_index().newest()}


def sweep(workflow: str, **more: Any) -> gaps.Swept:
    now = datetime.now(UTC)
    options: dict[str, Any] = {"go_on": lambda _: True} | more
    return gaps.sweep(workflow, message_index(), now - timedelta(hours=6), now, **options)


def test_lost_events_leave_gaps_that_the_sweep_closes(workflow: str, ended: list[Seen]) -> None:
    for number, seen in enumerate(ended):
        # Every tenth event is lost; of every tenth email, both.
        if number % 10 != 3:
            indexing.record(message_index(), started(seen))
        if number % 10 not in {3, 7}:
            indexing.record(message_index(), seen)
    before = Counter(entry.outcome for entry in contents().values())
    assert before == {"replied": MAILS - 6, "running": 3}
    swept = sweep(workflow)
    assert (swept.filled, swept.complete) == (6, True)
    assert {entry.outcome for entry in contents().values()} == {"replied"}
    assert len(contents()) == MAILS


def test_an_index_that_is_gone_is_made_again(workflow: str, ended: list[Seen]) -> None:
    for seen in ended:
        indexing.record(message_index(), started(seen))
        indexing.record(message_index(), seen)
    before = contents()
    assert len(before) == MAILS
    for email_id in before:
        message_index().delete(email_id)
    assert contents() == {}
    assert sweep(workflow).filled == MAILS
    assert contents() == before


def test_an_email_that_waits_for_its_application_is_found_by_its_sender(workflow: str) -> None:
    """Its end, which brings the sender into the index, may be days away."""
    waits = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 600, "End": True}}}
    sfn, one = boto3.client("stepfunctions", region_name=REGION), email()
    sfn.update_state_machine(stateMachineArn=workflow, definition=json.dumps(waits))
    arn = sfn.start_execution(stateMachineArn=workflow, name=one.email_id, input=one.model_dump_json())["executionArn"]
    found = executions.describe(arn)
    assert found
    seen = of_description(found)
    assert seen
    assert found.status == "RUNNING"
    indexing.record(message_index(), seen)
    author = {"name": "Ann", "address": "Ann@shop.example"}
    message = {"email_id": one.email_id, "route": one.route, "size_octets": 1, "from": [author], "subject": "Order"}
    parsed = Message.model_validate(message).model_dump_json().encode()
    assert sweep(workflow).filled == 0, "it is not parsed yet"
    boto3.client("s3", region_name=REGION).put_object(Bucket=BUCKET, Key=keys.message(one.email_id), Body=parsed)
    assert sweep(workflow).filled == 1
    [entry] = message_index().newest(By.SENDER, "ann@shop.example")
    assert (entry.outcome, entry.subject) == ("running", "Order")
    assert sweep(workflow).filled == 0
    sfn.stop_execution(executionArn=arn)
    message_index().delete(one.email_id)
    assert indexing.record_message(message_index(), entry) is False
    assert contents() == {}, "what was erased does not come back"


def test_an_older_execution_that_is_still_running_in_the_index_is_asked_about(workflow: str, ended: list[Seen]) -> None:
    indexing.record(message_index(), started(ended[0]))
    now = datetime.now(UTC)
    swept = gaps.sweep(workflow, message_index(), now, now, go_on=lambda _: True)
    assert swept.filled == 1
    assert [entry.email_id for entry in message_index().newest(By.OUTCOME, "replied")] == [ended[0].email.email_id]


def test_what_the_index_has_as_running_is_corrected_before_anything_else(workflow: str, ended: list[Seen]) -> None:
    for seen in ended[:3]:
        indexing.record(message_index(), started(seen))
    # There is time for one page.
    swept = sweep(workflow, go_on=lambda compared: compared == 0)
    assert (swept.filled, swept.complete) == (3, False)
    assert {name: entry.outcome for name, entry in contents().items()} == {
        seen.email.email_id: "replied" for seen in ended[:3]
    }


def test_executions_that_do_run_are_not_asked_about_one_by_one(workflow: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sfn = boto3.client("stepfunctions", region_name=REGION)
    waits = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 60, "End": True}}}
    sfn.update_state_machine(stateMachineArn=workflow, definition=json.dumps(waits))
    for one in map(email, range(5)):
        arn = sfn.start_execution(stateMachineArn=workflow, name=one.email_id, input=one.model_dump_json())
        described = executions.describe(arn["executionArn"])
        assert described
        assert described.status == "RUNNING"
        seen = of_description(described)
        assert seen
        indexing.record(message_index(), seen)
    made = requests_made(monkeypatch)
    swept = gaps.sweep(workflow, message_index(), datetime.now(UTC), datetime.now(UTC), go_on=lambda _: True)
    assert swept == gaps.Swept(5, 0, complete=True)
    assert "DescribeExecution" not in made
    assert {entry.outcome for entry in contents().values()} == {"running"}
    for one in map(email, range(5)):
        sfn.stop_execution(executionArn=f"{workflow.replace(':stateMachine:', ':execution:')}:{one.email_id}")


def test_a_replay_whose_events_were_lost_is_found_though_its_email_has_an_entry(
    workflow: str, ended: list[Seen]
) -> None:
    for seen in ended:
        indexing.record(message_index(), seen)
    again = ended[0].email.model_copy(update={"replay": True})
    arn = boto3.client("stepfunctions", region_name=REGION).start_execution(
        stateMachineArn=workflow, name=f"{again.email_id}-r2", input=again.model_dump_json()
    )["executionArn"]
    deadline = time.monotonic() + 60
    while (described := executions.describe(arn)) and described.status == "RUNNING":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert sweep(workflow).filled == 1
    found = message_index().get(again.email_id)
    assert found
    assert [one.replay for one in found.executions] == [False, True]


def test_a_redrive_whose_events_were_lost_is_found(
    workflow: str, ended: list[Seen], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may end as before, and then only its number tells it."""
    now = datetime.now(UTC)
    for seen in ended:
        indexing.record(message_index(), seen)
    listed = list(executions.newest(workflow, now - timedelta(hours=6)))
    described = executions.describe(ended[0].execution.arn)
    assert described
    again = [dataclasses.replace(one, redrives=int(one.arn == described.arn)) for one in listed]
    # moto redrives nothing.
    monkeypatch.setattr(executions, "newest", lambda *_: iter(again))
    monkeypatch.setattr(executions, "describe", lambda _: dataclasses.replace(described, redrives=1, redriven=now))
    assert sweep(workflow).filled == 1
    assert contents()[ended[0].email.email_id].executions[0].redrives == 1


def test_an_execution_that_a_full_entry_no_longer_keeps_is_not_asked_about(
    workflow: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    first, *others = (
        seen_of(email(), name=f"{email().email_id}-r{number}", started=now - timedelta(hours=4, minutes=-number))
        for number in range(EXECUTIONS + 1)
    )
    for one in others:
        indexing.record(message_index(), one)
    left_out = executions.Listed(first.execution.arn, "SUCCEEDED", first.execution.started, now, 0)
    monkeypatch.setattr(executions, "newest", lambda *_: iter([left_out]))
    made = requests_made(monkeypatch)
    assert sweep(workflow) == gaps.Swept(1, 0, complete=True)
    assert "DescribeExecution" not in made


def test_a_sweep_of_a_complete_index_asks_for_no_single_execution(
    workflow: str, ended: list[Seen], monkeypatch: pytest.MonkeyPatch
) -> None:
    for seen in ended:
        indexing.record(message_index(), seen)
    made = requests_made(monkeypatch)
    assert sweep(workflow) == gaps.Swept(MAILS, 0, complete=True)
    # 100 entries a request, and one query a shard for those that run.
    assert Counter(made) == {"ListExecutions": 1, "BatchGetItem": 1, "Query": 4}


def test_what_happened_just_now_is_left_to_its_events(workflow: str, ended: list[Seen]) -> None:
    now = datetime.now(UTC)
    swept = gaps.sweep(
        workflow, message_index(), now - timedelta(hours=6), now - timedelta(hours=1), go_on=lambda _: True
    )
    assert swept == gaps.Swept(0, 0, complete=True)


def test_a_sweep_without_time_says_that_it_did_not_come_to_the_end(workflow: str, ended: list[Seen]) -> None:
    assert sweep(workflow, go_on=lambda _: False) == gaps.Swept(0, 0, complete=False)


def test_an_execution_that_somebody_started_by_hand_is_no_email(workflow: str) -> None:
    boto3.client("stepfunctions", region_name=REGION).start_execution(
        stateMachineArn=workflow, name="by-hand", input='{"email_id": "x"}'
    )
    time.sleep(0.2)
    assert sweep(workflow).filled == 0
    assert contents() == {}


def test_an_email_that_has_no_message_any_more_is_indexed_by_its_execution(workflow: str, ended: list[Seen]) -> None:
    stored: StoredEmail = ended[0].email
    indexing.record(message_index(), ended[0])
    found = message_index().get(stored.email_id)
    assert found
    assert (found.outcome, found.sender, found.key) == ("replied", None, stored.key)


# ---- mailstep index --since ----


def test_stored_mail_without_an_execution_is_in_a_rebuilt_index(workflow: str, ended: list[Seen]) -> None:
    s3, home = boto3.client("s3", region_name=REGION), home_of(workflow)
    s3.put_object(Bucket=BUCKET, Key="inbound/orders/never-started", Body=b"x")
    s3.put_object(Bucket=BUCKET, Key="inbound/orders/unreadable", Body=b"x")
    unreadable, never = (stored_email(BUCKET, f"inbound/orders/{name}") for name in ("unreadable", "never-started"))
    assert unreadable
    assert never
    s3.put_object(Bucket=BUCKET, Key=keys.quarantined(unreadable.email_id), Body=b"x")
    done = rebuilding.rebuild(home, datetime.now(UTC) - timedelta(days=1), lambda _done, _total: None)
    assert (done.executions, done.stored_emails, done.filled) == (MAILS, 2, MAILS + 2)
    found = contents()
    assert (found[never.email_id].outcome, found[never.email_id].key) == ("unknown", never.key)
    assert found[unreadable.email_id].outcome == "quarantined"
    assert len([entry for entry in found.values() if entry.outcome == "replied"]) == MAILS
    again = rebuilding.rebuild(home, datetime.now(UTC) - timedelta(days=1), lambda _done, _total: None)
    assert (again.executions, again.stored_emails, again.filled) == (MAILS, 2, 0)


def test_what_would_have_expired_is_not_added_again(workflow: str) -> None:
    home = dataclasses.replace(home_of(workflow), asked=datetime.now(UTC) + timedelta(days=31))
    boto3.client("s3", region_name=REGION).put_object(Bucket=BUCKET, Key="inbound/orders/old", Body=b"x")
    done = rebuilding.rebuild(home, datetime.now(UTC) - timedelta(days=300), lambda _done, _total: None)
    assert (done.stored_emails, done.filled) == (0, 0)


def home_of(workflow: str) -> HomeStack:
    outputs = {"StateMachineArn": workflow, "MailBucketName": BUCKET, "MessageIndexName": TABLE}
    return HomeStack("mailstep", outputs, parameters={"ParsedRetentionDays": "30"})
