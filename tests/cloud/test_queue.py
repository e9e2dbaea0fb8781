"""An application that pulls from its queue: in order for each sender, again after a death, and a limit for silence."""

import json
import smtplib
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from email.utils import make_msgid

import pytest

from mailstep.contracts import QueueItem
from mailstep_local.cloud import LocalCloud
from tests.support.cloud import (
    Application,
    Desk,
    eventually,
    function_configuration,
    heard_of,
    in_background,
    outbox_about,
    subscribe,
)

SENDERS, EACH = 5, 20


class Consumer:
    """An application's worker: it takes an item, reads the Message, writes the Answer, answers, deletes."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.sqs, self.s3 = cloud.account.client("sqs"), cloud.account.client("s3")
        self.sfn, self.url = cloud.account.client("stepfunctions"), cloud.outputs["ApplicationQueueUrl"]

    def take(self, most: int = 10) -> list[tuple[QueueItem, str]]:
        found = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=most, WaitTimeSeconds=1)
        return [(QueueItem.model_validate_json(m["Body"]), m["ReceiptHandle"]) for m in found.get("Messages", [])]

    def read(self, item: QueueItem) -> tuple[str, str]:
        message = json.loads(self.s3.get_object(Bucket=item.bucket, Key=item.message_key)["Body"].read())
        return message["from"][0]["address"], message["subject"]

    def finish(self, item: QueueItem, receipt: str, text: str) -> None:
        self.s3.put_object(Bucket=item.bucket, Key=item.answer_key, Body=json.dumps({"text": text}))
        self.sfn.send_task_success(taskToken=item.task_token, output=json.dumps({"answer_key": item.answer_key}))
        self.delete(receipt)

    def delete(self, receipt: str) -> None:
        self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=receipt)


@pytest.fixture
def consumer(cloud: LocalCloud) -> Iterator[Consumer]:
    yield (made := Consumer(cloud))
    while left := made.take():
        for _, receipt in left:
            made.delete(receipt)


def test_mail_is_processed_in_order_for_each_sender_by_two_consumers(cloud: LocalCloud, consumer: Consumer) -> None:
    with smtplib.SMTP("127.0.0.1", cloud.smtp_port, timeout=60) as smtp:
        for number in range(EACH):
            for sender in range(SENDERS):
                message = EmailMessage()
                message["From"], message["Subject"] = f"s{sender}@shop.example", str(number)
                message["Message-ID"] = make_msgid()
                message.set_content("Hello")
                smtp.sendmail(message["From"], "tickets@mailstep.example", message.as_bytes())
            # Order is that of the queue: a sender's next message comes when the one before is in it.
            assert eventually(lambda sent=(number + 1) * SENDERS: depth(cloud) == sent)  # type: ignore[misc]
    order: dict[str, list[int]] = defaultdict(list)
    lock = threading.Lock()

    def work(worker: Consumer) -> int:
        done = 0
        while items := worker.take(3):
            for item, receipt in items:
                sender, subject = worker.read(item)
                with lock:
                    order[sender].append(int(subject))
                worker.finish(item, receipt, f"Queued item {subject}")
                done += 1
        return done

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(work, [consumer, Consumer(cloud)]))
    assert sum(done) == SENDERS * EACH
    assert all(done)
    assert dict(order) == {f"s{sender}@shop.example": list(range(EACH)) for sender in range(SENDERS)}
    assert eventually(lambda: len(outbox_about(cloud, "Queued item ")) == SENDERS * EACH, seconds=120)


def depth(cloud: LocalCloud) -> int:
    """How many items wait for the application."""
    said = cloud.account.client("sqs").get_queue_attributes(
        QueueUrl=cloud.outputs["ApplicationQueueUrl"], AttributeNames=["ApproximateNumberOfMessages"]
    )
    return int(said["Attributes"]["ApproximateNumberOfMessages"])


def test_the_item_of_a_consumer_that_died_comes_again(desk: Desk, consumer: Consumer) -> None:
    thread, results = in_background(desk)
    [(item, receipt)] = eventually(consumer.take)
    # It dies: nothing is answered or deleted. The visibility timeout is over sooner here than in a minute.
    consumer.sqs.change_message_visibility(QueueUrl=consumer.url, ReceiptHandle=receipt, VisibilityTimeout=1)
    [(again, receipt)] = eventually(consumer.take)
    assert again == item
    consumer.finish(again, receipt, "Late, but done.")
    thread.join()
    assert results[0].outcome == "replied"
    assert results[0].reply
    assert "Late, but done." in results[0].reply.read_text()


def test_a_refusal_by_the_consumer_reaches_the_sender(desk: Desk, consumer: Consumer) -> None:
    thread, results = in_background(desk)
    [(item, receipt)] = eventually(consumer.take)
    consumer.sfn.send_task_failure(taskToken=item.task_token, error="ApplicationRefused", cause="No such ticket.")
    consumer.delete(receipt)
    thread.join()
    assert (results[0].outcome, results[0].reason) == ("refused", "application_refused")
    assert results[0].reply
    assert "No such ticket." in results[0].reply.read_text()


def test_a_consumer_that_never_answers_ends_in_the_failure_notice_after_the_routes_limit(
    cloud: LocalCloud, desk: Desk, consumer: Consumer
) -> None:
    alerts = subscribe(cloud, cloud.outputs["OperatorTopicArn"], "unanswered-alerts")
    two_seconds = {"APPLICATION_LIMIT_HOURS": str(2 / 3600)}
    with function_configuration(cloud, "ValidateFunction", variables=two_seconds):
        [result] = desk.send("note.eml", route="tickets")
    assert (result.status, result.error) == ("FAILED", "ApplicationUnanswered")
    assert result.reply
    assert "could not be processed yet" in result.reply.read_text()
    assert result.execution_arn
    reference = result.execution_arn.rpartition(":")[2]
    assert reference in result.reply.read_text()
    assert heard_of(alerts, reference)


def test_three_routes_on_one_bucket_each_processed_its_own_way(
    cloud: LocalCloud, desk: Desk, application: Application, consumer: Consumer
) -> None:
    application.says((200, b'{"text": "By the application."}'))
    thread, pulled = in_background(desk)
    [(item, receipt)] = eventually(consumer.take)
    consumer.finish(item, receipt, "By the consumer.")
    thread.join()
    [posted] = desk.send("order.eml", route="application")
    [built_in] = desk.send("order.eml", route="orders")
    replies = [result.reply.read_text() for result in (built_in, posted, pulled[0]) if result.reply]
    assert [
        sign in reply
        for sign, reply in zip(("6 rows, 5 columns", "By the application.", "By the consumer."), replies, strict=True)
    ] == [True] * 3


def test_an_object_under_an_unknown_prefix_is_counted_and_nothing_else(cloud: LocalCloud, desk: Desk) -> None:
    began, before = time.time(), len(desk.executions(""))
    alerts = subscribe(cloud, cloud.outputs["OperatorTopicArn"], "stray-alerts")
    key = "inbound/no-such-route/message"
    cloud.account.client("s3").put_object(
        Bucket=cloud.outputs["MailBucketName"], Key=key, Body=b"From: a@b.example\n\n"
    )
    assert eventually(lambda: desk.metrics("StrayObjects", since=began))
    assert eventually(lambda: [line for line in desk.log_lines(key) if "no mail to a route of this stack" in line])
    assert len(desk.executions("")) == before
    assert [alert for alert in alerts() if key in alert] == []
    cloud.account.client("s3").delete_object(Bucket=cloud.outputs["MailBucketName"], Key=key)
