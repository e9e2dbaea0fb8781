"""The policy on the deployed stack: each effect and kind of evidence by one message, forged mail, and a flood."""

import json
import smtplib
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from email.utils import make_msgid
from pathlib import Path
from typing import Any

import pytest

from mailstep import keys
from mailstep.route import Route
from mailstep_cli import demo
from mailstep_cli.message_files import parse_file
from mailstep_cli.smtp_client import MessageFile, read_message_file
from mailstep_local.cloud import LocalCloud
from tests.support.archives import BOMBS
from tests.support.cloud import Desk, eventually, execution_arn
from tests.support.project import CASES


def mail(sender: str = "ann@shop.example", attach: tuple[str, str, bytes] | None = None, **fields: str) -> EmailMessage:
    message = EmailMessage()
    for name, value in ({"From": sender, "Subject": "Hello", "Message-ID": make_msgid()} | fields).items():
        message[name.replace("_", "-")] = value
    message.set_content("Hello")
    if attach:
        name, kind, content = attach
        message.add_attachment(content, *kind.split("/"), filename=name)
    return message


PROGRAM = ("a.exe", "application/octet-stream", b"MZ")
# What each message breaks; the told ones reach the sender.
MESSAGES: dict[str, tuple[tuple[str, str | None, str | None], Callable[[], EmailMessage]]] = {
    "virus": (("silent", "virus", None), lambda: mail("a@virus.simulator.example")),
    "spam": (("silent", "spam", None), lambda: mail("a@spam.simulator.example")),
    "unauthenticated": (("silent", "unauthenticated", None), lambda: mail("a@spf.dkim.dmarc.simulator.example")),
    "response": (("silent", "automatic_mail", None), lambda: mail(Auto_Submitted="auto-replied")),
    "own_address": (("silent", "own_address", None), lambda: mail(X_Mailstep_Email_Id="abc")),
    "old_copy": (
        ("silent", "stale_message", None),
        lambda: mail("a@spf.dmarc.simulator.example", Date="Wed, 26 Nov 2025 10:00:00 +0000"),
    ),
    "list": (("processed", None, "automatic_mail"), lambda: mail(List_Id="<news.shop.example>")),
    "unanswerable_sender": (("processed", None, "unanswerable_sender"), lambda: mail("a..b@shop.example")),
    "list_program": (
        ("silent", "attachment_type", "automatic_mail"),
        lambda: mail(List_Id="<news.shop.example>", attach=PROGRAM),
    ),
    "attachment_type": (("refused", "attachment_type", None), lambda: mail(attach=PROGRAM)),
    "archive_bomb": (
        ("refused", "archive_bomb", None),
        lambda: mail(attach=("a.zip", "application/zip", BOMBS["too much"]())),
    ),
}


@pytest.fixture(scope="module")
def results(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> dict[str, demo.Result]:
    files = [file(tmp_path_factory.mktemp("mail") / f"{name}.eml", made()) for name, (_, made) in MESSAGES.items()]
    return {result.file.stem: result for result in desk.follow(files, route="orders")}


def file(path: Path, message: EmailMessage) -> MessageFile:
    path.write_bytes(message.as_bytes())
    return MessageFile(path, path.read_bytes(), parse_file(path))


@pytest.mark.parametrize("name", MESSAGES)
def test_a_real_message_that_breaks_a_rule_ends_with_its_code_and_effect(
    results: dict[str, demo.Result], name: str
) -> None:
    expected, _ = MESSAGES[name]
    result = results[name]
    assert (result.status, (result.outcome, result.reason, result.withheld)) == ("SUCCEEDED", expected)
    assert (result.reply is not None) == (result.outcome == "refused")


# One of each kind of what people's systems send (tests/unit/test_sender_cases.py has all of them).
REPLIED, WITHHELD, REFUSED = (
    ("replied", None, None),
    ("processed", None, "automatic_mail"),
    ("silent", "automatic_mail", None),
)
SENDERS = {
    "senders/csv-and-signature-logo": REPLIED,
    "policy/p14-auto-submitted-no-with-comment": REPLIED,
    "senders/m365-rule-forward": WITHHELD,
    "senders/contact-form-noreply-reply-to": WITHHELD,
    "policy/p10-from-no_reply": WITHHELD,
    "senders/dsn-with-envelope-sender": REFUSED,
    "senders/read-receipt": REFUSED,
    "senders/x-autorespond": REFUSED,
}


def test_what_peoples_systems_send_is_processed_and_replied_to_as_it_should_be(desk: Desk) -> None:
    sent = [read_message_file(CASES / f"{name}.eml") for name in SENDERS]
    ended = {result.file.stem: result for result in desk.follow(sent, route="orders")}
    found = {name: (one.outcome, one.reason, one.withheld) for name, one in ended.items()}
    assert found == {Path(name).name: expected for name, expected in SENDERS.items()}
    assert {name for name, one in ended.items() if one.reply} == {
        Path(name).name for name, expected in SENDERS.items() if expected == REPLIED
    }
    answered = ended["m365-rule-forward"]
    assert answered.execution_arn
    kept = keys.answer(answered.execution_arn.rpartition(":")[2])
    desk.cloud.account.client("s3").head_object(Bucket=desk.cloud.outputs["MailBucketName"], Key=kept)


def delivered(desk: Desk, raw: bytes, *, mail_from: str, helo: str = "mail.simulator.example") -> dict[str, Any]:
    """The output of the execution of a message, sent with this envelope."""
    with smtplib.SMTP("127.0.0.1", desk.cloud.smtp_port, timeout=60) as smtp:
        # smtplib sends no bare CR by itself.
        smtp.send(f"EHLO {helo}\r\n".encode())
        assert smtp.getreply()[0] == 250
        assert smtp.docmd("MAIL", f"FROM:<{mail_from}>")[0] == 250
        smtp.rcpt("orders@mailstep.example")
        ses_message_id = smtp.data(raw)[1].decode().rpartition(" ")[2]
    [name] = eventually(lambda: desk.executions(ses_message_id, "SUCCEEDED"), seconds=60)
    arn = execution_arn(desk.cloud, name)
    said: dict[str, Any] = json.loads(
        desk.cloud.account.client("stepfunctions").describe_execution(executionArn=arn)["output"]
    )
    return said


def test_a_return_path_in_a_subdomain_authenticates_its_author(desk: Desk) -> None:
    """RFC 7489 section 3.1.2: relaxed alignment goes both ways; SPF is all that passes here."""
    raw = (CASES / "senders" / "return-path-in-subdomain.eml").read_bytes()
    for mail_from in ("b@bounces.dkim.dmarc.simulator.example", "b@simulator.example"):
        desk.forget_deliveries()
        assert delivered(desk, raw, mail_from=mail_from)["outcome"] == "replied"
    desk.forget_deliveries()
    assert delivered(desk, raw, mail_from="b@elsewhere.example")["reason"] == "unauthenticated"


VICTIM = "ann@spf-absent.dkim-absent.dmarc-absent.simulator.example"
PASSES = f"x; dkim=pass header.i=@{VICTIM.partition('@')[2]}"
FORGED: dict[str, tuple[str, str, dict[str, str]]] = {
    "HELO": (PASSES, "evil@elsewhere.example", {}),
    "HELO with a bare CR": (PASSES.replace("; ", ";\r "), "evil@elsewhere.example", {}),
    "envelope": ("mail.example", f'"{PASSES}"@elsewhere.example', {}),
    "fields": (
        "mail.example",
        "evil@elsewhere.example",
        {"Authentication-Results": f"amazonses.com; {PASSES[3:]}", "X-SES-Virus-Verdict": "PASS"},
    ),
}


@pytest.mark.parametrize("name", FORGED)
def test_what_a_sender_writes_into_the_block_of_ses_authenticates_nobody(desk: Desk, name: str) -> None:
    """docs/architecture.md, "Trust"; for SES said nothing of SPF, DKIM or DMARC here."""
    helo, mail_from, fields = FORGED[name]
    message = mail(VICTIM)
    for field, value in fields.items():
        message[field] = value
    said = delivered(desk, message.as_bytes(), mail_from=mail_from, helo=helo)
    assert (said["outcome"], said["reason"]) == ("silent", "unauthenticated")


@pytest.mark.parametrize("failing", ["spf", "dkim", "dmarc", "spf.dkim", "spf.dmarc", "dkim.dmarc"])
def test_one_proof_of_the_sender_is_enough(desk: Desk, tmp_path: Path, failing: str) -> None:
    [result] = desk.follow([file(tmp_path / "a.eml", mail(f"a@{failing}.simulator.example"))], route="orders")
    assert (result.outcome, result.reason) == ("replied", None)


def test_the_same_message_delivered_twice_is_answered_once(desk: Desk, tmp_path: Path) -> None:
    twice = file(tmp_path / "a.eml", mail())
    first, second = demo.run(desk.cloud, [twice, twice], route="orders", timeout=60)
    assert {first.outcome, second.outcome} == {"replied", "silent"}
    assert "duplicate_message" in {first.reason, second.reason}


def test_each_refusal_and_each_withheld_reply_is_counted_by_its_reason(
    desk: Desk, results: dict[str, demo.Result]
) -> None:
    def counted(name: str) -> set[str]:
        return {said["reason"] for said in desk.metrics(name)}

    assert eventually(lambda: counted("EmailsRefused") >= {one.reason for one in results.values() if one.reason})
    withheld = {one.withheld for one in results.values() if one.outcome == "processed"}
    assert eventually(lambda: counted("EmailsWithheld") >= withheld)


@pytest.mark.slow
@pytest.mark.parametrize("flood", [120, pytest.param(1_000, marks=[pytest.mark.soak, pytest.mark.timeout(900)])])
def test_a_flood_from_one_sender_is_answered_up_to_the_bound_and_every_message_is_accounted_for(
    cloud: LocalCloud, desk: Desk, flood: int
) -> None:
    """As of an autoresponder that strips every field of ours and answers from `support+<n>@`."""
    began = time.time()

    def send(numbers: range) -> list[str]:
        with smtplib.SMTP("127.0.0.1", cloud.smtp_port, timeout=60) as smtp:
            smtp.ehlo()
            ids = []
            for number in numbers:
                sender = f"flood-{flood}+{number}@shop.example"
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
    outcomes = Counter((one["outcome"], one.get("withheld")) for one in said)
    bound = Route().replies_an_hour
    assert outcomes == {("replied", None): bound, ("processed", "too_many_replies"): flood - bound}
    # A step that is retried counts its message again.
    assert len(desk.metrics("EmailsAccepted", since=began)) >= flood
    assert len(desk.metrics("RepliesBounded", since=began)) >= flood - bound
