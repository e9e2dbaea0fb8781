"""The queues of a stack: what waits in each, and how what was set aside is taken up again."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3

from mailstep import keys
from mailstep_cli.errors import UserError
from mailstep_cli.home_stack import HomeStack

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef, StartMessageMoveTaskRequestTypeDef

_LOOKED_AT = 10
"""Messages of a dead-letter queue that are looked at: one ReceiveMessage returns as many."""
_HIDDEN_SECONDS = 30
"""How long a record is hidden from others while it is taken up again."""
_DEAD = "DeadLetterQueue"

SENT_ON = {"SubscriptionDeadLetterQueue": "InboundQueue"}
"""Dead-letter queues of an SNS subscription, and the queue that SNS could not deliver to.

StartMessageMoveTask takes no such queue (Amazon SQS Developer Guide, "Configuring a dead-letter queue redrive").
"""
MOVED_TO = {"IndexDeadLetterQueue": "IndexQueue"}
"""Dead-letter queues that not only a queue fills, and the queue that takes up what is in them."""
INVOKED = {"FeedbackDeadLetterQueue": "FeedbackFunction"}
"""Dead-letter queues of a function that SNS calls, and the function."""


@dataclass(frozen=True)
class Queue:
    """A queue and what waits in it.

    Attributes:
        name: Its logical id in template.yaml, without `Queue`.
        url: Its address.
        waiting: Messages that can be received.
        in_flight: Messages that a consumer has received and not deleted.
        delayed: Messages that cannot be received yet.
        oldest_seconds: The age of the oldest message; None if nothing waits, or CloudWatch has no value yet.
        items: What the first messages of a dead-letter queue are about.
        dead_letters: Whether it is a dead-letter queue.
    """

    name: str
    url: str
    waiting: int
    in_flight: int
    delayed: int
    oldest_seconds: int | None
    items: list[str] = field(default_factory=list)
    dead_letters: bool = False


@dataclass(frozen=True)
class TakenUp:
    """How many records of a dead-letter queue were taken up again."""

    queue: str
    taken_up: int


class Queues:
    """The queues of a stack, and its dead-letter queues."""

    def __init__(self, stack: HomeStack) -> None:
        self._stack = stack
        self._sqs: SQSClient = boto3.client("sqs")
        # The ids of template.yaml end so, and nothing else has an id that does.
        self._urls = {
            logical: physical
            for logical, physical in sorted(stack.resources.items())
            if logical.endswith("Queue") and physical.startswith("http")
        }

    def all(self) -> list[Queue]:
        """Every queue with what waits in it: first those of the way, then the dead-letter queues."""
        ages = self._ages([url.rpartition("/")[2] for url in self._urls.values()])
        found = [self._look(logical, url, ages) for logical, url in self._urls.items()]
        return sorted(found, key=lambda queue: (queue.dead_letters, queue.name))

    def dead_letters(self, name: str) -> tuple[str, str]:
        """The logical id and the address of a dead-letter queue, by the first letters of either of its names.

        Raises:
            UserError: no queue has this name.
        """
        dead = {logical: url for logical, url in self._urls.items() if logical.endswith(_DEAD)}
        wanted = name.lower()
        found = [
            (logical, url)
            for logical, url in dead.items()
            if wanted in (url.rpartition("/")[2], logical.lower()) or logical.lower().startswith(wanted)
        ]
        if len(found) != 1:
            names = ", ".join(logical.removesuffix(_DEAD).lower() for logical in dead)
            raise UserError(f"{name!r} is not the name of one dead-letter queue: give one of {names}")
        return found[0]

    def dead_letter_counts(self) -> dict[str, int]:
        """About how many messages wait in each dead-letter queue, by its logical id. No message is received."""
        return {logical: self.count(url) for logical, url in self._urls.items() if logical.endswith(_DEAD)}

    def count(self, url: str) -> int:
        """About how many messages wait in a queue."""
        return _number(self._attributes(url), "ApproximateNumberOfMessages")

    def take_up(self, logical: str, url: str, progress: Callable[[int], None] = lambda _: None) -> int:
        """Take up again what is in a dead-letter queue; return how many records.

        An interrupt leaves each record in one of the two places, and the command can be repeated: a record that is
        taken up twice does no harm.

        Raises:
            UserError: AWS ended the redrive, or a function failed on a record, which stays in the queue.
        """
        if target := SENT_ON.get(logical):
            return self._each(url, lambda record: self._send(self._urls[target], record), progress)
        if function := INVOKED.get(logical):
            return self._each(url, lambda record: self._invoke(self._stack.resources[function], record), progress)
        return self._move(url, self._urls.get(MOVED_TO.get(logical, "")), progress)

    def _move(self, url: str, target: str | None, progress: Callable[[int], None]) -> int:
        arn = self._attributes(url)["QueueArn"]
        running = [task for task in self._tasks(arn) if task["Status"] == "RUNNING"]
        if not running:
            asked: StartMessageMoveTaskRequestTypeDef = {"SourceArn": arn}
            if target:
                asked["DestinationArn"] = self._attributes(target)["QueueArn"]
            self._sqs.start_message_move_task(**asked)
        while True:
            [task, *_] = self._tasks(arn)
            moved: int = task.get("ApproximateNumberOfMessagesMoved", 0)
            progress(moved)
            if task["Status"] == "COMPLETED":
                return moved
            if task["Status"] != "RUNNING":
                raise UserError(f"SQS ended the redrive: {task['Status']} {task.get('FailureReason', '')}".strip())
            time.sleep(0.5)

    def _tasks(self, arn: str) -> list[Any]:
        return list(self._sqs.list_message_move_tasks(SourceArn=arn, MaxResults=1)["Results"])

    def _each(self, url: str, act: Callable[["MessageTypeDef"], None], progress: Callable[[int], None]) -> int:
        done = 0
        for record in self._records(url):
            act(record)
            self._sqs.delete_message(QueueUrl=url, ReceiptHandle=record["ReceiptHandle"])
            done += 1
            progress(done)
        return done

    def _records(self, url: str) -> Iterator["MessageTypeDef"]:
        while found := self._sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=1, WaitTimeSeconds=2, VisibilityTimeout=_HIDDEN_SECONDS
        ).get("Messages", []):
            yield from found

    def _send(self, url: str, record: "MessageTypeDef") -> None:
        self._sqs.send_message(QueueUrl=url, MessageBody=record["Body"])

    def _invoke(self, function: str, record: "MessageTypeDef") -> None:
        """Lambda puts the whole event of the function into the queue, and SNS only its own part."""
        event = json.loads(record["Body"])
        functions: LambdaClient = boto3.client("lambda")
        answer = functions.invoke(
            FunctionName=function,
            Payload=json.dumps(event if "Records" in event else {"Records": [{"Sns": event}]}).encode(),
        )
        if error := answer.get("FunctionError"):
            raise UserError(
                f"{function} failed on a record ({error}), which stays in the queue: see the function's log, fix the "
                "cause and repeat the command"
            )

    def _look(self, logical: str, url: str, ages: dict[str, int]) -> Queue:
        counts = self._attributes(url)
        waiting = _number(counts, "ApproximateNumberOfMessages")
        records = self._peek(url) if waiting and logical.endswith(_DEAD) else []
        oldest = ages.get(url.rpartition("/")[2]) if waiting else None
        if sent := [int(record["Attributes"]["SentTimestamp"]) for record in records if record.get("Attributes")]:
            oldest = max(oldest or 0, int(time.time() - min(sent) / 1000))
        return Queue(
            logical.removesuffix("Queue"),
            url,
            waiting,
            _number(counts, "ApproximateNumberOfMessagesNotVisible"),
            _number(counts, "ApproximateNumberOfMessagesDelayed"),
            oldest,
            [about(record["Body"]) for record in records],
            dead_letters=logical.endswith(_DEAD),
        )

    def _peek(self, url: str) -> list["MessageTypeDef"]:
        """The first messages of a dead-letter queue, which stay visible. A queue of the way would count the receipt."""
        return self._sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=_LOOKED_AT,
            VisibilityTimeout=0,
            MessageSystemAttributeNames=["SentTimestamp"],
        ).get("Messages", [])

    def _attributes(self, url: str) -> dict[str, str]:
        found = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return {str(name): value for name, value in found.items()}

    def _ages(self, names: list[str]) -> dict[str, int]:
        """The age of the oldest message in seconds, by the name of the queue, as CloudWatch had it last."""
        cloudwatch: CloudWatchClient = boto3.client("cloudwatch")
        now = datetime.now(UTC)
        results = cloudwatch.get_metric_data(
            MetricDataQueries=[
                {
                    "Id": f"q{number}",
                    "MetricStat": {
                        "Metric": {
                            "Namespace": "AWS/SQS",
                            "MetricName": "ApproximateAgeOfOldestMessage",
                            "Dimensions": [{"Name": "QueueName", "Value": name}],
                        },
                        "Period": 60,
                        "Stat": "Maximum",
                    },
                }
                for number, name in enumerate(names)
            ],
            StartTime=now - timedelta(minutes=10),
            EndTime=now,
            ScanBy="TimestampDescending",
        )["MetricDataResults"]
        return {names[int(one["Id"][1:])]: int(one["Values"][0]) for one in results if one.get("Values")}


def about(body: str) -> str:
    """What a record is about, without an address: the key of a message, an email, a bounce, or else `unreadable`."""
    with suppress(ValueError, RecursionError):
        return _about(json.loads(body))
    return "unreadable"


def _about(record: Any) -> str:
    match record:
        case {"Records": [{"s3": {"object": {"key": str(key)}}}, *_]}:
            return f"stored: {key}"
        case {"Records": [{"Sns": {"Message": str(message)}}, *_]} | {"Message": str(message)}:
            return about(message)
        case {"eventType": str(kind), "mail": {"messageId": str(identifier)}}:
            return f"{kind.lower()} of the reply {identifier}"
        case {"message_key": str(key)}:
            return f"email {key.removeprefix(keys.PARSED).partition('/')[0]}"
        case {"detail": {"name": str(name), "status": str(status)}}:
            return f"execution {name}: {status}"
        case _:
            return "unreadable"


def _number(attributes: dict[str, str], name: str) -> int:
    return int(attributes.get(name, "0"))
