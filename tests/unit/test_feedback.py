"""Bounces and complaints: which addresses they suppress, which email each is tied to, and that no log names a person.

Over 300 lines, because SES writes its events in many shapes.
"""

import io
import json
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from mailstep.aws import ledger, threads
from mailstep.contracts import Message
from mailstep.feedback import handler as feedback_handler
from mailstep.feedback import suppression as domain
from mailstep.telemetry import logger
from tests.support.events import CONTEXT, REGION
from tests.support.index import email, message_index
from tests.support.project import EVENTS

pytestmark = pytest.mark.usefixtures("account")

COMPLAINT = {"complainedRecipients": [{"emailAddress": "ann@shop.example"}]}
# As it comes, without a Subject; seen in many projects' fixtures, AWS documents it nowhere.
NOTICE = "Successfully validated SNS topic for Amazon SES event publishing."


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What the handler logs."""
    written = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", written)
    yield written
    assert "@shop.example" not in written.getvalue()


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def bounce(kind: object = "Permanent", to: object = ("ann@shop.example",), said: str = "ann@shop.example") -> str:
    """A bounce of a reply to `to`, in which the other system says the address `said`."""
    bounced = {"bounceType": kind, "bouncedRecipients": [{"emailAddress": said}]}
    mail = {"messageId": "0100-abc-000000", "destination": to}
    return json.dumps({"eventType": "Bounce", "bounce": bounced, "mail": mail})


def complaint(said: object = COMPLAINT, to: object = ("ann@shop.example",), **more: object) -> str:
    about = said | more if isinstance(said, dict) else said
    return json.dumps({"eventType": "Complaint", "complaint": about, "mail": {"destination": to}})


def tell(*messages: str) -> None:
    [record] = json.loads((EVENTS / "feedback.json").read_text())["Records"]
    records = [record | {"Sns": record["Sns"] | {"Message": message, "MessageId": str(number)}}
               for number, message in enumerate(messages)]  # fmt: skip
    feedback_handler.handler({"Records": records}, CONTEXT)


def suppressed() -> int:
    """How many addresses are on record."""
    items = boto3.client("dynamodb", region_name=REGION).scan(TableName="ledger")["Items"]
    return len([item for item in items if item["id"]["S"].startswith("suppressed#")])


def is_suppressed(address: str) -> bool:
    return ledger.Ledger(lambda _: False).is_suppressed(address)


def test_the_sample_event_suppresses_its_recipient(log: io.StringIO) -> None:
    feedback_handler.handler(json.loads((EVENTS / "feedback.json").read_text()), CONTEXT)
    assert is_suppressed("gone@shop.example")
    [said] = lines(log)
    assert (said["level"], said["kind"], said["suppressed"], said["unread"]) == ("INFO", "Bounce", 1, 0)


@pytest.mark.parametrize(
    ("event", "seconds"),
    [
        (bounce("Permanent"), 90 * 24 * 3600),
        (bounce("Transient"), None),
        (bounce("Undetermined"), None),
        (complaint(), 365 * 24 * 3600),
        (complaint(complaintFeedbackType=None), 365 * 24 * 3600),
        (complaint(complaintFeedbackType="abuse"), 365 * 24 * 3600),
        (complaint(complaintFeedbackType="not-spam"), None),
    ],
)
def test_a_permanent_bounce_or_a_complaint_suppresses_the_address(
    monkeypatch: pytest.MonkeyPatch, event: str, seconds: int | None
) -> None:
    """docs/sending.md: 90 days, a year."""
    found: dict[str, int] = {}
    monkeypatch.setattr(ledger, "suppress", lambda address, *, seconds: found.update({address: seconds}))
    assert domain.record(event).unread == 0
    assert found == ({"ann@shop.example": seconds} if seconds else {})


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (NOTICE, "text"),
        ("", "text"),
        ("ann@shop.example bounced", "text"),
        ("[" * 100_000, "text"),
        ("[]", "JSON"),
        ("null", "JSON"),
        ('"ann@shop.example"', "JSON"),
        ("{}", "JSON"),
        ('{"eventType": "Delivery", "delivery": {"recipients": ["ann@shop.example"]}}', "Delivery"),
        ('{"eventType": "Reject", "mail": {"destination": ["ann@shop.example"]}}', "Reject"),
        ('{"eventType": "DeliveryDelay", "mail": {"destination": ["ann@shop.example"]}}', "DeliveryDelay"),
        ('{"eventType": "ann@shop.example"}', "JSON"),
        ('{"eventType": ["Bounce", "ann@shop.example"]}', "JSON"),
        ('{"notificationType": "Received", "receipt": {"recipients": ["ann@shop.example"]}}', "Received"),
        ('{"notificationType": "Bounce", "bounce": {"bounceType": "Permanent"}}', "Bounce"),
        ('{"notificationType": "AmazonSnsSubscriptionSucceeded"}', "AmazonSnsSubscriptionSucceeded"),
        ('{"Records": [{"s3": {}}]}', "JSON"),
    ],
)
def test_another_event_is_only_logged_without_its_content(log: io.StringIO, message: str, kind: str) -> None:
    tell(message)
    [said] = lines(log)
    assert (said["level"], said["sns_message_id"], said["kind"]) == ("INFO", "0", kind)
    assert suppressed() == 0


@pytest.mark.parametrize(
    "kind", ["Click", "Delivery", "DeliveryDelay", "Open", "Reject", "Rendering Failure", "Send", "Subscription"]
)
def test_every_other_event_that_ses_publishes_is_named(kind: str) -> None:
    """Amazon SES Developer Guide, "Contents of event data that Amazon SES publishes to Amazon SNS", eventType."""
    assert domain.record(json.dumps({"eventType": kind})) == domain.FeedbackEvent(kind)


def test_a_complaint_as_a_notification_is_named_and_no_event_of_ours() -> None:
    """The same guide, "Amazon SNS notification contents": they come of an identity, not of the configuration set."""
    assert domain.record('{"notificationType": "Complaint", "complaint": {}}') == domain.FeedbackEvent("Complaint")


@pytest.mark.parametrize("said", ["eve@elsewhere.example", "Ann <ann@shop.example>", "", "ann+sales@shop.example"])
@pytest.mark.parametrize("event", [bounce, lambda said, **to: complaint({"complainedRecipients": [said]}, **to)])
def test_the_address_that_the_reply_went_to_is_suppressed_whatever_the_other_system_says(event: Any, said: str) -> None:
    tell(event(said=said))
    assert is_suppressed("ann@shop.example")
    assert suppressed() == 1


@pytest.mark.parametrize(
    ("to", "sender"),
    [
        ("Ann@SHOP.example", "ann@shop.example"),
        ("Ann Archer <ann@shop.example>", "ann@shop.example"),
        ('"Archer, Ann" <ann@shop.example>', "ann@shop.example"),
        ("ann@xn--bcher-kva.example", "ann@bücher.example"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
    ],
)
def test_an_address_is_suppressed_in_each_of_its_forms(to: str, sender: str) -> None:
    tell(bounce(to=[to]))
    assert is_suppressed(sender)


@pytest.mark.parametrize(
    "event",
    [
        bounce(to="ann@shop.example"),
        bounce(to={"ann@shop.example": {}}),
        bounce(to=None),
        bounce(to=[]),
        bounce(to=["ann@shop.example", "bob@shop.example"]),
        bounce(to=[{"emailAddress": "ann@shop.example"}]),
        bounce(to=["shop.example"]),
        bounce(to=["a" * 400 + "@shop.example"]),
        bounce(kind="ann@shop.example"),
        bounce(kind=["Permanent"]),
        '{"eventType": "Bounce"}',
        '{"eventType": "Bounce", "ann@shop.example',
        '\n {"eventType": "Bounce", "ann@shop.example',
        '{"bounce":' * 100_000,
        '{"eventType": "Bounce", "bounce": ["ann@shop.example"]}',
        '{"eventType": "Bounce", "bounce": {"bounceType": "Permanent"}, "mail": ["ann@shop.example"]}',
        complaint("ann@shop.example"),
        complaint(to=[1]),
    ],
)
def test_a_bounce_or_complaint_that_cannot_be_read_is_said_and_counted_without_its_content(
    log: io.StringIO, capsys: pytest.CaptureFixture[str], event: str
) -> None:
    tell(event)
    assert suppressed() == 0
    [said] = lines(log)
    assert (said["suppressed"], said["unread"], said["level"]) == (0, 1, "WARNING")
    counted = capsys.readouterr().out
    assert '"FeedbackUnread":[1.0]' in counted
    assert "@shop.example" not in counted


@pytest.mark.parametrize(
    "event",
    [
        bounce(to=["\ud800@shop.example"]),
        complaint(complaintFeedbackType={"ann@shop.example": 1}),
        # RFC 5321 section 4.5.3.1: the longest address.
        bounce(to=["a" * 64 + "@" + "b" * 243 + "shop.example"]),
    ],
)
def test_an_odd_event_that_can_be_read_is_recorded(log: io.StringIO, event: str) -> None:
    tell(event)
    assert suppressed() == 1
    assert [(said["suppressed"], said["unread"]) for said in lines(log)] == [(1, 0)]


def test_a_warning_names_the_reply_by_which_the_operators_find_the_event(log: io.StringIO) -> None:
    hostile = json.dumps({"eventType": "Bounce", "mail": {"messageId": "ann@shop.example"}})
    tell(bounce(to=[1]), hostile)
    assert [(said["sns_message_id"], said.get("ses_message_id")) for said in lines(log)] == [
        ("0", "0100-abc-000000"),
        ("1", None),
    ]


def test_a_bounce_that_suppresses_no_address_needs_none(log: io.StringIO) -> None:
    tell(bounce("Transient", to=[]))
    assert [(said["suppressed"], said["unread"]) for said in lines(log)] == [(0, 0)]


@pytest.mark.parametrize(
    ("event", "counted"),
    [(bounce(), [1.0]), (bounce("Transient"), [0.0]), (complaint(), [1.0]), ('{"eventType": "Delivery"}', None)],
)
def test_each_bounce_or_complaint_counts_the_address_that_it_suppresses(
    capsys: pytest.CaptureFixture[str], event: str, counted: list[float] | None
) -> None:
    tell(event)
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"SendersSuppressed"' in line]
    assert [one["SendersSuppressed"] for one in found] == ([] if counted is None else [counted])


def test_a_bounce_among_others_in_one_batch_is_recorded(log: io.StringIO) -> None:
    tell(NOTICE, bounce(to=["cy"]), bounce(), '{"eventType": "Delivery"}', complaint())
    assert is_suppressed("ann@shop.example")
    assert suppressed() == 1
    assert [said["kind"] for said in lines(log)] == ["text", "Bounce", "Bounce", "Delivery", "Complaint"]


def test_an_error_of_the_ledger_names_nobody(log: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TABLE_NAME", "no-such-table")
    with pytest.raises(ClientError) as caught:
        tell(bounce())
    assert "@shop.example" not in "".join(traceback.format_exception(caught.value))


# ---- The index of messages ----

SAMPLE_EMAIL = "sample-order-db67668f36117f16acff6827a5ead207"


def indexed(email_id: str) -> list[tuple[str, str, str | None]]:
    entry = message_index().get(email_id)
    return [(one.kind, one.detail, one.ses_message_id) for one in entry.feedback] if entry else []


def test_a_bounce_is_tied_to_the_email_that_the_reply_names() -> None:
    sample = json.loads((EVENTS / "feedback.json").read_text())
    for _ in range(2):
        feedback_handler.handler(sample, CONTEXT)
    ses_message_id = "EXAMPLE7c191be45-e9aedb9a-02f9-4d12-a87d-dd0099a07f8a-000000"
    assert indexed(SAMPLE_EMAIL) == [("Bounce", "Permanent", ses_message_id)]


AT = datetime(2026, 11, 26, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("event_type", "about", "detail", "at"),
    [
        ("Bounce", {"bounceType": "Transient", "timestamp": "2026-11-26T10:30:00.000Z"}, "Transient", AT),
        ("Complaint", COMPLAINT | {"complaintFeedbackType": "abuse", "timestamp": "2026-11-26T10:30:00Z"}, "abuse", AT),
        # Another offset is the same time; without one it is UTC, as all of SES's times are.
        ("Complaint", COMPLAINT | {"timestamp": "2026-11-26T12:30:00+02:00"}, "", AT),
        ("Bounce", {"bounceType": "Permanent", "timestamp": "2026-11-26T10:30:00"}, "Permanent", AT),
        ("Bounce", {"bounceType": "Permanent", "timestamp": "ann@shop.example"}, "Permanent", None),
        ("Bounce", {"bounceType": "Permanent", "timestamp": 1_795_000_000}, "Permanent", None),
        ("Complaint", COMPLAINT | {"complaintFeedbackType": "ann@shop.example"}, "", None),
    ],
)
def test_feedback_has_the_kind_and_the_time_that_ses_says(
    event_type: str, about: dict[str, Any], detail: str, at: datetime | None
) -> None:
    """Amazon SES Developer Guide, "Contents of event data that Amazon SES publishes to Amazon SNS"."""
    event = {"eventType": event_type, event_type.lower(): about, "mail": {"destination": ["ann@shop.example"]}}
    found = domain.record(json.dumps(event))
    assert (found.detail, found.at) == (detail, at)


@pytest.mark.parametrize("named", ["ann@shop.example", "", "a/b", "x" * 77])
def test_what_is_no_id_of_an_email_names_none(named: str) -> None:
    headers = [{"name": "X-Mailstep-Email-Id", "value": named}]
    event = json.loads(bounce()) | {"mail": {"destination": ["ann@shop.example"], "headers": headers}}
    assert domain.record(json.dumps(event)).email_id is None


def test_a_bounce_is_tied_to_the_email_even_if_the_event_has_the_folds_of_the_header() -> None:
    """The bounce may come before the reply is on record, so that only the header names the email."""
    headers = [{"name": "X-Mailstep-Email-Id", "value": f"\r\n {email().email_id}"}]
    mail = {"destination": ["ann@shop.example"], "messageId": "0100-unknown-000000", "headers": headers}
    tell(json.dumps({"eventType": "Complaint", "complaint": COMPLAINT, "mail": mail}))
    assert indexed(email().email_id) == [("Complaint", "", "0100-unknown-000000")]


def test_a_complaint_whose_header_ses_left_out_is_tied_by_sess_id_of_the_reply() -> None:
    message = Message(email_id=email().email_id, route="orders", size_octets=1, thread_id="t")
    threads.record_reply("0100-abc-000000", message)
    # Mailstep sent a delay notice before it, and the reply is not in the index yet.
    threads.record_reply("0100-notice-000000", message)
    mail = {"destination": ["ann@shop.example"], "messageId": "0100-abc-000000", "headersTruncated": True}
    tell(json.dumps({"eventType": "Complaint", "complaint": COMPLAINT, "mail": mail}))
    assert indexed(email().email_id) == [("Complaint", "", "0100-abc-000000")]
    of_notice = mail | {"messageId": "0100-notice-000000"}
    tell(json.dumps({"eventType": "Complaint", "complaint": COMPLAINT, "mail": of_notice}))
    assert len(indexed(email().email_id)) == 2


@pytest.mark.parametrize(
    "headers",
    [None, "x", [1], [{"name": "X-Mailstep-Email-Id"}], [{"name": "X-Mailstep-Email-Id", "value": "../" * 50}]],
)
def test_feedback_that_names_no_email_suppresses_and_is_tied_to_nothing(headers: object) -> None:
    mail = {"destination": ["ann@shop.example"], "messageId": "unknown", "headers": headers}
    tell(json.dumps({"eventType": "Complaint", "complaint": COMPLAINT, "mail": mail}))
    assert is_suppressed("ann@shop.example")
    assert list(message_index().newest()) == []
