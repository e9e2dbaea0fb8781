"""Threads: one conversation has one id, and an application sees only what its sender took part in."""

import json
import time
from pathlib import Path
from typing import Any

import boto3
import pytest

from mailstep import limits, routes
from mailstep.aws import threads
from mailstep.contracts import Answer, Message
from mailstep.parse import handler as parse_handler
from mailstep.parse.message import parse
from mailstep.process import handler as process_handler
from mailstep.reply import handler as reply_handler
from mailstep.testing import receive
from mailstep.validate import handler as validate_handler
from tests.support.events import BUCKET, CONTEXT, REGION, event, stored_order
from tests.support.messages import EMAIL, stored

ORDER = "From: ann@shop.example\r\nMessage-ID: <1@shop.example>\r\nSubject: Order\r\n\r\nHello\r\n"
SES_ID = "0100018f2b-6f1c-4c3e-000000"
"""The id that SES gives to our reply; it becomes the reply's Message-ID."""


def read(fields: str, known: dict[str, str] | None = None, email_id: str = "m") -> Message:
    raw = f"From: ann@shop.example\r\n{fields}\r\nx\r\n".encode()
    email = EMAIL.model_copy(update={"email_id": email_id})
    return parse(raw, email, lambda _key, _content: None, find_thread=(known or {}).get)


def thread(fields: str, known: dict[str, str] | None = None) -> str:
    return read(fields, known).thread_id


FIRST = thread("Message-ID: <1@shop.example>\r\n")


@pytest.mark.parametrize(
    "fields",
    [
        "Message-ID: <2@shop.example>\r\nReferences: <1@shop.example>\r\n",
        "Message-ID: <2@shop.example>\r\nIn-Reply-To: <1@shop.example>\r\n",
        "References: <1@shop.example>\r\n <2@shop.example>\r\nIn-Reply-To: <2@shop.example>\r\n",
        f"Message-ID: <3@x.example>\r\nReferences: <1@shop.example> <{SES_ID}@email.amazonses.com>\r\n",
    ],
)
def test_answers_and_what_answers_them_are_one_thread(fields: str) -> None:
    assert thread(fields) == FIRST


def test_an_answer_to_our_reply_is_in_the_thread_though_it_names_the_reply_alone() -> None:
    """Amazon SES Developer Guide: SES replaces the Message-ID; in each Region it has another domain."""
    for domain in ("email.amazonses.com", "eu-central-1.amazonses.com"):
        for name in ("In-Reply-To", "References"):
            fields = f"Message-ID: <2@shop.example>\r\n{name}: <{SES_ID}@{domain}>\r\n"
            assert thread(fields, {SES_ID: FIRST}) == FIRST
            assert thread(fields) != FIRST
    # Only SES's Message-ID names a reply of ours.
    assert thread(f"In-Reply-To: <{SES_ID}@evil.example>\r\n", {SES_ID: FIRST}) != FIRST


def test_our_reply_carries_what_the_next_message_needs() -> None:
    """A client copies the References of what it answers, and adds its Message-ID (RFC 5322 section 3.6.4)."""
    email = receive(ORDER.encode())
    reply = email.reply(Answer(text="Thank you."))
    fields = f"References: {reply['References']} <{SES_ID}@email.amazonses.com>\r\nMessage-ID: <9@shop.example>\r\n"
    assert thread(fields) == email.message.thread_id == FIRST


def test_other_messages_are_other_threads() -> None:
    other = [
        "Message-ID: <2@shop.example>\r\n",
        "Message-ID: <1@SHOP.example>\r\n",
        "References: <0@shop.example> <1@shop.example>\r\n",
    ]
    found = {FIRST, *map(thread, other)}
    assert len(found) == 4
    assert all(len(one) == 24 and one.isalnum() for one in found)
    assert read("Subject: x\r\n", email_id="a").thread_id != read("Subject: x\r\n", email_id="b").thread_id


def test_ten_thousand_references_keep_the_thread() -> None:
    many = " ".join(f"<{number}@x.example>" for number in range(2, 10_002))
    found = read(f"Message-ID: <z@shop.example>\r\nReferences: <1@shop.example> {many}\r\n")
    assert found.thread_id == FIRST
    # RFC 5322 has no limit; docs/policy.md calls over 100 a loop, so one more is kept.
    assert len(found.references) == 101


# ---- The records, on the ledger's own table ----


def email(number: int, sender: str = "ann@shop.example", first: str = "<1@shop.example>", at: int = 0) -> Message:
    message = stored(f"From: {sender}\nMessage-ID: <{number}@x.example>\nReferences: {first}\n\nx\n")
    when = message.received
    assert when
    return message.model_copy(
        update={
            "email_id": f"email-{number}",
            "received": when.fromtimestamp(1_800_000_000 + (at or number), when.tzinfo),
        }
    )


def ids(found: tuple[Any, ...]) -> list[str]:
    return [one.email_id for one in found]


@pytest.mark.usefixtures("ledger_table")
class TestRecords:
    def test_an_email_gets_the_earlier_ones_of_its_sender_the_newest_last(self) -> None:
        assert threads.join(email(1)) == ()
        assert ids(threads.join(email(2, "Ann+x@Shop.example"))) == ["email-1"]
        assert ids(threads.join(email(3))) == ["email-1", "email-2"]
        # A retry or a replay, and one that was processed late.
        assert ids(threads.join(email(2))) == ["email-1"]
        assert ids(threads.join(email(9, at=2))) == ["email-1", "email-2"]

    def test_forged_references_show_nothing_of_another_senders_thread(self) -> None:
        threads.join(email(1))
        assert threads.join(email(2, "eve@evil.example")) == ()
        # Nor does she get into the thread of the other.
        assert ids(threads.join(email(3))) == ["email-1"]

    def test_another_route_and_another_thread_are_apart(self) -> None:
        threads.join(email(1))
        assert threads.join(email(2).model_copy(update={"route": "tickets"})) == ()
        assert threads.join(email(3, first="<other@shop.example>")) == ()

    def test_a_thread_has_the_newest_emails_only(self) -> None:
        for number in range(1, limits.THREAD_EMAILS + 10):
            found = ids(threads.join(email(number)))
            assert len(found) <= limits.THREAD_EMAILS
        assert found[-1] == f"email-{limits.THREAD_EMAILS + 8}"
        [item] = [
            item
            for item in boto3.client("dynamodb", region_name=REGION).scan(TableName="ledger")["Items"]
            if item["id"]["S"].startswith("thread#")
        ]
        assert sum(name.startswith("email ") for name in item) <= limits.THREAD_EMAILS
        assert "shop.example" not in json.dumps(item)

    def test_what_was_sent_stands_beside_its_email_once(self) -> None:
        first = email(1)
        threads.join(first)
        for key in ("answers/email-1.json", "answers/email-1/shipped.json", "answers/email-1.json"):
            threads.record_answer(first, key)
        threads.join(first)
        [earlier] = threads.join(email(2))
        assert earlier.message_key == "parsed/email-1/message.json"
        assert earlier.answer_keys == ("answers/email-1.json", "answers/email-1/shipped.json")
        for number in range(10):
            threads.record_answer(first, f"answers/email-1/n{number}.json")
        [earlier] = threads.join(email(2))
        assert len(earlier.answer_keys) == limits.THREAD_ANSWERS
        # Of an email that the thread does not have.
        threads.record_answer(email(7), "answers/email-7.json")
        assert ids(threads.join(email(8))) == ["email-1", "email-2"]

    def test_the_thread_of_a_reply_is_known_until_it_expires(self, monkeypatch: pytest.MonkeyPatch) -> None:
        threads.record_reply(SES_ID, read("Message-ID: <1@shop.example>\r\n"))
        assert threads.thread_of_reply(SES_ID) == FIRST
        threads.record_reply("with-domain@email.amazonses.com", read("Message-ID: <1@shop.example>\r\n"))
        assert threads.thread_of_reply("with-domain") == FIRST
        assert threads.thread_of_reply("another") is None
        later = time.time() + 101 * 24 * 3600
        monkeypatch.setattr(time, "time", lambda: later)
        assert threads.thread_of_reply(SES_ID) is None


@pytest.mark.usefixtures("account")
def test_the_steps_hand_the_thread_from_email_to_email(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "routes.toml").write_text("[routes.orders]\nthread = true\n")
    monkeypatch.setattr(routes, "ROUTES_FILE", tmp_path / "routes.toml")

    def handled(key: str) -> tuple[dict[str, Any], str]:
        """What the application is told of the thread, and SES's id of the reply."""
        stored_email = event("parse") | {"email_id": key, "key": f"inbound/orders/{key}", "version_id": None}
        claim = parse_handler.handler(stored_email, CONTEXT)
        claim = validate_handler.handler({"claim": claim, "execution_arn": f"arn:{key}"}, CONTEXT)
        done = process_handler.handler({"claim": claim, "idempotency_key": key}, CONTEXT)
        request = {"execution_name": key, "claim": claim, "kind": "answer", "answer_key": done["answer_key"]}
        return claim, reply_handler.handler(request, CONTEXT)["ses_message_id"]

    s3 = boto3.client("s3", region_name=REGION)
    first, ses_message_id = handled("sample-order")
    assert first["thread"] == []
    raw = stored_order().replace(b"Message-ID: <4711.stored@shop.example>", b"Message-ID: <2@shop.example>")
    named = f"In-Reply-To: <{ses_message_id}@email.amazonses.com>\r\nFrom:".encode()
    s3.put_object(Bucket=BUCKET, Key="inbound/orders/second", Body=raw.replace(b"From:", named, 1))
    second, _ = handled("second")
    assert second["thread"] == [
        {
            "email_id": "sample-order",
            "message_key": "parsed/sample-order/message.json",
            "answer_keys": ["answers/sample-order.json"],
        }
    ]
