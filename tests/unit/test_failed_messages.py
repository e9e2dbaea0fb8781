"""The doctor warns of messages that failed within a day or were set aside, and names the command that helps."""

import json
from collections.abc import Iterator
from datetime import timedelta

import boto3
import pytest

from mailstep.contracts import StoredEmail
from mailstep_cli import display
from mailstep_cli.commands import deployment
from mailstep_cli.doctor import checks, failed_messages
from mailstep_cli.doctor.deployed_stack import Site, Stack
from mailstep_cli.doctor.findings import Finding, Result, fault, warning
from tests.support.events import REGION
from tests.support.index import email

pytestmark = pytest.mark.usefixtures("account")


@pytest.fixture
def site() -> Site:
    """A stack with a workflow, the workflow of later answers, and its queues."""
    sfn, sqs = boto3.client("stepfunctions", region_name=REGION), boto3.client("sqs", region_name=REGION)
    definition = json.dumps({"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 9, "End": True}}})
    arns = [
        sfn.create_state_machine(name=name, definition=definition, roleArn="arn:aws:iam::123456789012:role/r")[
            "stateMachineArn"
        ]
        for name in ("mailstep-email", "mailstep-later-answer")
    ]
    queues = ("InboundQueue", "InboundDeadLetterQueue", "FeedbackDeadLetterQueue")
    urls = {name: ("AWS::SQS::Queue", sqs.create_queue(QueueName=name)["QueueUrl"]) for name in queues}
    outputs = {"StateMachineArn": arns[0], "LaterAnswerStateMachineArn": arns[1], "MailBucketName": "b"}
    home = Stack("desk", REGION, "CREATE_COMPLETE", {"ParsedRetentionDays": "30"}, outputs, urls)
    return Site(boto3.Session(region_name=REGION), "123456789012", "aws", home, home)


def abort(machine: str, stored: StoredEmail, name: str | None = None) -> None:
    sfn = boto3.client("stepfunctions", region_name=REGION)
    started = sfn.start_execution(stateMachineArn=machine, name=name or stored.email_id, input=stored.model_dump_json())
    sfn.stop_execution(executionArn=started["executionArn"])


def test_a_message_that_failed_within_a_day_is_a_warning_with_the_command_that_processes_it(site: Site) -> None:
    assert failed_messages.executions(site).state == "ok"
    for number in (1, 2):
        abort(site.home.outputs["StateMachineArn"], email(number))
    found = failed_messages.executions(site)
    assert (found.state, found.detail) == ("warning", "2 messages failed within a day (ABORTED)")
    assert "mailstep list --outcome failed --since 1d --stack desk" in found.remedy
    assert "mailstep replay --failed --since 1d --stack desk" in found.remedy


def test_a_message_that_was_replayed_since_and_one_that_failed_long_ago_are_none(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine, again = site.home.outputs["StateMachineArn"], email(1)
    abort(machine, again)
    assert failed_messages.executions(site).detail.startswith("1 message failed")
    boto3.client("stepfunctions", region_name=REGION).start_execution(
        stateMachineArn=machine, name=f"{again.email_id}-r2", input=again.model_dump_json()
    )
    assert failed_messages.executions(site).state == "ok"
    abort(machine, email(2))
    monkeypatch.setattr(failed_messages, "_DAY", timedelta(0))
    assert failed_messages.executions(site).state == "ok"


def test_many_failures_are_counted_up_to_a_bound(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failed_messages, "_COUNTED", 2)
    for number in range(1, 5):
        abort(site.home.outputs["StateMachineArn"], email(number))
    assert failed_messages.executions(site).detail.startswith("more than 2 messages failed")


def test_a_later_answer_that_failed_is_named_by_its_execution(site: Site) -> None:
    assert failed_messages.later_answers(site).state == "ok"
    abort(site.home.outputs["LaterAnswerStateMachineArn"], email(1), "later")
    found = failed_messages.later_answers(site)
    assert (found.state, found.detail) == ("warning", "1 later answer failed within a day")
    assert (
        "mailstep history arn:aws:states:us-east-1:123456789012:execution:mailstep-later-answer:later" in found.remedy
    )


def test_a_message_in_a_dead_letter_queue_is_a_warning_and_stays_there_unread(site: Site) -> None:
    sqs = boto3.client("sqs", region_name=REGION)
    sqs.send_message(QueueUrl=site.home.resources["InboundQueue"][1], MessageBody="on its way")
    assert failed_messages.dead_letters(site).state == "ok"
    url = site.home.resources["FeedbackDeadLetterQueue"][1]
    sqs.send_message(QueueUrl=url, MessageBody="a bounce")
    found = failed_messages.dead_letters(site)
    assert (found.state, found.detail) == ("warning", "1 message in FeedbackDeadLetterQueue")
    assert "mailstep queues --redrive feedback --stack desk" in found.remedy
    [left] = sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["All"])["Messages"]
    assert left["Attributes"]["ApproximateReceiveCount"] == "1"


@pytest.mark.parametrize(
    ("found", "exit_code"), [(warning("2 messages failed", "replay"), 0), (fault("no rule", "deploy"), 1)]
)
def test_a_warning_is_shown_with_its_remedy_and_only_a_fault_fails_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], site: Site, found: Finding, exit_code: int
) -> None:
    def run(_site: Site) -> Iterator[Result]:
        yield Result("a check", found)

    monkeypatch.setattr(deployment, "visit", lambda *_: site)
    monkeypatch.setattr(checks, "run", run)
    assert deployment.doctor(stack="desk", as_json=True) == exit_code
    [shown] = json.loads(capsys.readouterr().out)
    assert shown == {"name": "a check", "state": found.state, "detail": found.detail, "remedy": found.remedy}
    line = display.result_view(Result("a check", found)).plain
    assert line.startswith({"warning": "! ", "fault": "✗ "}[found.state])
    assert line.endswith(f"→ {found.remedy}")
