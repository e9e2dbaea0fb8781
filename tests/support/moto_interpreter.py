"""The real definition on moto's interpreter: JSONata evaluated, no waiting, and the functions played by a script.

Nothing here depends on the machine's clock. Retries and waits take no time. A task has as long as it needs, and one
that is scripted to hang runs out of its time at once.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import boto3
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from jsonata import Jsonata
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID as ACCOUNT_ID
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_aws_sdk import (
    StateTaskServiceAwsSdk,
)
from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackEndpoint
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from mailstep_cli.history import Timeline, timeline
from tests.support.project import DEFINITION

FUNCTIONS = ("Parse", "Validate", "Process", "Reply")
REGION = "us-east-1"
BUCKET = "mailstep-mail-123456789012"

WAITS = {"OutageFirstWaitSeconds": 60, "OutageLongestWaitSeconds": 3600}

_ASL = "moto.stepfunctions.parser.asl"
_WAIT = f"{_ASL}.component.state.wait.wait_function.wait_function.WaitFunction._wait_interval"
_TASK_THREADS = f"{_ASL}.component.state.exec.execute_state.threading"
_LAMBDA = f"{_ASL}.component.state.exec.state_task.lambda_eval_utils._invoke_lambda_function"


@dataclass(frozen=True)
class Fails:
    """A function's answer: an error of this name. Its text is what `str(error)` would be."""

    error: str
    text: str = "it failed"


@dataclass(frozen=True)
class Throttled:
    """Lambda's own answer: 429 before the function runs."""


@dataclass(frozen=True)
class Hangs:
    """No answer; the task's timeout passes while the function is at work."""


class TaskEnd(threading.Event):
    """What moto waits on until a task has ended: it ends, or the test says that its time is over."""

    latest: "TaskEnd"

    def __init__(self) -> None:
        super().__init__()
        self._ended_or_late = threading.Event()
        TaskEnd.latest = self

    def set(self) -> None:
        super().set()
        self._ended_or_late.set()

    def time_is_over(self) -> None:
        """Let the task's timeout pass now."""
        self._ended_or_late.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Whether the task ended before its time was over. `timeout` is the declared one, and takes no time here."""
        assert timeout is not None
        assert timeout > 0
        self._ended_or_late.wait()
        return self.is_set()


Answer = dict[str, Any] | Fails | Throttled | Hangs


@dataclass
class Run:
    """An execution that has ended."""

    status: str
    output: dict[str, Any]
    timeline: Timeline
    payloads: dict[str, list[dict[str, Any]]]
    alerts: list[dict[str, Any]] = field(default_factory=list)
    waits: list[int] = field(default_factory=list)

    @property
    def path(self) -> list[str]:
        """The names of the states, in order."""
        return [state.name for state in self.timeline.states]

    def attempts(self, state: str) -> int:
        """How often the task of `state` was tried."""
        return next(len(visited.attempts) for visited in self.timeline.states if visited.name == state)


def evaluate_jsonata(expression: str) -> Any:
    """Evaluate an expression in the dialect of Step Functions (moto has an empty hook here)."""
    evaluator = Jsonata(expression)
    evaluator.register_lambda("parse", json.loads)
    return evaluator.evaluate(None)


def encode_variables(bindings: dict[str, Any]) -> str:
    """Bind variables as JSON literals; moto's own leaves the quotes inside strings as they are."""
    return "".join(f"{name}:={json.dumps(value, default=str)};" for name, value in bindings.items())


def definition(text: str = DEFINITION) -> str:
    """A definition with its substitutions filled in, as `sam deploy` does."""
    text = text.replace("${Partition}", "aws")
    for name in FUNCTIONS:
        text = text.replace(f"${{{name}FunctionArn}}", f"arn:aws:lambda:{REGION}:123456789012:function:{name}")
    for name, value in WAITS.items():
        text = text.replace(f"${{{name}}}", str(value))
    return text.replace("${OperatorTopicArn}", f"arn:aws:sns:{REGION}:123456789012:operators")


_PARSE = AmazonStateLanguageParser.parse


@lru_cache(maxsize=4)
def _syntax_tree(text: str) -> Any:
    return _PARSE(text)[1]


def parse_once(text: str) -> tuple[Any, Any]:
    """Read each definition once: moto reads it twice for each execution, half a second of CPU each time."""
    tree = _syntax_tree(text)
    return Preprocessor().visit(tree), tree


_SET_UP_HEARTBEAT = CallbackEndpoint.setup_heartbeat_endpoint
callbacks_awaited = threading.Semaphore(0)
"""Released once moto waits for a task's callback: it sleeps through an answer that comes earlier."""


def set_up_heartbeat(endpoint: CallbackEndpoint, heartbeat_seconds: int) -> Any:
    """Say that moto waits for the callback."""
    heartbeat = _SET_UP_HEARTBEAT(endpoint, heartbeat_seconds)
    callbacks_awaited.release()
    return heartbeat


_CALL_SDK = StateTaskServiceAwsSdk._eval_service_task


def call_by_names_of_the_sdk(task: StateTaskServiceAwsSdk, env: Any, **call: Any) -> None:
    """An SDK integration has names in PascalCase, whatever the service's are; moto gives them to boto3 as they are.

    (AWS Step Functions Developer Guide, "Learning to use AWS service SDK integrations".)
    """
    if task.resource.api_name != "sfn":
        _CALL_SDK(task, env=env, **call)
        return
    lower = {f"{name[0].lower()}{name[1:]}": value for name, value in call.pop("normalised_parameters").items()}
    _CALL_SDK(task, env=env, normalised_parameters=lower, **call)
    answer = json.loads(json.dumps(env.stack.pop(), default=lambda time: time.isoformat()))
    env.stack.append({f"{name[0].upper()}{name[1:]}": value for name, value in answer.items()})


@contextmanager
def interpreter() -> Iterator[None]:
    """Moto with its Step Functions interpreter on, JSONata in its hook, and no real waiting between retries."""
    with (
        mock_aws(config={"stepfunctions": {"execute_state_machine": True}}),
        patch.object(AmazonStateLanguageParser, "parse", parse_once),
        patch(f"{_ASL}.component.common.string.string_expression.eval_jsonata_expression", evaluate_jsonata),
        patch(f"{_ASL}.jsonata.validations.eval_jsonata_expression", evaluate_jsonata),
        patch(f"{_ASL}.eval.states.encode_jsonata_variable_declarations", encode_variables),
        patch(f"{_ASL}.eval.variable_store.encode_jsonata_variable_declarations", encode_variables),
        patch(f"{_ASL}.component.common.retry.retrier_decl.time"),
        patch(_TASK_THREADS, SimpleNamespace(Event=TaskEnd, Thread=threading.Thread)),
        patch.object(StateTaskServiceAwsSdk, "_eval_service_task", call_by_names_of_the_sdk),
        patch.object(CallbackEndpoint, "setup_heartbeat_endpoint", set_up_heartbeat),
    ):
        yield


def run(
    script: dict[str, list[Answer]],
    execution_input: dict[str, Any],
    meanwhile: Callable[[], object] = lambda: None,
    text: str = DEFINITION,
) -> Run:
    """Run a definition; each function answers by its script, its last answer for ever.

    Waits are noted, not waited. `meanwhile` is called again and again until the execution ends.
    """
    script = {name: list(answers) for name, answers in script.items()}
    waits: list[int] = []
    over = threading.Event()
    while callbacks_awaited.acquire(blocking=False):
        pass  # of a run before, whose queue nobody read
    payloads: dict[str, list[dict[str, Any]]] = {name: [] for name in FUNCTIONS}

    def invoke(parameters: dict[str, Any], **_: object) -> dict[str, Any]:
        name = parameters["FunctionName"].rpartition(":")[2]
        payloads[name].append(json.loads(parameters["Payload"]))
        answers = script[name]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Hangs):
            TaskEnd.latest.time_is_over()
            over.wait()
        if isinstance(answer, Throttled):
            code = {"Code": "TooManyRequestsException", "Message": "Rate Exceeded."}
            response: Any = {"Error": code, "ResponseMetadata": {"HTTPStatusCode": 429, "RequestId": "-"}}
            raise ClientError(response, "Invoke")
        if isinstance(answer, Fails):
            payload = {"errorType": answer.error, "errorMessage": answer.text, "stackTrace": []}
            return {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": payload}
        return {"StatusCode": 200, "Payload": answer if isinstance(answer, dict) else {}}

    sfn = boto3.client("stepfunctions", region_name=REGION)
    sns = boto3.client("sns", region_name=REGION)
    sqs = boto3.client("sqs", region_name=REGION)
    topic = sns.create_topic(Name="operators")["TopicArn"]
    queue = sqs.create_queue(QueueName="alerts")["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:123456789012:alerts")
    machine = sfn.create_state_machine(
        name="email", definition=definition(text), roleArn="arn:aws:iam::123456789012:role/workflow"
    )["stateMachineArn"]
    with patch(_LAMBDA, invoke), patch(_WAIT, lambda _state, env, wait_seconds: waits.append(wait_seconds)):
        arn = sfn.start_execution(stateMachineArn=machine, name="sample", input=json.dumps(execution_input))[
            "executionArn"
        ]
        _wait(arn, meanwhile)
    execution = sfn.describe_execution(executionArn=arn)
    pages = sfn.get_paginator("get_execution_history").paginate(executionArn=arn)
    events = [event for page in pages for event in page["events"]]
    over.set()
    messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    return Run(
        status=execution["status"],
        output=json.loads(execution.get("output") or "{}"),
        timeline=timeline([dict(event) for event in events]),
        payloads=payloads,
        alerts=[json.loads(message["Body"]) for message in messages],
        waits=waits,
    )


@contextmanager
def service_failing(operation: str, *, times: int) -> Iterator[None]:
    """An operation of AWS's that fails so many times, then succeeds."""
    call = BaseClient._make_api_call  # type: ignore[attr-defined]
    left = [times]

    def fail(client: BaseClient, name: str, arguments: Any) -> Any:
        if name == operation and left[0]:
            left[0] -= 1
            fault: Any = {
                "Error": {"Code": "SlowDown", "Message": "-"},
                "ResponseMetadata": {"HTTPStatusCode": 503, "RequestId": "-"},
            }
            raise ClientError(fault, name)
        return call(client, name, arguments)

    with patch.object(BaseClient, "_make_api_call", fail):
        yield


def put_raw_message(key: str, body: bytes) -> None:
    """Store a raw message where QuarantineEmail finds it."""
    s3 = boto3.client("s3", region_name=REGION)
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key=key, Body=body)


def _wait(execution_arn: str, meanwhile: Callable[[], object]) -> None:
    """Wait for the end by moto's own record: a request for each look took as much CPU as the execution."""
    execution = stepfunctions_parser_backends[ACCOUNT_ID][REGION].describe_execution(execution_arn)
    deadline = time.monotonic() + 240
    while execution.status == "RUNNING":
        if time.monotonic() > deadline:
            raise TimeoutError("the execution did not end")
        meanwhile()
        time.sleep(0.01)
