"""The example application as its README says, and its consumer on the queue."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from textwrap import dedent

import consumer
import pytest

from mailstep_local.cloud import LocalCloud
from tests.support.cloud import Desk, eventually, in_background, outbox_about
from tests.support.project import MAILSTEP, PROJECT

pytestmark = pytest.mark.xdist_group("deployments")

README = (PROJECT / "examples" / "application" / "README.md").read_text()
UP, SEND = re.findall(r"^\$ ((?:mailstep up|python examples).*)$", README, re.MULTILINE)


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def start(command: str, *more: str) -> subprocess.Popen[str]:
    """A command of the page, by this environment's programs."""
    program, *arguments = command.split()
    programs = {"mailstep": MAILSTEP, "python": sys.executable}
    return subprocess.Popen(
        [programs[program], *arguments, *more],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_the_ten_minute_page_runs_as_pasted(tmp_path: Path) -> None:
    """The endpoint and the commands of docs/applications.md, with packages that are here already."""
    page = (PROJECT / "docs" / "applications.md").read_text()
    code = next(block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "FastAPI()" in block)
    commands = next(
        block for block in re.findall(r"```console\n(.*?)```", page, re.DOTALL) if "--application-url" in block
    )
    (tmp_path / "app.py").write_text(dedent(code))
    make, install, *rest = re.findall(r"^\s*\$ (.*)$", commands, re.MULTILINE)
    assert make == "python3 -m venv env"
    used = set(re.findall(r"^(?:from|import) (\w+)", dedent(code), re.MULTILINE)) - set(sys.stdlib_module_names)
    assert set(install.removeprefix("env/bin/pip install ").split()) == used | {"uvicorn"}
    (tmp_path / "env").symlink_to(sys.prefix)
    script = "\n".join(["trap 'kill $(jobs -p)' EXIT", *rest, 'echo "$APPLICATION_SECRET" >secret'])
    script = script.replace("8000", free_port()).replace("mailstep demo", f"mailstep demo --directory {tmp_path}/run")
    told = subprocess.run(
        ["bash", "-euc", script],
        env=os.environ | {"PATH": f"{Path(MAILSTEP).parent}{os.pathsep}{os.environ['PATH']}"},
        cwd=tmp_path, capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout + told.stderr
    assert "Thank you for Order 4711: spring collection." in told.stdout
    assert (tmp_path / "secret").read_text().strip() not in told.stdout + told.stderr


def test_the_readmes_other_commands_answer_a_mail_of_ones_own(tmp_path: Path) -> None:
    directory = tmp_path / "run"
    port = free_port()
    assert "--smtp-port 2525" in UP
    with start(UP.replace("2525", port), "--directory", str(directory)) as up:
        try:
            assert up.stdout
            assert any("The local account is running" in line for line in up.stdout)
            sent = start(SEND, port)
            assert sent.wait(60) == 0
            replies = eventually(lambda: list((directory / "outbox").glob("*.eml")))
        finally:
            up.terminate()
    reply = message_from_bytes(replies[0].read_bytes(), _class=EmailMessage, policy=policy.default)
    body = reply.get_body(("plain",))
    assert body
    assert "Order 1 has 6 lines" in body.get_content()


@pytest.fixture
def queue(cloud: LocalCloud) -> Iterator[str]:
    """The application's queue, which delivers an item again after a second instead of a minute."""
    sqs, url = cloud.account.client("sqs"), cloud.outputs["ApplicationQueueUrl"]
    [before] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"].values()
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
    yield url
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": before})


def test_the_consumer_answers_refuses_and_leaves_what_fails(
    cloud: LocalCloud, desk: Desk, queue: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("boto3.client", cloud.account.client)

    def fail(_message: object) -> None:
        raise ValueError("a secret of the database")

    thread, results = in_background(desk)
    assert eventually(lambda: consumer.work(queue, fail))
    assert "secret" not in caplog.text
    # It comes again, and nobody was told of the failure.
    assert eventually(lambda: consumer.work(queue, lambda message: {"text": f"Ticket: {message['subject']}"}))
    thread.join()
    assert results[0].reply
    assert "Ticket: " in results[0].reply.read_text()
    assert len(outbox_about(cloud, "a secret of the database")) == 0

    def refuse(_message: object) -> None:
        raise consumer.Refused("No such ticket.")

    thread, results = in_background(desk)
    assert eventually(lambda: consumer.work(queue, refuse))
    thread.join()
    assert results[0].outcome == "refused"
    assert results[0].reply
    assert "No such ticket." in results[0].reply.read_text()


def test_the_consumer_runs_by_itself_and_ends_when_it_is_stopped(cloud: LocalCloud, desk: Desk, queue: str) -> None:
    thread, results = in_background(desk)
    worker = subprocess.Popen(
        [sys.executable, PROJECT / "examples" / "application" / "consumer.py"],
        env=cloud.account.environment() | {"QUEUE_URL": queue},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        thread.join()
    finally:
        worker.send_signal(signal.SIGTERM)
        _, said = worker.communicate(timeout=60)
    assert (worker.returncode, said) == (0, "")
    assert results[0].reply
    assert "We opened a ticket for" in results[0].reply.read_text()
