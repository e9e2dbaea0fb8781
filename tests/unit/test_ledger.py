"""What is remembered between messages, against DynamoDB as moto plays it."""

from collections.abc import Iterator
from datetime import UTC, datetime

import boto3
import pytest
from moto import mock_aws

from mailstep import aws, ledger
from mailstep.contracts import Address, Message
from mailstep.ledger import Ledger


@pytest.fixture(autouse=True)
def _table(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with mock_aws():
        monkeypatch.setenv("TABLE_NAME", "ledger")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        aws.client.cache_clear()
        boto3.client("dynamodb").create_table(
            TableName="ledger",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
        yield
    aws.client.cache_clear()


def email(identity: str, **changes: object) -> Message:
    fields: dict[str, object] = {
        "id": identity,
        "route": "orders",
        "size_octets": 1,
        "message_id": "<1@b.example>",
        "text": "hello",
        "from_": (Address(address="Ann@b.example"),),
    }
    return Message.model_validate(fields | changes)


def items() -> list[dict[str, object]]:
    return boto3.client("dynamodb").scan(TableName="ledger")["Items"]  # type: ignore[return-value]


def test_the_same_message_under_another_key_is_known_again_and_its_own_retry_passes() -> None:
    assert Ledger().claims(email("first"), "inbound/orders/first")
    assert Ledger().claims(email("first"), "inbound/orders/first")
    assert not Ledger().claims(email("second"), "inbound/orders/second")


@pytest.mark.parametrize(
    "other", [{"route": "feedback"}, {"message_id": "<2@b.example>"}, {"text": "hello!"}, {"subject": "other"}]
)
def test_another_route_identifier_or_content_is_another_message(other: dict[str, object]) -> None:
    assert Ledger().claims(email("first"), "inbound/orders/first")
    assert Ledger().claims(email("second", **other), "inbound/orders/second")


def test_a_message_is_forgotten_after_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000_000.0
    monkeypatch.setattr("mailstep.ledger.time.time", lambda: now)
    assert Ledger().claims(email("first"), "inbound/orders/first")
    now += ledger.DUPLICATE_SECONDS - 1
    assert not Ledger().claims(email("second"), "inbound/orders/second")
    now += 2
    assert Ledger().claims(email("second"), "inbound/orders/second")
    assert not Ledger().claims(email("third"), "inbound/orders/third")


def test_no_more_are_counted_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """One after the other, because moto's writes are not atomic; at once: tests/cloud/test_policy.py, the flood."""
    monkeypatch.setattr("mailstep.ledger.time.time", lambda: 1_000_000.0)
    assert [Ledger().counts(email(f"m{n}"), 5) for n in range(8)] == [True] * 5 + [False] * 3


def test_a_retry_is_counted_once_and_senders_and_hours_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000_000.0
    monkeypatch.setattr("mailstep.ledger.time.time", lambda: now)
    assert all(Ledger().counts(email("m1"), 1) for _ in range(3))
    assert not Ledger().counts(email("m2"), 1)
    assert not Ledger().counts(email("m2", from_=(Address(address="ANN@B.example"),)), 1)
    assert Ledger().counts(email("m2", from_=(Address(address="bob@b.example"),)), 1)
    now += 3600
    assert Ledger().counts(email("m2"), 1)


def test_routes_are_counted_apart_and_a_replay_in_the_hour_of_its_receipt(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000_000.0
    monkeypatch.setattr("mailstep.ledger.time.time", lambda: now)
    then = datetime.fromtimestamp(now, UTC)
    assert Ledger().counts(email("m1", received=then), 1)
    assert Ledger().counts(email("m2", received=then, route="feedback"), 1)
    assert not Ledger().counts(email("m3", received=then), 1)
    now += 24 * 3600
    assert Ledger().counts(email("m4"), 1)
    assert Ledger().counts(email("m1", received=then), 1), "it was counted on its own day"


def test_what_cannot_be_told_from_another_message_is_none() -> None:
    nameless = {"message_id": None}
    assert Ledger().claims(email("first", **nameless), "inbound/orders/first")
    assert Ledger().claims(email("second", **nameless), "inbound/orders/second")
    at_nine, at_ten = ({"date": datetime(2026, 11, 24, hour, tzinfo=UTC)} for hour in (9, 10))
    assert Ledger().claims(email("third", **nameless, **at_nine), "inbound/orders/third")
    assert Ledger().claims(email("fourth", **nameless, **at_ten), "inbound/orders/fourth")
    assert not Ledger().claims(email("fifth", **nameless, **at_ten), "inbound/orders/fifth")


def test_a_suppressed_address_is_known_until_it_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000_000.0
    monkeypatch.setattr("mailstep.ledger.time.time", lambda: now)
    assert not Ledger().is_suppressed("ann@b.example")
    ledger.suppress("Ann@B.example", seconds=60)
    assert Ledger().is_suppressed("ann@b.example")
    now += 61
    assert not Ledger().is_suppressed("ann@b.example")


def test_no_address_stands_in_the_table() -> None:
    ledger.suppress("ann@b.example", seconds=60)
    Ledger().claims(email("m1"), "inbound/orders/m1")
    Ledger().counts(email("m1"), 5)
    assert len(items()) == 3
    assert "b.example" not in str(items()).lower()
