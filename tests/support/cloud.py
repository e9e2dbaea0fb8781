"""The deployed stack from outside: who mails it, what it asks, and what is changed around it for a while.

Over 300 lines, because what one test changes in the shared account, another must find changed back in the same way.
"""

import base64
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from mailstep.aws.message_index import MessageIndex
from mailstep.contracts import StoredEmail
from mailstep.start.identity import stored_email
from mailstep_cli import demo
from mailstep_cli.smtp_client import MessageFile, read_message_file
from mailstep_local.account import Account
from mailstep_local.cloud import LocalCloud
from mailstep_local.deployment import RECEIVING_STACK
from tests.support.project import EMAILS


@dataclass
class Desk:
    """Sends messages and waits for what becomes of them."""

    cloud: LocalCloud

    def send(self, *names: str, route: str | None = None, directory: Path = EMAILS) -> list[demo.Result]:
        return self.follow([read_message_file(directory / name) for name in names], route=route)

    def follow(self, files: list[MessageFile], route: str | None = None) -> list[demo.Result]:
        self.forget_deliveries()
        return demo.run(self.cloud, files, route=route, timeout=90)

    def forget_deliveries(self) -> None:
        """Let a sample be sent again, as a day would: it would be a duplicate, or one too many in this hour."""
        dynamodb, table = self.cloud.account.client("dynamodb"), self.cloud.outputs["LedgerTableName"]
        for page in dynamodb.get_paginator("scan").paginate(TableName=table, ProjectionExpression="id"):
            for item in page["Items"]:
                if item["id"]["S"].startswith(("duplicate#", "replies#", "domain#")):
                    dynamodb.delete_item(TableName=table, Key={"id": item["id"]})

    def invoke(self, logical_id: str, event: object) -> tuple[str | None, Any]:
        """A function's answer to a direct call: the error's kind, if any, and the payload."""
        answer = self.cloud.account.client("lambda").invoke(
            FunctionName=self.cloud.functions[logical_id], Payload=json.dumps(event)
        )
        return answer.get("FunctionError"), json.loads(answer["Payload"].read())

    def store(self, email: StoredEmail, raw: bytes) -> StoredEmail:
        """Put a raw message where SES would; answer it with the version that it got, its execution ended."""
        self.forget_deliveries()
        put = self.cloud.account.client("s3").put_object(Bucket=email.bucket, Key=email.key, Body=raw)
        assert eventually(lambda: email.email_id in self.executions(email.email_id, "SUCCEEDED"))
        self.forget_deliveries()
        return email.model_copy(update={"version_id": put["VersionId"]})

    def log_lines(self, pattern: str = "", *, since: float = 0) -> list[str]:
        """What the functions have logged; the emulation answers 10,000 lines at most."""
        pages = self.cloud.account.client("logs").get_paginator("filter_log_events")
        found = pages.paginate(
            logGroupName=self.cloud.outputs["FunctionLogsName"], filterPattern=pattern, startTime=int(since * 1000)
        )
        return [event["message"] for page in found for event in page["events"]]

    def metrics(self, name: str, *, since: float = 0) -> list[dict[str, Any]]:
        """What the functions counted under a name, in the embedded metric format of CloudWatch."""
        return [said for line in self.log_lines(name, since=since) if "_aws" in (said := json.loads(line))]

    def executions(self, name_prefix: str, status: str | None = None) -> list[str]:
        pages = self.cloud.account.client("stepfunctions").get_paginator("list_executions")
        which = {"statusFilter": status} if status else {}
        found = pages.paginate(stateMachineArn=self.cloud.outputs["StateMachineArn"], **which)
        return [e["name"] for page in found for e in page["executions"] if e["name"].startswith(name_prefix)]


def eventually[T](ask: Callable[[], T], *, seconds: float = 90, every: float = 0.1) -> T:
    """Ask until the answer is truthy."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()) and time.monotonic() < deadline:
        time.sleep(every)
    return answer


def ended(cloud: LocalCloud, arn: str, *, seconds: float = 180) -> Any:
    """The execution, once it has ended."""
    sfn = cloud.account.client("stepfunctions")

    def found() -> Any:
        try:
            described = sfn.describe_execution(executionArn=arn)
        except sfn.exceptions.ExecutionDoesNotExist:
            return None
        return described if described["status"] != "RUNNING" else None

    return eventually(found, seconds=seconds)


def heard_of(alerts: Callable[[], list[str]], *words: str) -> bool:
    """Whether a notification with these words comes. Those of what another test did may come before it."""

    def about(found: list[str]) -> bool:
        return any(all(word in one for word in words) for one in found)

    return about(gathered(alerts, about, seconds=60))


def gathered(ask: Callable[[], list[str]], enough: Callable[[list[str]], bool], *, seconds: float = 25) -> list[str]:
    """What a queue gives until it is enough, or the time is up; within the time that it hides what it gave."""
    found: list[str] = []

    def more() -> bool:
        found.extend(ask())
        return enough(found)

    eventually(more, seconds=seconds)
    return found


def processes_of(cloud: LocalCloud, function: str) -> list[Path]:
    """The /proc entries of a function's environments in this cloud, and in no other on this machine."""
    own = {f"AWS_LAMBDA_FUNCTION_NAME={function}".encode(), f"AWS_ENDPOINT_URL={cloud.account.endpoint}".encode()}
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if own <= set((process / "environ").read_bytes().split(b"\0")):
                found.append(process)
    return found


def kill(cloud: LocalCloud, function: str) -> None:
    """Kill the processes of a function of this cloud, as a host that goes away does."""
    for process in processes_of(cloud, function):
        with suppress(OSError):
            os.kill(int(process.name), signal.SIGKILL)


OLD_SECRET, NEW_SECRET = (f"whsec_{base64.b64encode(octet * 32).decode()}" for octet in (b"o", b"n"))
"""The secret of the application, before and after its rotation (Standard Webhooks)."""

# Status, body, and header fields beside or instead of our own. A body in pieces needs its length among them.
Answer = tuple[int, bytes] | tuple[int, bytes | Iterable[bytes], dict[str, str]]


@dataclass
class Application:
    """An HTTP service that answers by a script; its last answer for ever."""

    url: str
    requests: list[dict[str, Any]] = field(default_factory=list)
    answers: list[Callable[[], Answer]] = field(default_factory=list)

    def answer(self) -> Answer:
        chosen = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return chosen()

    def says(self, *answers: Answer) -> None:
        """From now on, these answers, the last one for ever."""
        self.requests.clear()
        self.answers = [lambda answer=answer: answer for answer in answers]  # type: ignore[misc]


@contextmanager
def answering(cloud: LocalCloud) -> Iterator[Application]:
    """Serve an application, as the parameter ApplicationUrl would name it, for the route `application`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            service.requests.append({"headers": dict(self.headers), "body": json.loads(body), "raw": body})
            status, answer, *fields = service.answer()
            self.send_response(status)
            pieces = [answer] if isinstance(answer, bytes) else answer
            length = {"Content-Length": str(len(answer))} if isinstance(answer, bytes) else {}
            for name, value in {**length, **(fields[0] if fields else {})}.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(OSError):
                for piece in pieces:
                    self.wfile.write(piece)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    service = Application(f"http://127.0.0.1:{server.server_address[1]}/")
    with function_configuration(cloud, "ProcessFunction", variables={"APPLICATION_URL": service.url}):
        yield service
    server.shutdown()
    server.server_close()


def put(cloud: LocalCloud, name: str, raw: bytes, route: str = "orders") -> StoredEmail:
    """A raw message where SES would put it."""
    key = f"inbound/{route}/{name}"
    version = cloud.account.client("s3").put_object(Bucket=cloud.outputs["MailBucketName"], Key=key, Body=raw)
    email = stored_email(cloud.outputs["MailBucketName"], key, version["VersionId"])
    assert email
    return email


def index_of(cloud: LocalCloud) -> MessageIndex:
    """The index of messages, as an operator's command opens it."""
    return MessageIndex(cloud.outputs["MessageIndexName"], 15, cloud.account.client("dynamodb"))


def signed(account: Account, method: str, path: str, body: object) -> AWSRequest:
    """A request to the local account's own pages, signed with root's credentials."""
    request = AWSRequest(method, f"{account.endpoint}{path}", data=json.dumps(body))
    credentials = Credentials(account.access_key_id, account.secret_access_key)
    SigV4Auth(credentials, "ministack", account.region).add_auth(request)
    return request


@contextmanager
def hurried(cloud: LocalCloud, scale: float) -> Iterator[None]:
    """Waits and retries of the workflow take that part of their time."""

    def set_scale(value: float) -> None:
        request = signed(cloud.account, "POST", "/_ministack/config", {"stepfunctions._SFN_WAIT_SCALE": value})
        answer = urllib3.request("POST", str(request.url), body=request.data, headers=dict(request.headers))
        assert answer.status == 200, answer.data

    set_scale(scale)
    try:
        yield
    finally:
        set_scale(1)


class function_configuration:  # noqa: N801 - a context manager that reads as what it changes
    """A function's configuration changed for a while."""

    def __init__(
        self, cloud: LocalCloud, logical_id: str, *, timeout: int | None = None, variables: dict[str, str] | None = None
    ) -> None:
        self._lambda, self._name = cloud.account.client("lambda"), cloud.functions[logical_id]
        self._timeout, self._variables = timeout, variables or {}

    def __enter__(self) -> None:
        self._before = self._lambda.get_function_configuration(FunctionName=self._name)
        self._configure(self._timeout or self._before["Timeout"], self._variables)

    def __exit__(self, *_: object) -> None:
        self._configure(self._before["Timeout"], {})

    def _configure(self, timeout: int, variables: dict[str, str]) -> None:
        declared = self._before["Environment"]["Variables"]
        self._lambda.update_function_configuration(
            FunctionName=self._name, Timeout=timeout, Environment={"Variables": declared | variables}
        )


def failed_order(desk: Desk, application: Application) -> demo.Result:
    """An order whose execution failed, because the application's answer was not one."""
    application.says((200, b"nonsense"))
    [failed] = desk.send("order.eml", route="application")
    assert failed.status == "FAILED"
    return failed


def in_background(desk: Desk) -> tuple[threading.Thread, list[demo.Result]]:
    results: list[demo.Result] = []
    thread = threading.Thread(target=lambda: results.extend(desk.send("note.eml", route="tickets")))
    thread.start()
    return thread, results


def outbox_about(cloud: LocalCloud, text: str) -> list[Path]:
    return [path for path in cloud.outbox.glob("*.eml") if text in path.read_text()]


def subscribe(cloud: LocalCloud, topic: str, name: str) -> Callable[[], list[str]]:
    """A queue of ours on the operators' topic; the answer reads what has come."""
    sqs = cloud.account.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    cloud.account.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return lambda: [m["Body"] for m in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])]


def reply_of(result: demo.Result) -> EmailMessage:
    assert result.reply, result
    return message_from_bytes(result.reply.read_bytes(), _class=EmailMessage, policy=policy.default)


def body(reply: EmailMessage, kind: str) -> str:
    part = reply.get_body((kind,))
    assert part is not None
    text: str = part.get_content()
    return text


def execution_arn(cloud: LocalCloud, name: str) -> str:
    """The ARN of the execution of that name."""
    return f"{cloud.outputs['StateMachineArn'].replace(':stateMachine:', ':execution:')}:{name}"


def physical_id(cloud: LocalCloud, logical_id: str) -> str:
    detail = cloud.account.client("cloudformation").describe_stack_resource(
        StackName=RECEIVING_STACK, LogicalResourceId=logical_id
    )
    name: str = detail["StackResourceDetail"]["PhysicalResourceId"]
    return name


@contextmanager
def role_without(cloud: LocalCloud, name: str, action: str) -> Iterator[None]:
    """A role with one action taken out of its policy."""
    iam = cloud.account.client("iam")
    [policy] = iam.list_role_policies(RoleName=name)["PolicyNames"]
    document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
    poorer = json.loads(json.dumps(document))
    taken = 0
    for statement in poorer["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        taken += action in actions
        statement["Action"] = [kept for kept in actions if kept != action] or ["none:Nothing"]
    assert taken == 1, f"{name} does not have {action} exactly once"
    iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(poorer))
    try:
        yield
    finally:
        iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(document))


@contextmanager
def not_polled(cloud: LocalCloud) -> Iterator[None]:
    """The inbound queue without its event source."""
    functions = cloud.account.client("lambda")
    [mapping] = functions.list_event_source_mappings(FunctionName=cloud.functions["StartFunction"])[
        "EventSourceMappings"
    ]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    try:
        yield
    finally:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)
