"""Which execution `mailstep redrive` and `mailstep replay` act on, and what each cannot repeat."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from mailstep import keys, reference
from mailstep.contracts import StoredEmail
from mailstep_cli import executions, failures, mail_objects, replay
from mailstep_cli.commands import messages
from mailstep_cli.errors import UserError
from mailstep_cli.home_stack import HomeStack
from mailstep_cli.quarantine import Quarantine
from tests.support.events import BUCKET, REGION
from tests.support.index import TABLE, WORKFLOW, email, message_index, seen

pytestmark = pytest.mark.usefixtures("account")

STACK = HomeStack(
    "mailstep",
    {"StateMachineArn": WORKFLOW, "MailBucketName": BUCKET, "MessageIndexName": TABLE},
    resources={"EmailWorkflowAliaslive": WORKFLOW},
    parameters={"ParsedRetentionDays": "30"},
)


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> StoredEmail:
    """An email in the index. Its executions are those that a test starts."""
    monkeypatch.setattr(executions, "find", lambda _: STACK)
    boto3.client("stepfunctions", region_name=REGION).create_state_machine(
        name=WORKFLOW.rpartition(":")[2], definition="{}", roleArn="arn:aws:iam::123456789012:role/x"
    )
    one = email()
    message_index().change(
        one.email_id, lambda entry: entry.with_email(one).with_execution(seen(one, "FAILED").execution)
    )
    return one


def execute(stored: StoredEmail, number: int = 1, *, stops: bool = True) -> str:
    """Start an execution of the email, and stop it; return its ARN."""
    sfn = boto3.client("stepfunctions", region_name=REGION)
    arn = sfn.start_execution(
        stateMachineArn=WORKFLOW, name=failures.name_of(stored.email_id, number), input=stored.model_dump_json()
    )["executionArn"]
    if stops:
        sfn.stop_execution(executionArn=arn)
    return arn


def test_a_redrive_by_a_name_of_the_email_is_of_its_newest_execution(stored: StoredEmail) -> None:
    first, second = execute(stored), execute(stored, 2)
    for name in (stored.email_id, stored.email_id[:8], f"{stored.email_id}-r2", second):
        assert executions.find_failed(name, "mailstep")[0].arn == second, name
    assert executions.find_failed(first, "mailstep")[0].arn == first


def test_an_email_whose_newest_execution_did_not_fail_is_not_redriven(stored: StoredEmail) -> None:
    first, _ = execute(stored), execute(stored, 2, stops=False)
    with pytest.raises(UserError, match=r"-r2 did not fail: its status is RUNNING\. .* give its ARN"):
        executions.find_failed(stored.email_id, "mailstep")
    assert executions.find_failed(first, "mailstep")[0].arn == first


@pytest.mark.usefixtures("account", "stored")
def test_a_reference_is_of_the_newest_execution_even_if_the_first_one_is_forgotten() -> None:
    old = email(2)
    known = seen(old, "FAILED", name=failures.name_of(old.email_id, 2))
    message_index().change(old.email_id, lambda entry: entry.with_email(old).with_execution(known.execution))
    execute(old, 2)
    third = execute(old, 3)
    assert executions.find_failed(reference.short(old.email_id), "mailstep")[0].arn == third


def test_a_name_that_cannot_be_redriven_does_not_keep_the_others_from_it(
    stored: StoredEmail, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(stored)
    redriven: list[str] = []

    def redrive(_: object, failure: failures.Failure) -> str:
        redriven.append(failure.name)
        return failures.REDRIVEN

    monkeypatch.setattr(failures, "redrive", redrive)
    with pytest.raises(UserError, match="no-such-email"):
        messages.redrive(["no-such-email", stored.email_id])
    assert redriven == [stored.email_id]


def test_an_item_that_the_application_did_not_answer_is_not_redriven_by_name_either(stored: StoredEmail) -> None:
    execute(stored)
    failure, sfn = executions.find_failed(stored.email_id, "mailstep")
    unanswered = replace(failure, error="ApplicationUnanswered")
    assert failures.redrive(sfn, unanswered).startswith("not redriven: replay it")


def test_the_execution_of_a_later_answer_is_redriven_by_its_arn(stored: StoredEmail) -> None:
    sfn = boto3.client("stepfunctions", region_name=REGION)
    machine = sfn.create_state_machine(
        name="mailstep-later-answers", definition="{}", roleArn="arn:aws:iam::123456789012:role/x"
    )["stateMachineArn"]
    arn = sfn.start_execution(stateMachineArn=machine, name="shipped", input='{"name": "shipped"}')["executionArn"]
    sfn.stop_execution(executionArn=arn)
    failure, _ = executions.find_failed(arn, "mailstep")
    assert (failure.arn, failure.email) == (arn, None)


def test_an_arn_that_step_functions_does_not_know_yet_says_to_ask_again(stored: StoredEmail) -> None:
    """`mailstep reply` prints the ARN of an execution that starts a moment later."""
    with pytest.raises(UserError, match="If it was started a moment ago, ask again"):
        executions.find_execution(STACK.execution(stored.email_id), "mailstep")


def test_a_message_is_not_replayed_while_a_replay_of_it_runs(stored: StoredEmail) -> None:
    first, _ = execute(stored), execute(stored, 2, stops=False)
    sfn = boto3.client("stepfunctions", region_name=REGION)
    with pytest.raises(UserError, match="-r2 is still running"):
        replay.replay(sfn, first, reply_again=False)
    assert len(sfn.list_executions(stateMachineArn=WORKFLOW)["executions"]) == 2


def test_a_replay_that_began_a_moment_ago_is_not_begun_again(
    stored: StoredEmail, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DescribeExecution is eventually consistent (AWS Step Functions API Reference)."""
    began = datetime.now(UTC) - timedelta(minutes=1)
    second, unknown = execute(stored, 2), [True, True]
    monkeypatch.setattr(
        replay, "described", lambda *asked: None if unknown and unknown.pop() else failures.described(*asked)
    )
    monkeypatch.setattr(replay, "_WAITS", (0, 0, 0))
    again = replay.replay_once(failures.client(), WORKFLOW, stored, began=began)
    assert (again.done, again.execution, unknown) == (replay.DONE_ALREADY, second, [])


def test_a_message_in_quarantine_that_cannot_be_replayed_stays_there(stored: StoredEmail) -> None:
    s3 = boto3.client("s3", region_name=REGION)
    for key in (stored.key, keys.quarantined(stored.email_id)):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    for number in range(1, failures.REPLAYS + 1):
        execute(stored, number)
    quarantine, later = Quarantine(STACK), datetime.now(UTC) + timedelta(hours=1)
    assert quarantine.release(quarantine.find(stored.email_id), began=later).done == "replayed too often"
    assert list(mail_objects.versions(s3, BUCKET, keys.quarantined(stored.email_id)))
    with pytest.raises(UserError, match="replayed 98 times"):
        replay.replay(failures.client(), STACK.execution(stored.email_id), reply_again=False)
