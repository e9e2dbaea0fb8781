"""The index of messages in the deployed stack: by real events, of executions that really ran."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from mailstep.aws import clients
from mailstep.aws.message_index import By, MessageIndex
from mailstep.index_entry import IndexEntry
from mailstep_cli import demo
from mailstep_cli.smtp_client import read_message_file
from mailstep_local.cloud import LocalCloud
from tests.support.cloud import Application, Desk, eventually, failed_order
from tests.support.project import EMAILS, run


@pytest.fixture
def index(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> MessageIndex:
    for name, value in cloud.account.variables().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    clients.client.cache_clear()
    return MessageIndex(cloud.outputs["MessageIndexName"], 30)


def email_id(result: demo.Result) -> str:
    assert result.execution_arn
    return result.execution_arn.rpartition(":")[2]


def entry_when(index: MessageIndex, result: demo.Result, outcome: str) -> IndexEntry:
    def ended() -> IndexEntry | None:
        found = index.get(email_id(result))
        return found if found and found.outcome == outcome else None

    entry = eventually(ended)
    assert entry, index.get(email_id(result))
    return entry


def test_each_email_is_in_the_index_by_its_sender_once_however_often_its_events_come(
    cloud: LocalCloud, desk: Desk, index: MessageIndex, tmp_path: Path
) -> None:
    (tmp_path / "unreadable.eml").write_bytes(b"\x00\x01 no email")
    messages = [read_message_file(EMAILS / "order.eml"), read_message_file(tmp_path / "unreadable.eml")]
    cloud.deliver_twice.touch()
    try:
        order, unreadable = desk.follow(messages, route="orders")
        found = entry_when(index, order, "replied")
        quarantined = entry_when(index, unreadable, "quarantined")
    finally:
        cloud.deliver_twice.unlink()
    assert order.reply
    assert found.ses_message_ids == (order.reply.stem,)
    assert found.sender
    assert found.time_to_reply_ms is not None
    assert 0 <= found.time_to_reply_ms < 120_000
    assert [one.status for one in found.executions] == ["SUCCEEDED"]
    assert next(index.newest(By.SENDER, found.sender)) == found
    assert (quarantined.sender, bool(quarantined.reason)) == (None, True)
    assert {one.email_id for one in index.newest(By.ROUTE, "orders")} >= {found.email_id, quarantined.email_id}


def test_a_redriven_execution_changes_the_entry_of_its_email(
    cloud: LocalCloud, desk: Desk, application: Application, index: MessageIndex
) -> None:
    failed = failed_order(desk, application)
    found = entry_when(index, failed, "failed")
    assert (found.error, found.executions[0].status) == ("MalformedAnswer", "FAILED")
    application.says((200, b'{"text": "Done."}'))
    cloud.account.client("stepfunctions").redrive_execution(executionArn=failed.execution_arn)
    redriven = entry_when(index, failed, "replied")
    assert [(one.status, one.redrives) for one in redriven.executions] == [("SUCCEEDED", 1)]
    assert redriven.error is None
    assert redriven.started
    assert found.started
    assert redriven.started > found.started


def test_a_bounce_is_in_the_entry_of_the_email_whose_reply_bounced(
    desk: Desk, index: MessageIndex, tmp_path: Path
) -> None:
    order = (EMAILS / "order.eml").read_text().replace("ann@shop.example", "indexed@bounce.simulator.example")
    (tmp_path / "bounces.eml").write_text(order)
    [result] = desk.follow([read_message_file(tmp_path / "bounces.eml")], route="orders")
    assert result.reply

    def feedback() -> list[tuple[str, str | None]]:
        found = index.get(email_id(result))
        return [(one.kind, one.ses_message_id) for one in found.feedback] if found else []

    assert eventually(feedback) == [("Bounce", result.reply.stem)]


def test_a_sweep_finds_what_lost_events_left_out(desk: Desk, index: MessageIndex) -> None:
    results = desk.send("order.eml", "note.eml", route="orders")
    before = {email_id(result): entry_when(index, result, result.outcome) for result in results}
    for one in before:
        index.delete(one)
    error, swept = desk.invoke("SweepFunction", {"hours": 1, "settled_minutes": 0})
    assert error is None, swept
    assert swept["filled"] >= len(before)
    assert {one: index.get(one) for one in before} == before

    def swept_again() -> bool:
        error, again = desk.invoke("SweepFunction", {"hours": 1, "settled_minutes": 0})
        assert error is None, again
        assert again["compared"] >= len(before)
        return bool(again["filled"] == 0)

    # What another test left running may end now.
    assert eventually(swept_again, every=1)


def test_an_operator_sends_lists_and_shows_by_commands_alone(
    cloud: LocalCloud, index: MessageIndex, tmp_path: Path
) -> None:
    order = (EMAILS / "order.eml").read_text().replace("Subject: ", "Subject: \x1b[2J by hand: ", 1)
    (tmp_path / "order.eml").write_text(order.replace("Message-ID: <", "Message-ID: <by-hand-", 1))
    here = cloud.account.variables() | {
        "MAILSTEP_SMTP": f"127.0.0.1:{cloud.smtp_port}", "MAILSTEP_OUTBOX": str(cloud.outbox),
    }  # fmt: skip

    def told(*arguments: str) -> Any:
        ended = run(*arguments, **here)
        assert ended.returncode == 0, ended.stderr
        assert "\x1b" not in ended.stdout
        return json.loads(ended.stdout) if "--json" in arguments else ended.stdout

    email = told("send", str(tmp_path / "order.eml"), "--to", "orders", "--json")["email_id"]
    assert eventually(lambda: (entry := index.get(email)) and entry.outcome == "replied", seconds=60)
    [reply] = told("outbox", email, "--json")
    shown = told("show", reply["ses_message_id"], "--json")
    assert shown["email"]["email_id"] == email
    assert {rule["result"] for rule in shown["rules"]} == {"passes", "not asked"}
    listed = told("list", "--subject", "by hand", "--outcome", "replied", "--since", "1h", "--json")
    assert [entry["email_id"] for entry in listed] == [email]
    assert "SendReply" in told("history", listed[0]["reference"])
