"""Replies on the deployed stack: who gets one, bounces and complaints, and that no loop starts."""

import time
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial
from pathlib import Path

from mailstep.aws.ledger import suppression_id
from mailstep_local.cloud import LocalCloud
from tests.support.cloud import Desk, eventually, function_configuration, heard_of, subscribe
from tests.support.project import run


def mail(sender: str, directory: Path, name: str = "message.eml", **fields: str) -> str:
    message = EmailMessage()
    message["From"] = sender
    message["To"] = "orders@mailstep.example"
    message["Subject"] = "Good morning"
    message["Message-ID"] = f"<{time.time_ns()}@{sender.rpartition('@')[2]}>"
    for field, value in fields.items():
        message[field.replace("_", "-")] = value
    message.set_content("How are you?")
    (directory / name).write_bytes(message.as_bytes())
    return name


def test_a_bounce_or_complaint_suppresses_the_address_and_alerts_the_operators(
    cloud: LocalCloud, desk: Desk, tmp_path: Path
) -> None:
    heard = subscribe(cloud, cloud.outputs["OperatorTopicArn"], "feedback-alerts")
    senders = ("Ann@bounce.simulator.example", "ann@complaint.simulator.example")
    for sender, kind in zip(senders, ("Bounce", "Complaint"), strict=True):
        [first] = desk.send(mail(sender, tmp_path), directory=tmp_path)
        assert (first.outcome, first.reason) == ("replied", None)
        assert heard_of(heard, f'\\"eventType\\": \\"{kind}\\"')
        assert eventually(partial(is_suppressed, cloud, sender))
        [second] = desk.send(mail(sender.lower(), tmp_path), directory=tmp_path)
        assert (second.outcome, second.withheld, second.reply) == ("processed", "suppressed_sender", None)
        assert run("suppressed", "remove", sender, "--yes", **cloud.account.variables()).returncode == 0


def test_a_bounce_that_lambda_throttles_is_recorded_later(cloud: LocalCloud, desk: Desk, tmp_path: Path) -> None:
    functions, name = cloud.account.client("lambda"), cloud.functions["FeedbackFunction"]
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    sender = "throttled@bounce.simulator.example"
    try:
        [first] = desk.send(mail(sender, tmp_path), directory=tmp_path)
        assert (first.outcome, is_suppressed(cloud, sender)) == ("replied", False)
    finally:
        functions.delete_function_concurrency(FunctionName=name)
    assert eventually(lambda: is_suppressed(cloud, sender))


def test_a_bounce_that_the_function_fails_on_waits_in_the_dead_letter_queue(
    cloud: LocalCloud, desk: Desk, tmp_path: Path
) -> None:
    sqs, queue = cloud.account.client("sqs"), cloud.outputs["FeedbackDeadLetterQueueUrl"]
    number = "ApproximateNumberOfMessages"

    def set_aside() -> int:
        return int(sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=[number])["Attributes"][number])

    before, sender = set_aside(), "failing@bounce.simulator.example"
    with function_configuration(cloud, "FeedbackFunction", variables={"TABLE_NAME": "gone"}):
        [first] = desk.send(mail(sender, tmp_path), directory=tmp_path)
        assert first.outcome == "replied"
        assert eventually(lambda: set_aside() > before, seconds=60)
    assert not is_suppressed(cloud, sender)
    told = run("queues", "--redrive", "feedback", "--yes", **cloud.account.variables())
    assert told.returncode == 0, told.stderr
    assert eventually(lambda: is_suppressed(cloud, sender))


def is_suppressed(cloud: LocalCloud, address: str) -> bool:
    key = {"id": {"S": suppression_id(address.lower())}}
    return "Item" in cloud.account.client("dynamodb").get_item(TableName=cloud.outputs["LedgerTableName"], Key=key)


def test_two_mailsteps_exchange_one_message_at_most(cloud: LocalCloud, desk: Desk, tmp_path: Path) -> None:
    """Another Mailstep wrote to us: our answer, handed to it by SMTP, is not answered."""
    [answered] = desk.send(mail("orders@other-mailstep.example", tmp_path), directory=tmp_path)
    assert answered.outcome == "replied"
    assert answered.reply
    # The other one is this same stack: what we sent comes in, from our own address, to one of its routes.
    (tmp_path / "back.eml").write_bytes(answered.reply.read_bytes())
    [back] = desk.send("back.eml", route="orders", directory=tmp_path)
    assert (back.outcome, back.reason, back.reply) == ("silent", "automatic_mail", None)


def test_an_autoresponder_that_does_not_say_so_gets_no_second_reply(
    cloud: LocalCloud, desk: Desk, tmp_path: Path
) -> None:
    """It quotes our fields back, as bounces and many vacation programs do."""
    [answered] = desk.send(mail("ann@away.example", tmp_path), directory=tmp_path)
    assert answered.reply
    ours = message_from_bytes(answered.reply.read_bytes(), _class=EmailMessage, policy=policy.default)
    again = mail("ann@away.example", tmp_path, "again.eml", X_Mailstep_Email_Id=ours["X-Mailstep-Email-Id"])
    [second] = desk.send(again, directory=tmp_path)
    assert (second.outcome, second.reason, second.reply) == ("silent", "own_address", None)


def test_a_reply_that_ses_rejects_fails_the_execution_with_the_remedy_in_the_operators_alert(
    cloud: LocalCloud, desk: Desk, tmp_path: Path
) -> None:
    alerts = subscribe(cloud, cloud.outputs["OperatorTopicArn"], "rejection-alerts")
    sandbox(cloud, on=True)
    try:
        [result] = desk.send(mail("ann@sandbox.example", tmp_path), directory=tmp_path)
    finally:
        sandbox(cloud, on=False)
    assert (result.status, result.error) == ("FAILED", "AccountInSandbox")
    assert heard_of(alerts, "AccountInSandbox")
    told = run("history", result.execution_arn or "", **cloud.account.variables())
    assert "Request production access for SES" in " ".join(told.stdout.split())
    assert "ann@sandbox.example" not in told.stdout


def sandbox(cloud: LocalCloud, *, on: bool) -> None:
    cloud.account.client("sesv2").put_account_details(
        MailType="TRANSACTIONAL", WebsiteURL="https://mailstep.example", ProductionAccessEnabled=not on
    )
