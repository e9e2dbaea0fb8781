"""What is remembered between messages, against DynamoDB as moto plays it."""

from collections.abc import Iterator
from datetime import UTC, datetime

import boto3
import pytest

from mailstep.aws import ledger
from mailstep.aws.ledger import Ledger
from mailstep.contracts import Address, Attachment, Message
from mailstep_cli.message_files import parse_file, parse_octets
from tests.support.project import EMAILS, EVENTS


@pytest.fixture(autouse=True)
def _table(ledger_table: None) -> Iterator[None]:
    yield
    FAILED.clear()


def email(identity: str, **changes: object) -> Message:
    fields: dict[str, object] = {
        "email_id": identity,
        "route": "orders",
        "size_octets": 1,
        "message_id": "<1@b.example>",
        "text": "hello",
        "from_": (Address(address="Ann@b.example"),),
    }
    return Message.model_validate(fields | changes)


FILE = Attachment(
    filename="a.csv", media_type="text/csv", media_type_detected=None, size_octets=1, sha256="0", key="parsed/1/1"
)
FAILED: set[str] = set()


def records() -> Ledger:
    """The records, of which an execution failed if it is in FAILED."""
    return Ledger(FAILED.__contains__)


def delivered(identity: str, **changes: object) -> bool:
    """What the ledger says of the delivery of this email by its own execution, `arn:of:<identity>`."""
    return records().record_delivery(email(identity, **changes), f"arn:of:{identity}")


def replayed(identity: str) -> bool:
    """What the ledger says of the same email by its replay, `arn:of:<identity>-r2`."""
    return records().record_delivery(email(identity), f"arn:of:{identity}-r2")


def items() -> list[dict[str, object]]:
    return boto3.client("dynamodb").scan(TableName="ledger")["Items"]  # type: ignore[return-value]


def test_the_same_message_under_another_key_is_a_duplicate_and_its_own_retry_passes() -> None:
    assert delivered("first")
    assert delivered("first")
    assert not delivered("second")
    assert replayed("first")


def test_the_order_of_the_sample_events_is_no_duplicate_of_the_order_that_the_demo_mails() -> None:
    """docs/local.md: `sam local invoke ValidateFunction` takes it, whatever was mailed before."""
    order, stored = EMAILS / "order.eml", parse_file(EVENTS / "stored-order.eml")
    # As SMTP carries it (RFC 5321 section 2.3.8).
    mailed = parse_octets(order.read_bytes().replace(b"\n", b"\r\n"), order)
    for number, message in enumerate((mailed, stored)):
        received = {"email_id": str(number), "route": "orders", "verdicts": stored.verdicts}
        assert records().record_delivery(message.model_copy(update=received), f"arn:of:{number}")


def test_a_message_whose_first_delivery_failed_is_no_duplicate() -> None:
    assert delivered("first")
    FAILED.add("arn:of:first")
    assert delivered("second")
    assert not delivered("third"), "the second one is under way"


def test_a_copy_that_was_not_authenticated_does_not_make_the_true_message_a_duplicate() -> None:
    assert delivered("forged")
    proven = {"verdicts": {"dmarc": "pass", "dmarc_domain": "b.example"}}
    assert delivered("true", **proven)
    assert not delivered("again", **proven)


def test_a_replay_that_did_not_fail_makes_what_comes_again_a_duplicate() -> None:
    assert delivered("first")
    FAILED.add("arn:of:first")
    assert replayed("first")
    assert not delivered("second")
    FAILED.add("arn:of:first-r2")
    assert delivered("third")


def test_a_notice_is_known_until_its_record_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000_000.0
    monkeypatch.setattr("mailstep.aws.ledger.time.time", lambda: now)
    assert not ledger.has_notice("first")
    ledger.record_notice("first")
    assert ledger.has_notice("first")
    assert not ledger.has_notice("second")
    now += ledger.REPLAYABLE_SECONDS - 1
    assert ledger.has_notice("first")
    now += 1
    assert not ledger.has_notice("first")


def test_the_rule_that_the_latest_replay_overrode_is_known_until_its_record_expires(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1_000_000.0
    monkeypatch.setattr("mailstep.aws.ledger.time.time", lambda: now)
    assert ledger.overridden("first") == ""
    ledger.record_override("first", "spam")
    ledger.record_override("second", "virus")
    assert (ledger.overridden("first"), ledger.overridden("second")) == ("spam", "virus")
    ledger.record_override("first", "")
    assert ledger.overridden("first") == "", "the latest replay overrides none"
    ledger.record_override("first", "automatic_mail")
    now += ledger.REPLAYABLE_SECONDS - 1
    assert ledger.overridden("first") == "automatic_mail"
    now += 1
    assert ledger.overridden("first") == ""


@pytest.mark.parametrize(
    "other",
    [
        {"route": "feedback"},
        {"message_id": "<2@b.example>"},
        {"text": "hello!"},
        {"text": "hel lo"},
        {"text": "helloX"},
        {"text": "hello\u00a0"},
        {"text": "hello\n\u00a0"},
        {"text": "\nhello"},
        {"html": "<p>hello!</p>"},
        {"subject": "other"},
        {"date": datetime(2026, 11, 24, tzinfo=UTC)},
        {"from_": (Address(address="bob@b.example"),)},
        {"attachments": (FILE,)},
        {"attachments": (FILE, FILE)},
    ],
)
def test_another_route_identifier_or_content_is_another_message(other: dict[str, object]) -> None:
    assert delivered("first")
    assert delivered("second", **other)


@pytest.mark.parametrize(
    "text",
    [
        "one two\n\nthree",
        "one two \n\nthree",
        "one  two\r\n\t\r\nthree",
        "one\ttwo\r\rthree\n\n\n",
        "one two\n \nthree \n",
    ],
)
def test_white_space_that_a_signature_ignores_makes_no_other_message(text: str) -> None:
    """RFC 6376 section 3.4.4: a copy with other white space still passes as signed."""
    assert delivered("first", text="one two\n\nthree", html="<p>one two</p>")
    assert not delivered("second", text=text, html="<p>one  two</p> \r\n\r\n")


def test_a_message_is_forgotten_after_five_days(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000_000.0
    monkeypatch.setattr("mailstep.aws.ledger.time.time", lambda: now)
    assert delivered("first")
    now += 5 * 24 * 3600 - 1
    assert not delivered("second")
    now += 2
    assert delivered("second")
    assert not delivered("third")


def test_messages_without_message_id_are_duplicates_only_with_the_same_date() -> None:
    nameless = {"message_id": None}
    assert delivered("first", **nameless)
    assert delivered("second", **nameless)
    at_nine, at_ten = ({"date": datetime(2026, 11, 24, hour, tzinfo=UTC)} for hour in (9, 10))
    assert delivered("third", **nameless, **at_nine)
    assert delivered("fourth", **nameless, **at_ten)
    assert not delivered("fifth", **nameless, **at_ten)


def test_a_suppressed_address_is_known_until_it_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000_000.0
    monkeypatch.setattr("mailstep.aws.ledger.time.time", lambda: now)
    assert not records().is_suppressed("ann@b.example")
    ledger.suppress("Ann@B.example", seconds=60)
    assert records().is_suppressed("ann@b.example")
    now += 61
    assert not records().is_suppressed("ann@b.example")


def test_a_reply_that_is_not_sent_after_all_leaves_room_for_another() -> None:
    ann = Address(address="ann@b.example")
    assert records().count_reply(email("first"), ann, 1)
    assert not records().count_reply(email("second"), ann, 1)
    records().forget_reply(email("first"), ann)
    assert records().count_reply(email("second"), ann, 1)


def test_no_address_stands_in_the_table() -> None:
    ledger.suppress("ann@b.example", seconds=60)
    delivered("m1")
    records().count_reply(email("m1"), Address(address="c@d.example"), 5)
    assert len(items()) == 6
    assert "d.example" not in str(items()).lower()
    assert "b.example" not in str(items()).lower()


@pytest.mark.parametrize(
    ("bounced", "sender"),
    [
        # RFC 5890: one domain, in U-labels and in A-labels.
        ("ann@b\u00fccher.example", "ann@xn--bcher-kva.example"),
        ("ann@xn--bcher-kva.example", "ann@b\u00fccher.example"),
        ("Ann@B\u00dcCHER.example", "ann@b\u00fccher.example"),
        ("Ann@XN--BCHER-KVA.Example", "ann@b\u00fccher.example"),
    ],
)
def test_an_address_is_suppressed_in_either_form_of_its_domain(bounced: str, sender: str) -> None:
    ledger.suppress(bounced, seconds=60)
    assert records().is_suppressed(sender)
    assert not records().is_suppressed("ann@buecher.example")


def test_an_address_that_no_encoding_has_is_suppressed_too() -> None:
    """RFC 8259 section 8.2: JSON, as that of SES's events, may escape half of a surrogate pair."""
    ledger.suppress("ann\udcff@b.example", seconds=60)
    assert records().is_suppressed("ann\udcff@b.example")
    assert not records().is_suppressed("ann@b.example")
