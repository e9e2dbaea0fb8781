"""A worker that pulls emails from the application's queue, in order for each sender (docs/applications.md, "Queue")."""

import json
from collections.abc import Callable
from typing import Any

import boto3


def work(queue_url: str, process: Callable[[dict[str, Any]], dict[str, Any] | None]) -> int:
    """Process the items in the queue; return their number. `process` takes the Message and returns the Answer.

    ValueError of `process` is a refusal, whose text the sender reads. Any other error leaves the item in the queue: it
    comes again after the visibility timeout, five times at most.
    """
    sqs, s3, sfn = boto3.client("sqs"), boto3.client("s3"), boto3.client("stepfunctions")
    items = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=2).get("Messages", [])
    for received in items:
        item = json.loads(received["Body"])
        message = json.loads(s3.get_object(Bucket=item["bucket"], Key=item["message_key"])["Body"].read())
        try:
            answer = process(message)
        except ValueError as refusal:
            sfn.send_task_failure(taskToken=item["task_token"], error="ApplicationRefused", cause=str(refusal))
        else:
            if answer:
                s3.put_object(Bucket=item["bucket"], Key=item["answer_key"], Body=json.dumps(answer))
            answer = {"answer_key": item["answer_key"] if answer else None}
            sfn.send_task_success(taskToken=item["task_token"], output=json.dumps(answer))
        sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=received["ReceiptHandle"])
    return len(items)
