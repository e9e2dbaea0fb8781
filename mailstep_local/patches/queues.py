"""SQS's redrive of a dead-letter queue, which MiniStack lacks."""

import asyncio
import json
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from ministack.core.responses import get_region
from ministack.services import sqs

from mailstep_local.account import Account
from mailstep_local.ministack_names import Names

MINISTACK = Names(
    {
        "core.responses:get_region": "",
        "services.sqs:_Err": None,
        "services.sqs:_HANDLERS": None,
        "services.sqs:_queues": None,
    }
)


@dataclass
class _Task:
    source: str
    destination: str | None
    sources_url: str
    target_url: str
    handle: str = field(default_factory=lambda: str(uuid.uuid4()))
    started: int = field(default_factory=lambda: int(time.time() * 1000))
    status: str = "RUNNING"
    moved: int = 0

    def shown(self) -> dict[str, Any]:
        """An entry of ListMessageMoveTasks."""
        entry = {
            "Status": self.status,
            "SourceArn": self.source,
            "ApproximateNumberOfMessagesMoved": self.moved,
            "StartedTimestamp": self.started,
        }
        entry |= {"DestinationArn": self.destination} if self.destination else {}
        return entry | ({"TaskHandle": self.handle} if self.status == "RUNNING" else {})


_tasks: list[_Task] = []


def apply() -> None:
    """Add the operations (Amazon SQS API Reference, StartMessageMoveTask and its companions)."""
    sqs._HANDLERS["ListDeadLetterSourceQueues"] = _list_sources
    sqs._HANDLERS["StartMessageMoveTask"] = _start
    sqs._HANDLERS["ListMessageMoveTasks"] = _list
    sqs._HANDLERS["CancelMessageMoveTask"] = _cancel


async def _start(data: dict[str, Any], _url: str) -> dict[str, str]:
    """Move all messages that are in a dead-letter queue now, to its one source or to DestinationArn."""
    client = Account.of_this_process().seen_from(get_region()).client("sqs")
    source, destination = data["SourceArn"], data.get("DestinationArn")
    if any(task.source == source and task.status == "RUNNING" for task in _tasks):
        raise sqs._Err("AWS.SimpleQueueService.UnsupportedOperation", "There is already a task running.")
    handle: str = await _in_thread(_begin, client, source, destination)
    return {"TaskHandle": handle}


async def _in_thread(function: Any, *arguments: Any) -> Any:
    """The calls below go to this same account, so they must not block its event loop."""
    return await asyncio.to_thread(function, *arguments)


def _begin(client: Any, source: str, destination: str | None) -> str:
    sources = _sources(source)
    if not sources:
        raise sqs._Err("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
    if destination is None and len(sources) > 1:
        # On AWS each message goes back to the queue that it came from; MiniStack does not keep which that is.
        raise sqs._Err("InvalidParameterValue", "The local account needs DestinationArn: there are several sources.")
    target_url = _url_of(client, destination) if destination else sources[0]
    task = _Task(source, destination, _url_of(client, source), target_url)
    _tasks.insert(0, task)
    threading.Thread(target=_move, args=(client, task), daemon=True).start()
    return task.handle


def _sources(arn: str) -> list[str]:
    """The URLs of the queues whose dead letters go to a queue."""
    policies = {url: queue["attributes"].get("RedrivePolicy") or "{}" for url, queue in sqs._queues.items()}
    return [url for url, policy in policies.items() if json.loads(policy).get("deadLetterTargetArn") == arn]


def _list_sources(_data: dict[str, Any], url: str) -> dict[str, Any]:
    return {"queueUrls": _sources(sqs._queues[url]["attributes"]["QueueArn"])}


def _url_of(client: Any, arn: str) -> str:
    url: str = client.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]
    return url


def _move(client: Any, task: _Task) -> None:
    """Each message goes as a new one, with a new id and time of enqueuing."""
    try:
        while task.status == "RUNNING":
            found = client.receive_message(
                QueueUrl=task.sources_url,
                MaxNumberOfMessages=10,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            ).get("Messages", [])
            if not found:
                task.status = "COMPLETED"
            for message in found:
                _send_on(client, task, message)
    except Exception:
        task.status = "FAILED"
        raise


def _send_on(client: Any, task: _Task, message: dict[str, Any]) -> None:
    group = message.get("Attributes", {}).get("MessageGroupId")
    fifo = {"MessageGroupId": group, "MessageDeduplicationId": str(uuid.uuid4())} if group else {}
    client.send_message(
        QueueUrl=task.target_url,
        MessageBody=message["Body"],
        MessageAttributes=message.get("MessageAttributes", {}),
        **fifo,
    )
    client.delete_message(QueueUrl=task.sources_url, ReceiptHandle=message["ReceiptHandle"])
    task.moved += 1


def _list(data: dict[str, Any], _url: str) -> dict[str, Any]:
    """The latest tasks of a queue, at most 10."""
    found = [task.shown() for task in _tasks if task.source == data["SourceArn"]]
    return {"Results": found[: data.get("MaxResults", 1)]}


def _cancel(data: dict[str, Any], _url: str) -> dict[str, Any]:
    for task in _tasks:
        if task.handle == data["TaskHandle"] and task.status == "RUNNING":
            task.status = "CANCELLED"
            return {"ApproximateNumberOfMessagesMoved": task.moved}
    raise sqs._Err("ResourceNotFoundException", "There is no running task with this handle.", 404)
