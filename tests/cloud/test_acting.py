"""The commands that act on messages: quarantine, dead-letter queues, suppression, and a batch of failed executions.

Over 300 lines, because its tests share the messages that they break.
"""

import json
import os
import re
import shlex
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import validate

from mailstep import reference
from mailstep.contracts import StoredEmail
from mailstep.start.identity import stored_email
from mailstep_local.cloud import LocalCloud
from tests.support.cloud import (
    Desk,
    ended,
    eventually,
    execution_arn,
    function_configuration,
    index_of,
    put,
    role_without,
)
from tests.support.events import s3_event, stored_order
from tests.support.later_answers import written
from tests.support.project import MAILSTEP, PROJECT, run
from tests.support.runbook import commands

Alarms = Callable[[str, str], bool]


@dataclass(frozen=True)
class Operator:
    """Someone with the rights that docs/security.md gives to an operator, and no other."""

    environment: dict[str, str]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run(*arguments, **self.environment)

    def told(self, *arguments: str) -> Any:
        """What a command prints as JSON, which has the form of its published schema."""
        ended = self.run(*arguments, "--json")
        assert ended.returncode == 0, ended.stderr
        printed = json.loads(ended.stdout)
        validate(printed, json.loads((PROJECT / "docs" / "schemas" / f"{schema_of(arguments)}.json").read_text()))
        return printed


@pytest.fixture(scope="module")
def operator(cloud: LocalCloud) -> Operator:
    page = (PROJECT / "docs" / "security.md").read_text()
    [policy] = re.findall(r"^```json\n(\{.*?^\})\n```$", page, re.MULTILINE | re.DOTALL)
    iam, sts = cloud.account.client("iam"), cloud.account.client("sts")
    trust = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = iam.create_role(RoleName="operator", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    iam.put_role_policy(RoleName="operator", PolicyName="operator", PolicyDocument=policy)
    session = sts.assume_role(RoleArn=arn, RoleSessionName="night-shift")["Credentials"]
    return Operator(
        cloud.account.variables()
        | {
            "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
            "AWS_SESSION_TOKEN": session["SessionToken"],
        }
    )


def schema_of(arguments: tuple[str, ...]) -> str:
    """The name of the schema of what a command prints."""
    match arguments:
        case ("replay", *options) if "--distributed" in options:
            return "replay-distributed"
        case ("quarantine", "release" | "delete", *_) | ("replay" | "redrive", *_):
            return "batch"
        case ("quarantine" | "suppressed" as command, what, *_):
            return f"{command}-{what}"
        case ("erase", *_):
            return "erasure-report"
        case ("export", *_):
            return "export"
        case ("queues", *options):
            return "queues-redrive" if "--redrive" in options else "queues"
        case _:
            raise AssertionError(arguments)


def outcome(cloud: LocalCloud, name: str, *, seconds: float = 60) -> str:
    """The outcome of an execution, once it has ended."""
    found = ended(cloud, execution_arn(cloud, name), seconds=seconds)
    assert found, f"{name} did not end"
    return str(json.loads(found["output"])["outcome"]) if found["status"] == "SUCCEEDED" else str(found["status"])


@pytest.fixture
def alarms(cloud: LocalCloud) -> Iterator[Alarms]:
    """Let alarms ring for a while, and answer whether one comes into a state."""
    cloudwatch = cloud.account.client("cloudwatch")
    cloud.alarms_off.unlink()

    def comes_into(name: str, state: str) -> bool:
        def found() -> bool:
            [alarm] = cloudwatch.describe_alarms(AlarmNames=[f"mailstep-{name}"])["MetricAlarms"]
            return bool(alarm["StateValue"] == state)

        return eventually(found, seconds=90)

    yield comes_into
    cloud.alarms_off.touch()
    for alarm in cloudwatch.describe_alarms(StateValue="ALARM")["MetricAlarms"]:
        cloudwatch.set_alarm_state(AlarmName=alarm["AlarmName"], StateValue="OK", StateReason="the test is over")


def operators_heard(cloud: LocalCloud, text: str) -> bool:
    """Whether the operators got a mail with these words."""
    return bool(eventually(lambda: any(text in path.read_text() for path in cloud.operators_mail.glob("*.eml"))))


def test_a_quarantined_message_is_shown_released_and_deleted(cloud: LocalCloud, operator: Operator, desk: Desk) -> None:
    hostile = b"\x00 no email \x1b[31m"
    email = put(cloud, "quarantined", hostile)
    assert outcome(cloud, email.email_id) == "quarantined"
    [listed] = [one for one in operator.told("quarantine", "list") if one["email_id"] == email.email_id]
    assert listed["size_octets"] == len(hostile)
    assert "header field" in listed["reason"]
    shown = operator.run("quarantine", "show", reference.short(email.email_id))
    assert r"\x1b[31m" in shown.stdout
    assert "\x1b" not in shown.stdout

    # It cannot be read this time either.
    asked = operator.run("quarantine", "release", email.email_id)
    assert (asked.returncode, "--yes" in asked.stderr) == (2, True)
    assert operator.told("quarantine", "release", email.email_id, "--yes")["ended"] == {"released": 1}
    assert outcome(cloud, f"{email.email_id}-r2") == "quarantined"
    assert email.email_id in {one["email_id"] for one in operator.told("quarantine", "list")}

    # The cause is gone: now the object is an order.
    s3 = cloud.account.client("s3")
    desk.forget_deliveries()
    put(cloud, "quarantined", stored_order())
    s3.delete_object(Bucket=email.bucket, Key=email.key, VersionId=email.version_id)
    assert operator.told("quarantine", "release", email.email_id, "--yes")["ended"] == {"released": 1}
    assert outcome(cloud, f"{email.email_id}-r3") == "replied"
    copies = s3.list_object_versions(Bucket=email.bucket, Prefix=f"quarantine/{email.email_id}")
    assert (copies.get("Versions", []), copies.get("DeleteMarkers", [])) == ([], [])

    another = put(cloud, "deleted-from-quarantine", hostile)
    assert outcome(cloud, another.email_id) == "quarantined"
    assert operator.told("quarantine", "delete", another.email_id, "--yes")["ended"] == {"deleted": 1}
    left = s3.list_object_versions(Bucket=email.bucket, Prefix=f"quarantine/{another.email_id}")
    assert (left.get("Versions", []), left.get("DeleteMarkers", [])) == ([], [])
    assert s3.get_object(Bucket=another.bucket, Key=another.key)["Body"].read() == hostile
    nothing = operator.run("quarantine", "show", another.email_id)
    assert (nothing.returncode, nothing.stderr.count("\n")) == (2, 1)


BOUNCE = {
    "eventType": "Bounce",
    "bounce": {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": "gone@shop.example"}]},
    "mail": {"messageId": "0100-1", "destination": ["Gone@shop.example"]},
}


@pytest.mark.parametrize("name", ["inbound", "subscription"])
def test_a_record_that_was_set_aside_is_taken_up_again_and_starts_its_execution(
    cloud: LocalCloud, operator: Operator, desk: Desk, alarms: Alarms, name: str
) -> None:
    sqs = cloud.account.client("sqs")
    url = cloud.outputs[f"{name.capitalize()}DeadLetterQueueUrl"]
    email = stored_email(cloud.outputs["MailBucketName"], f"inbound/orders/set-aside-{name}")
    assert email
    sqs.send_message(QueueUrl=url, MessageBody=s3_event(email))
    [shown] = [one for one in operator.told("queues") if one["name"] == f"{name.capitalize()}DeadLetter"]
    assert (shown["waiting"], shown["items"]) == (1, [f"stored: {email.key}"])
    assert shown["oldest_seconds"] >= 0
    assert alarms(f"{name}-dlq", "ALARM")
    assert operators_heard(cloud, f"mailstep-{name}-dlq")
    [command] = commands(f"{name.capitalize()}DeadLetterAlarm")
    assert operator.told(*command, "--yes")["taken_up"] == 1
    # The object is not there, and so the execution says.
    assert outcome(cloud, email.email_id) == "quarantined"
    [after] = [one for one in operator.told("queues") if one["name"] == f"{name.capitalize()}DeadLetter"]
    assert (after["waiting"], after["in_flight"]) == (0, 0)


@pytest.mark.parametrize("whole", [True, False], ids=["Lambda's record", "SNS's record"])
def test_a_bounce_that_was_set_aside_is_recorded_and_can_be_removed(
    cloud: LocalCloud, operator: Operator, whole: bool
) -> None:
    sqs, url = cloud.account.client("sqs"), cloud.outputs["FeedbackDeadLetterQueueUrl"]
    published = {"MessageId": "1", "Message": json.dumps(BOUNCE)}
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"Records": [{"Sns": published}]} if whole else published))
    [shown] = [one for one in operator.told("queues") if one["name"] == "FeedbackDeadLetter"]
    assert shown["items"] == ["bounce of the reply 0100-1"], "and no address"
    [command] = commands("FeedbackDeadLetterAlarm")
    assert operator.told(*command, "--yes")["taken_up"] == 1
    [found] = operator.told("suppressed", "list", "GONE+label@shop.example")
    assert (found["ses_reason"], found["until"] is not None) == (None, True)
    cloud.account.client("sesv2").put_suppressed_destination(EmailAddress="gone@shop.example", Reason="BOUNCE")
    [both] = [one for one in operator.told("suppressed", "list") if one["address"] == "gone@shop.example"]
    assert (both["ses_reason"], both["record"], both["until"]) == ("BOUNCE", found["record"], found["until"])
    removed = operator.told("suppressed", "remove", "Gone@shop.example", "--yes")
    assert removed["removed_from"] == ["Mailstep", "SES"]
    assert operator.told("suppressed", "list", "gone@shop.example") == []
    again = operator.run("suppressed", "remove", "gone@shop.example", "--yes")
    assert (again.returncode, "neither by Mailstep nor by SES" in again.stderr) == (2, True)


def test_a_bounce_that_cannot_be_read_rings_and_its_address_is_suppressed_by_hand(
    cloud: LocalCloud, operator: Operator, desk: Desk, alarms: Alarms
) -> None:
    failed, _ = desk.invoke("FeedbackFunction", {"Records": [{"Sns": {"MessageId": "1", "Message": '{"eventType"'}}]})
    assert failed is None
    assert alarms("feedback-unread", "ALARM")
    assert operators_heard(cloud, "mailstep-feedback-unread")
    [look] = commands("FeedbackUnreadAlarm", the_address="unread@shop.example")
    assert operator.told(*look) == []
    cloud.account.client("sesv2").put_suppressed_destination(EmailAddress="unread@shop.example", Reason="BOUNCE")
    [found] = operator.told(*look)
    assert (found["ses_reason"], found["until"]) == ("BOUNCE", None)
    [_, take_off] = commands("One sender gets no reply", the_address="unread@shop.example")
    assert operator.told(*take_off, "--yes")["removed_from"] == ["SES"]


def test_a_person_gets_a_copy_of_all_that_is_stored_and_then_nothing_is_stored(
    cloud: LocalCloud, operator: Operator, desk: Desk, tmp_path: Path
) -> None:
    desk.forget_deliveries()
    email = put(cloud, "of-a-person", stored_order().replace(b"ann@shop.example", b"paula@shop.example"))
    assert outcome(cloud, email.email_id) == "replied"
    index = index_of(cloud)
    assert eventually(lambda: (entry := index.get(email.email_id)) and entry.sender and entry.outcome == "replied")
    later = ended(cloud, written(cloud, email.email_id, "shipped", "It is on its way."))
    assert later["status"] == "SUCCEEDED"
    copy, look, erase = commands("A person asks for their data, or for its erasure", the_address="Paula@shop.example")
    exported = operator.told(*copy, "--output", str(tmp_path / "export.zip"))
    assert (exported["messages"], (tmp_path / "export.zip").exists()) == (1, True)
    would = operator.told(*look)
    assert [one["email_id"] for one in would["messages"]] == [email.email_id]
    erase[erase.index("erasure.json")] = str(tmp_path / "erasure.json")
    done = operator.told(*erase, "--yes")
    assert done["complete"]
    assert done["messages"] == would["messages"]
    assert done["messages"][0]["index"] == 1
    assert done["messages"][0]["answers"] >= 2, "the answer, and the later one"
    assert json.loads((tmp_path / "erasure.json").read_text()) == done
    s3 = cloud.account.client("s3")
    for prefix in (email.key, f"parsed/{email.email_id}", f"answers/{email.email_id}"):
        left = s3.list_object_versions(Bucket=email.bucket, Prefix=prefix)
        assert (left.get("Versions", []), left.get("DeleteMarkers", [])) == ([], []), prefix
    dynamodb = cloud.account.client("dynamodb")
    for table in (cloud.outputs["LedgerTableName"], cloud.outputs["MessageIndexName"]):
        assert email.email_id not in json.dumps(dynamodb.scan(TableName=table)["Items"]), table


def test_an_item_that_the_application_gave_up_goes_back_into_its_queue(cloud: LocalCloud, operator: Operator) -> None:
    sqs = cloud.account.client("sqs")
    item = {"message_key": "parsed/an-email/message.json"}
    sqs.send_message(
        QueueUrl=cloud.outputs["ApplicationDeadLetterQueueUrl"],
        MessageBody=json.dumps(item),
        MessageGroupId="g",
        MessageDeduplicationId="d",
    )
    [shown] = [one for one in operator.told("queues") if one["name"] == "ApplicationDeadLetter"]
    assert shown["items"] == ["email an-email"]
    [command] = commands("ApplicationDeadLetterAlarm")
    assert operator.told(*command, "--yes")["taken_up"] == 1
    [back] = sqs.receive_message(QueueUrl=cloud.outputs["ApplicationQueueUrl"], WaitTimeSeconds=5)["Messages"]
    assert json.loads(back["Body"]) == item
    sqs.delete_message(QueueUrl=cloud.outputs["ApplicationQueueUrl"], ReceiptHandle=back["ReceiptHandle"])


def test_a_status_event_that_was_set_aside_goes_back_to_the_index(cloud: LocalCloud, operator: Operator) -> None:
    sqs = cloud.account.client("sqs")
    sqs.send_message(QueueUrl=cloud.outputs["IndexDeadLetterQueueUrl"], MessageBody=json.dumps({"detail": {}}))
    [command] = commands("IndexDeadLetterAlarm")
    assert operator.told(*command, "--yes")["taken_up"] == 1
    # IndexFunction takes it, and logs that it is no event of an email.
    [after] = [one for one in operator.told("queues") if one["name"] == "IndexDeadLetter"]
    assert (after["waiting"], after["in_flight"]) == (0, 0)


def test_a_sweep_without_time_rings_and_the_command_fills_the_rest(
    cloud: LocalCloud, operator: Operator, desk: Desk, alarms: Alarms
) -> None:
    email = put(cloud, "swept", b"From: robot@shop.example\r\n\r\nx")
    assert outcome(cloud, email.email_id) == "silent"
    table, key = cloud.outputs["MessageIndexName"], {"email_id": {"S": email.email_id}}
    dynamodb = cloud.account.client("dynamodb")
    assert eventually(lambda: "SUCCEEDED" in json.dumps(dynamodb.get_item(TableName=table, Key=key).get("Item")))
    dynamodb.delete_item(TableName=table, Key=key)
    # A sweep ends a minute before its time, so this one has none.
    with function_configuration(cloud, "SweepFunction", timeout=30):
        error, swept = desk.invoke("SweepFunction", {"hours": 1, "settled_minutes": 0})
    assert (error, swept["complete"]) == (None, False)
    assert alarms("index-sweep", "ALARM")
    assert operators_heard(cloud, "mailstep-index-sweep")
    [command] = commands("IndexSweepAlarm")
    assert operator.run(*command).returncode == 0
    assert "SUCCEEDED" in json.dumps(dynamodb.get_item(TableName=table, Key=key)["Item"])


def test_a_queue_that_is_no_dead_letter_queue_is_not_redriven(cloud: LocalCloud, operator: Operator) -> None:
    refused = operator.run("queues", "--redrive", "replies", "--yes")
    assert refused.returncode == 2
    assert "application, feedback, inbound, index" in refused.stderr


def failed(cloud: LocalCloud, prefix: str, number: int) -> list[StoredEmail]:
    """Messages whose executions failed, because ParseEmail may not read them for a while."""
    role: str = cloud.account.client("lambda").get_function_configuration(
        FunctionName=cloud.functions["ParseFunction"]
    )["Role"]
    with role_without(cloud, role.rpartition("/")[2], "s3:GetObjectVersion"):
        emails = [put(cloud, f"{prefix}-{one}", b"From: robot@shop.example\r\n\r\nx") for one in range(number)]
        for email in emails:
            assert outcome(cloud, email.email_id, seconds=60 + number) == "FAILED"
    return emails


def test_the_stacks_own_workflow_replays_very_many_messages_once_each(
    cloud: LocalCloud, operator: Operator, desk: Desk
) -> None:
    since = datetime.now(UTC).isoformat()
    emails = failed(cloud, "distributed", 3)
    many = ("replay", "--failed", "--since", since, "--distributed", "--yes")
    run_ = operator.told(*many)
    assert (run_["status"], run_["total"], run_["ended"], run_["failed"]) == ("SUCCEEDED", 3, 3, 0)
    for email in emails:
        assert outcome(cloud, f"{email.email_id}-r2") == "silent"
    nothing = operator.run(*many)
    assert (nothing.returncode, "nothing was started" in nothing.stderr) == (2, True)
    assert len(desk.executions("distributed")) == 6


@pytest.mark.parametrize("number", [40, pytest.param(1000, marks=[pytest.mark.soak, pytest.mark.timeout(1800)])])
def test_a_replay_that_was_interrupted_goes_on_and_each_message_has_one_new_execution(
    cloud: LocalCloud, operator: Operator, desk: Desk, number: int
) -> None:
    since, half = datetime.now(UTC).isoformat(), f"batch-of-{number}-"
    unreadable = [put(cloud, f"{half}unreadable-{one}", b"\x00 no email") for one in range(number // 2)]
    for email in unreadable:
        assert outcome(cloud, email.email_id, seconds=60 + number) == "quarantined"
    emails = failed(cloud, f"{half}failed", number - number // 2)
    wanted = ("--outcome", "quarantined", "--outcome", "failed", "--since", since)

    def all_indexed() -> bool:
        listed = run("list", *wanted, "--limit", str(number), "--json", **operator.environment)
        return len(json.loads(listed.stdout)) == number

    assert eventually(all_indexed, seconds=60 + number, every=1)

    def done() -> int:
        return sum(name.endswith("-r2") for name in desk.executions(half))

    # The second half takes two seconds at least, in which the interrupt comes.
    replay = [MAILSTEP, "replay", *wanted, "--yes", "--rate", "10"]
    environment, pipe = os.environ | operator.environment, subprocess.PIPE
    with subprocess.Popen(replay, cwd=PROJECT, env=environment, stdout=pipe, stderr=pipe, text=True) as batch:
        assert eventually(lambda: done() >= number // 2, seconds=60 + number, every=number / 400)
        batch.send_signal(signal.SIGINT)
        stdout, stderr = batch.communicate(timeout=60)
    assert batch.returncode == 130, stderr
    assert "Interrupted after" in stdout
    assert number // 2 <= done() < number
    goes_on = shlex.split(stdout.partition("Go on with: mailstep ")[2].strip())

    def go_on() -> dict[str, int]:
        command = [MAILSTEP, *goes_on, "--yes", "--json", "--rate", "100"]
        rest = subprocess.run(
            command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=60 + number, check=False
        )
        assert rest.returncode == 0, rest.stderr
        ended: dict[str, int] = json.loads(rest.stdout)["ended"]
        return ended

    assert go_on()["replayed"] > 0
    for email in emails:
        assert outcome(cloud, f"{email.email_id}-r2", seconds=60 + number) == "silent"
    for email in unreadable:
        assert outcome(cloud, f"{email.email_id}-r2", seconds=60 + number) == "quarantined"
    assert len(desk.executions(half)) == 2 * number
    # Repeated once more, there is nothing to do: what is still in quarantine had its new execution.
    assert go_on().keys() <= {"replayed already"}
    assert len(desk.executions(half)) == 2 * number


def test_failed_executions_are_counted_then_redriven_once_each(
    cloud: LocalCloud, operator: Operator, desk: Desk, alarms: Alarms
) -> None:
    since = datetime.now(UTC).isoformat()
    emails = failed(cloud, "to-redrive", 4)
    assert alarms("executions-failed", "ALARM")
    assert operators_heard(cloud, emails[0].email_id), "by ExecutionFailedRule"
    assert operators_heard(cloud, "mailstep-executions-failed")
    [one, many] = commands(
        "An execution failed (mail by EventBridge: `ExecutionFailedRule`)", its_ARN_or_name=emails.pop().email_id
    )[:2]
    assert operator.run(*one).returncode == 0
    many[many.index("2h")] = since
    asked = operator.run(*many)
    assert (asked.returncode, "3 messages" in asked.stderr) == (2, True)
    assert operator.told(*many, "--yes")["ended"] == {"redriven": 3}
    for email in emails:
        assert outcome(cloud, email.email_id) == "silent"
    assert len(desk.executions("to-redrive")) == 4
    assert operator.told(*many, "--yes")["total"] == 0
