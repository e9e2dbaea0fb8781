"""The policy on the deployed stack: each rule by one message, refused with its code, told or silent; and a flood."""

import json
import smtplib
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from email.utils import make_msgid
from pathlib import Path

import pytest

from mailstep.routes import Route
from mailstep_cli import demo
from mailstep_cli.message_files import parse_file
from mailstep_cli.smtp_client import MessageFile
from mailstep_local.cloud import LocalCloud
from tests.support.archives import BOMBS
from tests.support.cloud import Desk, eventually


def mail(sender: str = "ann@shop.example", attach: tuple[str, str, bytes] | None = None, **fields: str) -> EmailMessage:
    message = EmailMessage()
    for name, value in ({"From": sender, "Subject": "Hello", "Message-ID": make_msgid()} | fields).items():
        message[name.replace("_", "-")] = value
    message.set_content("Hello")
    if attach:
        name, kind, content = attach
        message.add_attachment(content, *kind.split("/"), filename=name)
    return message


# What each message breaks; the told ones reach the sender.
MESSAGES: dict[str, Callable[[], EmailMessage]] = {
    "virus": lambda: mail("a@virus.simulator.example"),
    "spam": lambda: mail("a@spam.simulator.example"),
    "unauthenticated": lambda: mail("a@spf.dkim.dmarc.simulator.example"),
    "unanswerable_sender": lambda: mail("a..b@shop.example"),
    "automatic_mail": lambda: mail(Auto_Submitted="auto-replied"),
    "own_address": lambda: mail(X_Mailstep_Email_Id="abc"),
    "attachment_type": lambda: mail(attach=("a.exe", "application/octet-stream", b"MZ")),
    "archive_bomb": lambda: mail(attach=("a.zip", "application/zip", BOMBS["too much"]())),
}


@pytest.fixture(scope="module")
def results(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> dict[str, demo.Result]:
    files = [file(tmp_path_factory.mktemp("mail") / f"{code}.eml", made()) for code, made in MESSAGES.items()]
    return {result.file.stem: result for result in desk.follow(files, route="orders")}


def file(path: Path, message: EmailMessage) -> MessageFile:
    path.write_bytes(message.as_bytes())
    return MessageFile(path, path.read_bytes(), parse_file(path))


@pytest.mark.parametrize("code", MESSAGES)
def test_a_rule_refuses_a_real_message_with_its_code(results: dict[str, demo.Result], code: str) -> None:
    told = code in {"attachment_type", "archive_bomb"}
    result = results[code]
    assert (result.status, result.outcome, result.reason) == ("SUCCEEDED", "refused" if told else "silent", code)
    assert (result.reply is not None) == told


@pytest.mark.parametrize("failing", ["spf", "dkim", "dmarc", "spf.dkim", "spf.dmarc", "dkim.dmarc"])
def test_one_proof_of_the_sender_is_enough(desk: Desk, tmp_path: Path, failing: str) -> None:
    [result] = desk.follow([file(tmp_path / "a.eml", mail(f"a@{failing}.simulator.example"))], route="orders")
    assert (result.outcome, result.reason) == ("replied", None)


def test_the_same_message_delivered_twice_is_answered_once(desk: Desk, tmp_path: Path) -> None:
    twice = file(tmp_path / "a.eml", mail())
    first, second = demo.run(desk.cloud, [twice, twice], route="orders", timeout=60)
    assert {first.outcome, second.outcome} == {"replied", "silent"}
    assert "duplicate_message" in {first.reason, second.reason}


def test_each_refusal_is_counted_by_its_reason(desk: Desk, results: dict[str, demo.Result]) -> None:
    def counted() -> set[str]:
        return {said["reason"] for said in desk.metrics("EmailsRefused")}

    assert eventually(lambda: counted() >= set(results))


@pytest.mark.slow
@pytest.mark.parametrize("flood", [120, pytest.param(1_000, marks=[pytest.mark.soak, pytest.mark.timeout(900)])])
def test_a_flood_from_one_sender_is_answered_up_to_the_bound_and_every_message_is_accounted_for(
    cloud: LocalCloud, desk: Desk, flood: int
) -> None:
    sender, began = f"flood-{flood}@shop.example", time.time()

    def send(numbers: range) -> list[str]:
        with smtplib.SMTP("127.0.0.1", cloud.smtp_port, timeout=60) as smtp:
            smtp.ehlo()
            ids = []
            for _ in numbers:
                smtp.mail(sender)
                smtp.rcpt("orders@mailstep.example")
                ids.append(smtp.data(mail(sender).as_bytes())[1].decode().rpartition(" ")[2])
            return ids

    with ThreadPoolExecutor(4) as pool:
        sent = {one for ids in pool.map(send, [range(flood // 4)] * 4) for one in ids}
    sfn = cloud.account.client("stepfunctions")

    def executions(status: str) -> set[str]:
        pages = sfn.get_paginator("list_executions").paginate(
            stateMachineArn=cloud.outputs["StateMachineArn"], statusFilter=status
        )
        return {e["executionArn"] for page in pages for e in page["executions"] if e["name"][:40] in sent}

    ended = eventually(lambda: found if len(found := executions("SUCCEEDED")) == flood else None, seconds=600, every=5)
    assert ended, (len(executions("SUCCEEDED")), len(executions("RUNNING")), len(executions("FAILED")))
    said = [json.loads(sfn.describe_execution(executionArn=arn)["output"]) for arn in ended]
    outcomes = Counter((one["outcome"], one["reason"]) for one in said)
    assert sum(outcomes.values()) == flood
    assert set(outcomes) == {("replied", None), ("silent", "too_many_replies")}
    assert outcomes["replied", None] == Route().replies_an_hour
    counted = [*desk.metrics("EmailsAccepted", since=began), *desk.metrics("EmailsRefused", since=began)]
    assert Counter(line.get("reason") for line in counted) == {
        None: outcomes["replied", None],
        "too_many_replies": outcomes["silent", "too_many_replies"],
    }
