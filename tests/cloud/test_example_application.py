"""The example application as its README says, and its consumer on the queue."""

import re
import socket
import subprocess
import sys
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import consumer
import pytest

from mailstep_local.cloud import LocalCloud
from mailstep_local.example import SECRET
from tests.support.cloud import Desk, eventually, in_background
from tests.support.project import MAILSTEP, PROJECT

README = (PROJECT / "examples" / "application" / "README.md").read_text()
DEMO, UP, SEND = re.findall(r"^\$ (?!cd|sam)(.*)$", README, re.MULTILINE)


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


def test_the_readmes_first_command_mails_an_order_and_shows_the_answer(tmp_path: Path) -> None:
    with start(DEMO, "--directory", str(tmp_path / "run")) as demo:
        try:
            said, _ = demo.communicate(timeout=120)
        finally:
            demo.terminate()
    assert demo.returncode == 0, said
    assert "Order 1 has 6 lines; it ships tomorrow." in said
    assert SECRET not in said


def test_the_readmes_other_commands_answer_a_mail_of_ones_own(tmp_path: Path) -> None:
    directory = tmp_path / "run"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    assert "--smtp-port 2525" in UP
    with start(UP.replace("2525", port), "--directory", str(directory)) as up:
        try:
            assert up.stdout
            assert any("The local cloud is running" in line for line in up.stdout)
            sent = start(SEND, port)
            assert sent.wait(60) == 0
            replies = eventually(lambda: list((directory / "outbox").glob("*.eml")))
        finally:
            up.terminate()
    reply = message_from_bytes(replies[0].read_bytes(), _class=EmailMessage, policy=policy.default)
    body = reply.get_body(("plain",))
    assert body
    assert "Order 1 has 6 lines" in body.get_content()


def test_the_consumer_answers_refuses_and_leaves_what_fails(
    cloud: LocalCloud, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:

    monkeypatch.setattr("boto3.client", cloud.account.client)
    url = cloud.outputs["ApplicationQueueUrl"]
    thread, results = in_background(desk)
    assert eventually(lambda: consumer.work(url, lambda message: {"text": f"Ticket: {message['subject']}"}))
    thread.join()
    assert results[0].reply
    assert "Ticket: " in results[0].reply.read_text()

    def refuse(_message: object) -> None:
        raise ValueError("No such ticket.")

    thread, results = in_background(desk)
    assert eventually(lambda: consumer.work(url, refuse))
    thread.join()
    assert results[0].outcome == "refused"
