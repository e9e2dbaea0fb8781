"""Repeats, poison, killed and overrunning functions, a failing application: on the deployed stack, for real."""

import json
import re
import time
from typing import Any

import urllib3

from mailstep.contracts import StoredEmail
from mailstep.start.identity import stored_email
from mailstep_cli import demo
from mailstep_cli.smtp_client import read_message_file
from mailstep_local.cloud import LocalCloud
from tests.support.cloud import (
    Answer,
    Application,
    Desk,
    eventually,
    execution_arn,
    failed_order,
    function_configuration,
    gathered,
    heard_of,
    kill,
    outbox_about,
    subscribe,
)
from tests.support.events import s3_event, stored_order
from tests.support.project import EMAILS, run

ANSWER = json.dumps({"text": "Done."}).encode()


def test_a_repeated_s3_event_gives_one_execution_and_one_reply(cloud: LocalCloud, desk: Desk) -> None:
    [result] = desk.send("note.eml")
    assert result.execution_arn
    name = result.execution_arn.rpartition(":")[2]
    sfn = cloud.account.client("stepfunctions")
    email = StoredEmail.model_validate_json(sfn.describe_execution(executionArn=result.execution_arn)["input"])
    for _ in range(10):
        cloud.account.client("sns").publish(TopicArn=cloud.outputs["EmailReceivedTopicArn"], Message=s3_event(email))
    repeats = '"Execution already there"'
    assert eventually(lambda: len([line for line in desk.log_lines(name) if repeats in line]) == 10)
    assert desk.executions(name) == [name]
    assert len(outbox_about(cloud, name)) == 1


def test_an_object_that_is_stored_again_is_not_answered_again(cloud: LocalCloud, desk: Desk) -> None:
    s3, bucket = cloud.account.client("s3"), cloud.outputs["MailBucketName"]
    [result] = desk.send("note.eml")
    assert result.execution_arn
    name = result.execution_arn.rpartition(":")[2]
    sfn = cloud.account.client("stepfunctions")
    email = StoredEmail.model_validate_json(sfn.describe_execution(executionArn=result.execution_arn)["input"])
    desk.forget_deliveries()
    itself = {"Bucket": bucket, "Key": email.key, "CopySource": {"Bucket": bucket, "Key": email.key}}
    raw = s3.get_object(Bucket=bucket, Key=email.key)["Body"].read()
    s3.copy_object(**itself, MetadataDirective="REPLACE", Metadata={"restored": "yes"})
    s3.copy_object(**itself, StorageClass="STANDARD_IA", MetadataDirective="COPY")
    s3.put_object(Bucket=bucket, Key=email.key, Body=raw)
    repeats = '"Execution already there"'
    assert eventually(lambda: len([line for line in desk.log_lines(name) if repeats in line]) == 3)
    assert desk.executions(email.key.rpartition("/")[2][:40]) == [name]
    assert len(outbox_about(cloud, name)) == 1


def test_old_mail_that_is_copied_into_the_bucket_is_not_answered(cloud: LocalCloud, desk: Desk) -> None:
    """Received in November 2024, stored now, under a key that no execution is named after."""
    bucket, key = cloud.outputs["MailBucketName"], "inbound/orders/restored-from-a-backup"
    old = re.sub(rb"(?m)^ ..., \d+ \w+ \d{4} ", b" Sun, 24 Nov 2024 ", stored_order(), count=1)
    email = stored_email(bucket, key)
    assert email
    ended = desk.store(email, old)
    arn = execution_arn(cloud, ended.email_id)
    sfn = cloud.account.client("stepfunctions")
    output = json.loads(sfn.describe_execution(executionArn=arn)["output"])
    assert (output["outcome"], output["reason"]) == ("silent", "stale_message")
    assert not outbox_about(cloud, email.email_id)
    replayed = run("replay", email.email_id, **cloud.account.variables())
    assert replayed.returncode == 0, replayed.stderr
    assert eventually(lambda: outbox_about(cloud, email.email_id))


def test_a_message_that_is_sent_again_after_a_failure_is_processed(
    cloud: LocalCloud, desk: Desk, application: Application
) -> None:
    failed_order(desk, application)
    application.says((200, ANSWER))
    again, once_more = (
        result
        for _ in range(2)
        for result in demo.run(cloud, [read_message_file(EMAILS / "order.eml")], route="application", timeout=90)
    )
    assert again.outcome == "replied"
    assert (once_more.outcome, once_more.reason) == ("silent", "duplicate_message")


def queue_depth(cloud: LocalCloud, output: str = "InboundQueueUrl") -> int:
    attributes = cloud.account.client("sqs").get_queue_attributes(
        QueueUrl=cloud.outputs[output], AttributeNames=["All"]
    )["Attributes"]
    return int(attributes["ApproximateNumberOfMessages"]) + int(attributes["ApproximateNumberOfMessagesNotVisible"])


def test_a_reply_is_sent_once_however_often_its_step_runs(cloud: LocalCloud, desk: Desk) -> None:
    [result] = desk.send("note.eml")
    assert result.timeline
    claim_holder = cloud.account.client("stepfunctions").get_execution_history(executionArn=result.execution_arn)
    scheduled = next(
        json.loads(event["taskSucceededEventDetails"]["output"])
        for event in claim_holder["events"]
        if event["type"] == "TaskSucceeded"
    )
    claim = scheduled["Payload"]
    request = {
        "execution_name": result.execution_arn.rpartition(":")[2] if result.execution_arn else "",
        "claim": claim,
        "kind": "answer",
        "answer_key": f"answers/{claim['email']['email_id']}.json",
    }
    error, answer = desk.invoke("ReplyFunction", request)
    assert error is None, answer
    assert result.reply
    assert answer == {"ses_message_id": result.reply.stem, "already_sent": True}
    assert len(outbox_about(cloud, request["execution_name"])) == 1


def test_poison_lands_in_the_dead_letter_queue_and_the_rest_of_its_batch_succeeds(
    cloud: LocalCloud, desk: Desk
) -> None:
    sqs = cloud.account.client("sqs")
    queue = cloud.outputs["InboundQueueUrl"]
    wanted: list[Any] = ["VisibilityTimeout", "RedrivePolicy"]
    declared = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=wanted)["Attributes"]
    bucket = cloud.outputs["MailBucketName"]
    email = stored_email(bucket, "inbound/orders/beside-poison", "v1")
    assert email
    redrive = json.loads(declared["RedrivePolicy"]) | {"maxReceiveCount": 3}
    hurry = {"VisibilityTimeout": "1", "RedrivePolicy": json.dumps(redrive)}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes=hurry)
    try:
        sqs.send_message_batch(
            QueueUrl=queue,
            Entries=[
                {"Id": "poison", "MessageBody": "not JSON"},
                {"Id": "stranger", "MessageBody": '{"hello": "world"}'},
                {"Id": "good", "MessageBody": s3_event(email)},
            ],
        )
        assert eventually(lambda: queue_depth(cloud, "InboundDeadLetterQueueUrl") == 2, seconds=60)
    finally:
        sqs.set_queue_attributes(QueueUrl=queue, Attributes=declared)
    assert desk.executions("beside-poison") == [email.email_id]
    dead_letters = cloud.outputs["InboundDeadLetterQueueUrl"]
    dead = sqs.receive_message(QueueUrl=dead_letters, MaxNumberOfMessages=10)["Messages"]
    assert {message["Body"] for message in dead} == {"not JSON", '{"hello": "world"}'}
    for message in dead:
        sqs.delete_message(QueueUrl=dead_letters, ReceiptHandle=message["ReceiptHandle"])


def test_an_object_of_no_route_starts_nothing(cloud: LocalCloud, desk: Desk) -> None:
    bucket = cloud.outputs["MailBucketName"]
    before = len(desk.executions(""))
    # In the order of the queue, so that the starter has had all of them when it has had the last.
    for key in ("elsewhere/orders/message", "inbound/orders/AMAZON_SES_SETUP_NOTIFICATION", "inbound/stray"):
        cloud.account.client("s3").put_object(Bucket=bucket, Key=key, Body=b"x")
    assert eventually(lambda: desk.log_lines("inbound/stray"))
    assert eventually(lambda: queue_depth(cloud) == 0)
    assert len(desk.executions("")) == before


def test_a_key_that_the_event_encodes_is_read_back(cloud: LocalCloud, desk: Desk) -> None:
    bucket, key = cloud.outputs["MailBucketName"], "inbound/orders/by hand+ä(1)"
    cloud.account.client("s3").put_object(Bucket=bucket, Key=key, Body=stored_order())
    email = stored_email(bucket, key)
    assert email
    assert eventually(lambda: outbox_about(cloud, email.email_id))


def test_an_unreadable_message_is_quarantined_with_its_reason(cloud: LocalCloud, desk: Desk) -> None:
    s3, bucket, key = cloud.account.client("s3"), cloud.outputs["MailBucketName"], "inbound/orders/no-email"
    began = time.time()
    alerts = subscribe(cloud, cloud.outputs["OperatorTopicArn"], "quarantine-alerts")
    s3.put_object(Bucket=bucket, Key=key, Body=b"\x00\x01\x02 no header field here\n")
    email = stored_email(bucket, key)
    assert email
    kept = f"quarantine/{email.email_id}"
    assert eventually(lambda: "Contents" in s3.list_objects_v2(Bucket=bucket, Prefix=kept))
    assert s3.get_object(Bucket=bucket, Key=kept)["Body"].read().startswith(b"\x00\x01\x02")
    tags = s3.get_object_tagging(Bucket=bucket, Key=kept)["TagSet"]
    assert tags == [{"Key": "quarantined", "Value": "it is not text and has no header field of its own"}]
    assert eventually(lambda: desk.executions(email.email_id, "SUCCEEDED"))
    # Anybody can send that: it is counted. Of what cannot be opened nothing is known, so that alerts.
    gone = stored_email(bucket, "inbound/orders/gone")
    assert gone
    cloud.account.client("stepfunctions").start_execution(
        stateMachineArn=cloud.outputs["StateMachineArn"], name=gone.email_id, input=gone.model_dump_json()
    )
    # Other messages may alert at this time too.
    heard = gathered(alerts, lambda found: any(gone.key in alert for alert in found), seconds=60)
    assert any(gone.key in alert for alert in heard)
    assert not any(kept in alert for alert in heard)
    assert eventually(lambda: len(desk.metrics("EmailsQuarantined", since=began)) >= 2)
    assert not outbox_about(cloud, email.email_id)


# ---- The application, and functions that die in the middle of asking it ----


def test_the_application_processes_under_a_key_that_stays_the_same(desk: Desk, application: Application) -> None:
    application.answers = [lambda: (500, b""), lambda: (200, ANSWER)]
    [result] = desk.send("order.eml", route="application")
    assert result.outcome == "replied"
    assert [(state["name"], state["attempts"]) for state in result.as_json()["states"]][3] == ("ProcessEmail", 2)
    assert result.timeline
    assert result.timeline.states[3].attempts[0].error == "TransientError"
    first, second = application.requests
    [link] = first["body"]["attachment_urls"].values()
    assert urllib3.request("GET", link).data.startswith(b"sku,product,colour")
    assert first["headers"]["Idempotency-Key"] == second["headers"]["Idempotency-Key"]
    assert first["body"]["message"]["subject"] == "Order 4711: spring collection"
    assert result.reply
    assert "Done." in result.reply.read_text()


def test_the_sender_gets_the_reason_of_an_application_that_refuses(desk: Desk, application: Application) -> None:
    application.answers = [lambda: (422, b'{"reason": "Order 4711 is closed."}')]
    [result] = desk.send("order.eml", route="application")
    assert (result.outcome, result.reason, result.error) == ("refused", "application_refused", "ApplicationRefused")
    assert result.reply
    assert "Order 4711 is closed." in result.reply.read_text()


def test_a_failure_alerts_the_sender_and_the_operators_and_fails_the_execution(
    cloud: LocalCloud, desk: Desk, application: Application
) -> None:
    alerts = subscribe(cloud, cloud.outputs["OperatorTopicArn"], "failure-alerts")
    application.answers = [lambda: (200, b'{"nonsense": true}')]
    [result] = desk.send("order.eml", route="application")
    assert (result.status, result.outcome, result.error) == ("FAILED", "failed", "MalformedAnswer")
    assert [state["name"] for state in result.as_json()["states"]][-3:] == [
        "SendFailureNotice",
        "ChooseLastTry",
        "ReprocessEmail",
    ]
    assert result.reply
    assert "Your message arrived safely" in result.reply.read_text()
    assert result.execution_arn
    assert heard_of(alerts, result.execution_arn, "MalformedAnswer")


def test_a_function_killed_in_the_middle_is_retried_and_the_reply_still_comes(
    cloud: LocalCloud, desk: Desk, application: Application
) -> None:
    def die() -> Answer:
        kill(cloud, cloud.functions["ProcessFunction"])
        return 200, ANSWER

    application.answers = [die, lambda: (200, ANSWER)]
    [result] = desk.send("order.eml", route="application")
    assert result.outcome == "replied"
    assert result.timeline
    assert [attempt.error for attempt in result.timeline.states[3].attempts] == ["Runtime.ExitError", None]


def test_a_function_that_overruns_its_timeout_is_retried_and_the_reply_still_comes(
    cloud: LocalCloud, desk: Desk, application: Application
) -> None:
    def hang() -> Answer:
        time.sleep(4)
        return 200, ANSWER

    application.answers = [hang, lambda: (200, ANSWER)]
    variables = {"APPLICATION_URL": application.url}
    with function_configuration(cloud, "ProcessFunction", timeout=2, variables=variables):
        [result] = desk.send("order.eml", route="application")
    assert result.outcome == "replied"
    assert result.timeline
    # On a busy machine, two seconds can be too short a second time.
    first, *others, last = [attempt.error for attempt in result.timeline.states[3].attempts]
    assert (first, {*others} <= {first}, last) == ("Sandbox.Timedout", True, None)
