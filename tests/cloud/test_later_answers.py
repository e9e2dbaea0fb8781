"""Later answers on the deployed stack: once in the thread, whatever the file and its events repeat, or not at all."""

import json
from email.message import EmailMessage
from email.utils import make_msgid
from pathlib import Path
from typing import Any

from mailstep_cli.demo import Result
from mailstep_local.cloud import LocalCloud
from mailstep_local.deployment import STACK
from tests.support.cloud import Desk, ended, eventually, outbox_about, reply_of, role_without
from tests.support.later_answers import written
from tests.support.permissions import CALLING
from tests.support.project import run


def output(cloud: LocalCloud, arn: str) -> dict[str, Any]:
    found = ended(cloud, arn)
    assert found["status"] == "SUCCEEDED", found
    answered: dict[str, Any] = json.loads(found["output"])
    return answered


def email_id(result: Result) -> str:
    assert result.execution_arn
    return result.execution_arn.rpartition(":")[2]


def note(directory: Path, sender: str) -> str:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, "feedback@mailstep.example", "Where is my order?"
    mail["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    mail.set_content("Please tell me.")
    (directory / "note.eml").write_bytes(mail.as_bytes())
    return "note.eml"


def test_a_file_that_is_written_twice_and_told_of_ten_times_is_sent_once_in_the_thread(
    cloud: LocalCloud, desk: Desk, tmp_path: Path
) -> None:
    [first] = desk.send(note(tmp_path, "ann@shop.example"), directory=tmp_path)
    arn = written(cloud, email_id(first), "shipped", "later: it is on its way")
    sent = output(cloud, arn)
    assert (sent["outcome"], sent["withheld"], sent["answer_name"]) == ("replied", None, "shipped")
    written(cloud, email_id(first), "shipped", "later: it is on its way, again")
    event = {
        "eventName": "ObjectCreated:Put",
        "s3": {
            "bucket": {"name": cloud.outputs["MailBucketName"]},
            "object": {"key": f"answers/{email_id(first)}/shipped.json"},
        },
    }
    for _ in range(10):
        cloud.account.client("sqs").send_message(
            QueueUrl=cloud.outputs["InboundQueueUrl"], MessageBody=json.dumps({"Records": [event]})
        )
    # Behind the ten in the queue: when it is sent, they were taken.
    assert output(cloud, written(cloud, email_id(first), "arrived", "later: it has arrived"))["outcome"] == "replied"
    [mail] = outbox_about(cloud, "later: it is on its way")
    reply, later = reply_of(first), mail.read_text()
    assert f"In-Reply-To: {reply['In-Reply-To']}" in later
    assert f"To: {reply['To']}" in later
    # The first answer to the email raised no execution.
    machine = cloud.outputs["LaterAnswerStateMachineArn"]
    pages = cloud.account.client("stepfunctions").get_paginator("list_executions").paginate(stateMachineArn=machine)
    slug = email_id(first).rpartition("-")[0]
    assert sum(e["name"].startswith(slug) for page in pages for e in page["executions"]) == 2


def test_a_sender_who_may_not_be_written_to_gets_nothing_and_the_execution_says_why(
    cloud: LocalCloud, desk: Desk, tmp_path: Path
) -> None:
    [bounced] = desk.send(note(tmp_path, "later@bounce.simulator.example"), directory=tmp_path)
    dynamodb, table = cloud.account.client("dynamodb"), cloud.outputs["LedgerTableName"]

    def suppressed() -> list[Any]:
        items = dynamodb.scan(TableName=table)["Items"]
        return [item for item in items if item["id"]["S"].startswith("suppressed#")]

    assert eventually(suppressed)
    withheld = output(cloud, written(cloud, email_id(bounced), "shipped", "later: to one who bounced"))
    assert (withheld["outcome"], withheld["withheld"]) == ("processed", "suppressed_sender")
    for item in suppressed():
        dynamodb.delete_item(TableName=table, Key={"id": item["id"]})
    [forged] = desk.send(note(tmp_path, "ann@spf.dkim.dmarc.simulator.example"), directory=tmp_path)
    assert forged.outcome == "silent"
    withheld = output(cloud, written(cloud, email_id(forged), "shipped", "later: to a forged address"))
    assert (withheld["outcome"], withheld["withheld"]) == ("processed", "unauthenticated")
    assert outbox_about(cloud, "later: to") == []


def test_the_command_answers_an_email_and_a_failed_answer_is_sent_by_a_redrive(
    cloud: LocalCloud, desk: Desk, tmp_path: Path
) -> None:
    [first] = desk.send(note(tmp_path, "bob@shop.example"), directory=tmp_path)
    (tmp_path / "by-hand.json").write_text('{"text": "later: by hand"}')
    role, action = CALLING
    stack = cloud.account.client("cloudformation").describe_stack_resource(StackName=STACK, LogicalResourceId=role)
    with role_without(cloud, stack["StackResourceDetail"]["PhysicalResourceId"], action):
        told = run("reply", email_id(first)[:20], str(tmp_path / "by-hand.json"), **cloud.account.environment())
        assert told.returncode == 0, told.stderr
        arn = told.stdout.split("mailstep history ")[1].strip()
        assert ended(cloud, arn)["status"] == "FAILED"
    # As docs/runbook.md says, LaterAnswersFailedAlarm.
    told = run("redrive", arn, **cloud.account.environment())
    assert told.returncode == 0, told.stderr
    assert eventually(lambda: outbox_about(cloud, "later: by hand"))
    assert output(cloud, arn)["outcome"] == "replied"
    shown = run("history", arn, **cloud.account.environment() | {"COLUMNS": "200"})
    assert "SendLaterAnswer" in shown.stdout
    assert f"mailstep history {email_id(first)}" in shown.stdout
    shown = run("history", email_id(first), **cloud.account.environment() | {"COLUMNS": "60"})
    assert f"Later answer by-hand: mailstep history {arn}" in shown.stdout
    again = run("reply", email_id(first), str(tmp_path / "by-hand.json"), **cloud.account.environment())
    assert again.returncode != 0
    assert "give another --name" in again.stderr
