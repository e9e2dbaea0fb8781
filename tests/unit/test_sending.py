"""Sending once: what each kind of reply says, to which sender, from which address, and what is recorded of it."""

import json
import time
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.exceptions import ClientError

from mailstep import reference, routes
from mailstep.aws import ledger, mail_bucket, ses, threads
from mailstep.contracts import Answer, Message, ReplyRequest
from mailstep.errors import ConfigurationError, SendUnconfirmed, TransientError
from mailstep.parse import handler as parse_handler
from mailstep.reply import send_once
from mailstep.reply.handler import handler
from mailstep.route import Route
from mailstep.telemetry import logger
from tests.support.events import BUCKET, CONTEXT, REGION, event

pytestmark = pytest.mark.usefixtures("account")
EMAIL_ID = event("reply")["claim"]["email"]["email_id"]


class Sent:
    """What SES was given, in place of SES; each message with its own id."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.told: list[Message] = []

    def send(self, raw: bytes, **call: Any) -> str:
        self.calls.append(call | {"message": message_from_bytes(raw, policy=default)})
        return f"ses-{len(self.calls)}"

    @property
    def messages(self) -> list[EmailMessage]:
        return [call["message"] for call in self.calls]

    @property
    def text(self) -> str:
        """The text of the one message."""
        [message] = self.messages
        body = message.get_body(("plain",))
        assert body
        return str(body.get_content())


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """The sample order, parsed, and a stand-in for SES."""
    parse_handler.handler(event("parse"), CONTEXT)
    found = Sent()
    monkeypatch.setattr(ses, "send", found.send)
    return found


def replied(sent: Sent, kind: str, **changes: object) -> str | None:
    request = event("reply") | {"kind": kind, "answer_key": None} | changes
    return send_once.reply(
        ReplyRequest.model_validate(request), remaining_milliseconds=lambda: 20_000, on_sent=sent.told.append
    ).ses_message_id


def records() -> list[str]:
    items = boto3.client("dynamodb", region_name=REGION).scan(TableName="ledger")["Items"]
    return sorted(item["id"]["S"] for item in items)


def test_a_refusal_says_why(sent: Sent) -> None:
    assert replied(sent, "refusal", explanation="Send the table as CSV.") == "ses-1"
    assert "Send the table as CSV." in sent.text
    [call] = sent.calls
    assert (call["to"].addr_spec, call["sender"].addr_spec) == ("ann@shop.example", "orders@mailstep.example")


@pytest.mark.parametrize("kind", ["delay", "failure"])
def test_a_notice_without_an_explanation_says_nothing_in_its_place(sent: Sent, kind: str) -> None:
    replied(sent, kind)
    assert "None" not in sent.text
    assert sent.text.count(reference.spelled(EMAIL_ID)) == 1, "the reference to quote"
    assert EMAIL_ID not in sent.text


def test_an_answer_is_read_from_its_key(sent: Sent) -> None:
    key = mail_bucket.write_answer(BUCKET, EMAIL_ID, Answer(text="Your order is on its way."))
    replied(sent, "answer", answer_key=key)
    assert "Your order is on its way." in sent.text


def test_the_date_of_a_reply_is_a_time_of_utc(sent: Sent) -> None:
    replied(sent, "delay")
    [message] = sent.messages
    offset = parsedate_to_datetime(message["Date"]).utcoffset()
    assert offset is not None
    assert not offset
    assert not message["Date"].endswith("-0000"), "RFC 5322 section 3.3: the time zone is unknown"


def test_a_reply_is_counted_when_it_is_sent_and_not_when_it_is_repeated(sent: Sent) -> None:
    assert replied(sent, "answer", answer_key=mail_bucket.write_answer(BUCKET, EMAIL_ID, Answer(text="x"))) == "ses-1"
    assert [message.email_id for message in sent.told] == [EMAIL_ID]
    assert replied(sent, "answer") == "ses-1"
    assert len(sent.told) == len(sent.calls) == 1


def test_a_reply_is_sent_without_a_callback(sent: Sent) -> None:
    request = ReplyRequest.model_validate(event("reply") | {"kind": "delay", "answer_key": None})
    assert send_once.reply(request, remaining_milliseconds=lambda: 20_000).ses_message_id == "ses-1"


@pytest.mark.parametrize(("kind", "waits"), [("delay", True), ("failure", True), ("refusal", False), ("answer", False)])
def test_only_a_notice_of_delay_or_failure_makes_a_completion_worth_sending(sent: Sent, kind: str, waits: bool) -> None:
    key = mail_bucket.write_answer(BUCKET, EMAIL_ID, Answer(text="x")) if kind == "answer" else None
    replied(sent, kind, answer_key=key)
    assert ledger.has_notice(EMAIL_ID) == waits
    assert (replied(sent, "completion") is not None) == waits


@pytest.mark.parametrize("kind", ["delay", "refusal"])
def test_a_reply_that_ses_did_not_confirm_is_not_recorded_as_sent(
    sent: Sent, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """docs/architecture.md: the workflow sends it once more, a minute later."""

    def lost(*_: object, **__: object) -> str:
        raise SendUnconfirmed("SES did not answer")

    with monkeypatch.context() as broken:
        broken.setattr(ses, "send", lost)
        with pytest.raises(SendUnconfirmed):
            replied(sent, kind)
    assert ledger.has_notice(EMAIL_ID) == (kind == "delay"), "SES may have taken the notice"
    assert replied(sent, kind) == "ses-1"


@pytest.mark.parametrize(
    ("kind", "thread", "known", "recorded"),
    [
        ("answer", True, True, True),
        ("later_answer", True, True, True),
        ("delay", True, True, False),
        ("answer", False, True, False),
        ("answer", True, False, False),
    ],
)
def test_an_answer_is_recorded_in_the_thread_of_its_email_if_the_route_keeps_threads(
    sent: Sent, monkeypatch: pytest.MonkeyPatch, kind: str, thread: bool, known: bool, recorded: bool
) -> None:
    """docs/applications.md, "The thread": answers and later answers, no notices."""
    found: list[tuple[str, str]] = []
    monkeypatch.setattr(threads, "record_answer", lambda message, key: found.append((message.email_id, key)))
    route = Route(url="https://application.example/", thread=thread)
    monkeypatch.setattr(send_once, "routes", lambda: {"orders": route} if known else {})
    first = mail_bucket.write_answer(BUCKET, EMAIL_ID, Answer(text="x"))
    later = {"email_id": EMAIL_ID, "name": "shipped", "bucket": BUCKET, "key": f"answers/{EMAIL_ID}/shipped.json"}
    boto3.client("s3", region_name=REGION).put_object(Bucket=BUCKET, Key=later["key"], Body=b'{"text": "Shipped."}')
    keys: dict[str, dict[str, object]] = {"answer": {"answer_key": first}, "later_answer": {"later_answer": later}}
    assert replied(sent, kind, **keys.get(kind, {}))
    assert ("Shipped." in sent.text) == (kind == "later_answer")
    assert found == ([(EMAIL_ID, later["key"] if kind == "later_answer" else first)] if recorded else [])


@pytest.mark.parametrize(
    ("reply_to", "to"),
    [
        ("desk@shop.example", "desk@shop.example"),
        # Mailstep's own addresses would answer themselves: routes, and the one that other replies come from.
        ("orders@mail.shop.example", "ann@shop.example"),
        ("tickets@mail.shop.example", "ann@shop.example"),
        ("office@mail.shop.example", "ann@shop.example"),
    ],
)
def test_a_reply_goes_to_reply_to_unless_that_is_an_address_of_mailsteps_own(
    sent: Sent, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, reply_to: str, to: str
) -> None:
    file = tmp_path / "routes.toml"
    settings = 'processor = "receipt"\nreply_from = "orders@mail.shop.example"\n'
    file.write_text("".join(f"[routes.{name}]\n{settings}" for name in ("orders", "tickets")))
    monkeypatch.setattr(routes, "ROUTES_FILE", file)
    monkeypatch.setenv("DOMAIN", "mail.shop.example")
    monkeypatch.setenv("REPLY_FROM", "office@mail.shop.example")
    s3, key = boto3.client("s3", region_name=REGION), event("reply")["claim"]["message_key"]
    message = json.loads(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
    message["reply_to"] = [{"name": "", "address": reply_to}]
    s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(message))
    assert replied(sent, "delay")
    assert [call["to"].addr_spec for call in sent.calls] == [to]


def test_a_reply_has_the_look_of_its_route(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send_once, "routes", lambda: {"orders": Route(reply_footer="Shop, 1 High Street")})
    replied(sent, "delay")
    assert "Shop, 1 High Street" in sent.text


@pytest.mark.parametrize("fault", [TransientError("x"), ClientError({"Error": {"Code": "ValidationException"}}, "x")])
def test_a_reply_that_its_thread_cannot_record_is_sent_and_not_sent_again(
    sent: Sent, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def broken(*_: object) -> None:
        raise fault

    monkeypatch.setattr(threads, "record_reply", broken)
    with patch.object(logger, "warning") as said:
        assert [replied(sent, "delay"), replied(sent, "delay")] == ["ses-1", "ses-1"]
    assert len(sent.calls) == 1
    [line] = said.call_args_list
    assert "thread" in line.args[0]
    assert line.kwargs["extra"] == {"error": type(fault).__name__}


def test_a_reply_is_on_record_for_longer_than_its_execution_can_be_redriven(sent: Sent) -> None:
    """AWS Step Functions, "Quotas": an execution can run for days here, and be replayed for 90 days after its end."""
    replied(sent, "delay")
    items = boto3.client("dynamodb", region_name=REGION).scan(TableName="ledger")["Items"]
    [record] = [item for item in items if item["id"]["S"].startswith("reply")]
    assert record["status"]["S"] == "COMPLETED"
    assert int(record["expiration"]["N"]) - time.time() > 93 * 24 * 3600
    assert "ann@" not in str(items)


@pytest.mark.parametrize(
    ("reply_from", "domain"),
    [("Orders@MAILSTEP.example", "mailstep.example"), ("orders@mailstep.example", "MailStep.Example")],
)
def test_a_domain_is_the_same_in_capitals(monkeypatch: pytest.MonkeyPatch, reply_from: str, domain: str) -> None:
    monkeypatch.setenv("DOMAIN", domain)
    monkeypatch.setattr(send_once, "routes", lambda: {"orders": Route(reply_from=reply_from)})
    assert send_once.sender_of("orders").addr_spec.lower() == "orders@mailstep.example"


def test_a_route_that_is_not_there_any_more_replies_from_its_own_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send_once, "routes", dict)
    sender = send_once.sender_of("orders")
    assert (sender.display_name, sender.addr_spec) == ("", "orders@mailstep.example")
    monkeypatch.setenv("REPLY_FROM", "office@mailstep.example")
    assert send_once.sender_of("orders").addr_spec == "office@mailstep.example"


@pytest.mark.parametrize("address", ["orders", "a b@c@d", "@mailstep.example", "orders@", "<orders@mailstep.example"])
def test_a_malformed_address_is_a_configuration_error(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("REPLY_FROM", address)
    with pytest.raises(ConfigurationError, match="'orders'"):
        send_once.sender_of("orders")


def test_the_handler_returns_the_id_that_ses_assigned(sent: Sent) -> None:
    replied = handler(event("reply") | {"kind": "delay", "answer_key": None}, CONTEXT)
    assert replied["ses_message_id"] == "ses-1"
