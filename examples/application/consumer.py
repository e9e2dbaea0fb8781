"""A worker that pulls emails from the application's queue, in order for each sender (docs/applications.md, "By queue").

QUEUE_URL=<the stack's output ApplicationQueueUrl> python consumer.py
"""

import json
import logging
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import boto3

Process = Callable[[dict[str, Any]], dict[str, Any] | None]
"""Takes the Message and returns the Answer, or None for no reply."""


class Refused(Exception):
    """The message is refused. The sender reads the text, so it says what to change."""


def work(queue_url: str, process: Process, wait_seconds: int = 2) -> int:
    """Process the next item in the queue; return the number of items that there were, 0 or 1.

    Only `Refused` refuses the message. Any other error of `process` leaves the item in the queue: it comes again after
    the visibility timeout, five times at most, and the sender's next item waits for it.
    """
    sqs = boto3.client("sqs")
    # One at a time: with more, the sender's next item would overtake one that failed.
    items = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=1, WaitTimeSeconds=wait_seconds)
    for received in items.get("Messages", []):
        item = json.loads(received["Body"])
        try:
            _answer(item, process)
        except Exception as error:
            # The text of the error may repeat the message, which a log must not.
            logging.error("%s was not processed: %s", item["idempotency_key"], type(error).__name__)  # noqa: TRY400
        else:
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=received["ReceiptHandle"])
    return len(items.get("Messages", []))


def _answer(item: dict[str, Any], process: Process) -> None:
    """Process an item, and tell the workflow the result."""
    s3, workflow = boto3.client("s3"), boto3.client("stepfunctions")
    message = json.loads(s3.get_object(Bucket=item["bucket"], Key=item["message_key"])["Body"].read())
    try:
        try:
            answer = process(message)
        except Refused as refusal:
            workflow.send_task_failure(
                taskToken=item["task_token"], error="ApplicationRefused", cause=str(refusal)[:500]
            )
            return
        if answer:
            s3.put_object(Bucket=item["bucket"], Key=item["answer_key"], Body=json.dumps(answer))
        output = json.dumps({"answer_key": item["answer_key"] if answer else None})
        workflow.send_task_success(taskToken=item["task_token"], output=output)
    except (workflow.exceptions.TaskDoesNotExist, workflow.exceptions.TaskTimedOut):
        # The workflow has stopped waiting: this item, too, is done.
        logging.warning("%s came too late", item["idempotency_key"])


def open_ticket(message: dict[str, Any]) -> dict[str, Any] | None:
    """What your application would do: open a ticket, and answer with its number."""
    if message["subject"].lower().startswith("fyi"):
        return None
    if not message["reply_text"].strip():
        raise Refused("Please describe your problem in the text of your message.")
    return {"text": f"Thank you. We opened a ticket for {message['subject']!r}."}


def main() -> None:
    """Work until Ctrl-C or SIGTERM, which a container gets before it is stopped; the item in hand is finished first."""
    stopped = threading.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda *_: stopped.set())
    while not stopped.is_set():
        work(os.environ["QUEUE_URL"], open_ticket, wait_seconds=10)


if __name__ == "__main__":
    main()
