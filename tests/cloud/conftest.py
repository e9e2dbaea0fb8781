"""One local cloud for the whole run, and an application for its route `application`."""

import json
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from mailstep.contracts import StoredEmail
from mailstep_cli import demo
from mailstep_cli.smtp_client import MessageFile, read_message_file
from mailstep_local.account import Account
from mailstep_local.cloud import LocalCloud, running
from tests.conftest import EMAILS, EVENTS


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with running(tmp_path_factory.mktemp("cloud") / "run") as started:
        yield started


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
                if item["id"]["S"].startswith(("duplicate#", "hour#")):
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


@pytest.fixture(scope="session")
def desk(cloud: LocalCloud) -> Desk:
    return Desk(cloud)


def stored_order() -> bytes:
    """events/stored-order.eml as SES would store it now: what was received days ago is stale (policy.py)."""
    sample = (EVENTS / "stored-order.eml").read_bytes()
    then = re.search(rb"for orders@mailstep.example;\r?\n (.*)", sample)
    assert then
    return sample.replace(then[1].rstrip(), formatdate().encode())


def eventually[T](ask: Callable[[], T], *, seconds: float = 30, every: float = 0.1) -> T:
    """Ask until the answer is truthy."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()) and time.monotonic() < deadline:
        time.sleep(every)
    return answer


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


# Status, body, and header fields beside or instead of our own.
Answer = tuple[int, bytes] | tuple[int, bytes, dict[str, str]]


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


@pytest.fixture
def application(cloud: LocalCloud) -> Iterator[Application]:
    """The application of the route `application`, as the parameter ApplicationUrl would name it."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            service.requests.append({"headers": dict(self.headers), "body": json.loads(body), "raw": body})
            status, answer, *fields = service.answer()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(answer)), **(fields[0] if fields else {})}.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    service = Application(f"http://127.0.0.1:{server.server_address[1]}/")
    with function_configuration(cloud, "ProcessFunction", variables={"APPLICATION_URL": service.url}):
        yield service
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def secret(cloud: LocalCloud) -> str:
    """The ARN of the one secret that ProcessFunction's role may read here, rotated once."""
    manager = cloud.account.client("secretsmanager")
    arn: str = manager.create_secret(Name="mailstep-application", SecretString="old secret")["ARN"]
    manager.put_secret_value(SecretId=arn, SecretString="new secret")
    return arn


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
