"""The example application: who it believes, what it does once, and how it says no."""

import base64
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import application
import boto3
import pytest
from fastapi.testclient import TestClient
from moto import mock_aws
from standardwebhooks import Webhook

from mailstep.contracts import ApplicationRequest, ReplyPlan
from mailstep.testing import receive
from tests.support.messages import mail_with
from tests.support.requests import requests_made

OLD, NEW, OTHER = ("whsec_" + base64.b64encode(octet * 32).decode() for octet in (b"o", b"n", b"x"))


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setenv("MAILSTEP_SECRETS", f"{NEW},{OLD}")
    application._answered.clear()
    application._orders.clear()
    application._secrets_of.cache_clear()

    class Links:
        """What the attachment's link answers."""

        async def __aenter__(self) -> "Links":
            return self

        async def __aexit__(self, *_: object) -> None:
            pass

        async def get(self, _url: str) -> Any:
            return type("Answer", (), {"raise_for_status": lambda self: self, "text": "sku,n\nA,1\nB,2\n"})()

    monkeypatch.setattr("httpx.AsyncClient", Links)
    return TestClient(application.app)


def mail(subject: str = "Order", filename: str | None = "order.csv") -> bytes:
    message = receive(mail_with({filename: b"sku,n\n"} if filename else {}, subject=subject), "application").message
    links = {attachment.key: "https://s3.example/k" for attachment in message.attachments}
    return (
        ApplicationRequest(message=message, attachment_urls=links, reply=ReplyPlan(will_be_sent=True))
        .model_dump_json()
        .encode()
    )


def signed(body: bytes, *secrets: str, key: str = "1", age: int = 0) -> dict[str, str]:
    """The headers that the library of Standard Webhooks makes."""
    timestamp = round(time.time()) - age
    signatures = [
        Webhook(secret).sign(key, datetime.fromtimestamp(timestamp, UTC), body.decode()) for secret in secrets or [NEW]
    ]
    return {"webhook-id": key, "webhook-timestamp": str(timestamp), "webhook-signature": " ".join(signatures)}


def post(client: TestClient, body: bytes, *secrets: str, key: str = "1", age: int = 0) -> Any:
    return client.post("/mail", content=body, headers=signed(body, *secrets, key=key, age=age))


@pytest.mark.parametrize("secrets", [(NEW,), (OLD,), (OTHER, OLD)])
def test_either_secret_is_believed(client: TestClient, secrets: tuple[str, ...]) -> None:
    answer = post(client, mail(), *secrets)
    assert (answer.status_code, answer.json()["text"]) == (200, "Thank you. Order 1 has 2 lines; it ships tomorrow.")


def test_a_stranger_another_time_and_a_changed_body_or_key_are_not(client: TestClient) -> None:
    assert post(client, mail(), OTHER).status_code == 401
    assert post(client, mail(), age=301).status_code == 401
    assert post(client, mail(), age=-310).status_code == 401
    headers = signed(mail())
    assert client.post("/mail", content=mail("Another"), headers=headers).status_code == 401
    # One captured request is one order, whatever key is put in place.
    assert client.post("/mail", content=mail(), headers=headers | {"webhook-id": "2"}).status_code == 401
    later = str(int(headers["webhook-timestamp"]) + 1)
    assert client.post("/mail", content=mail(), headers=headers | {"webhook-timestamp": later}).status_code == 401
    assert client.get("/health").json() == {"orders": 0}


SIGNED = signed(b"{}")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"webhook-id": ""},
        {"webhook-id": "a.b"},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": "1e9"},
        {"webhook-timestamp": "9" * 5_000},
        {"webhook-timestamp": str(round(time.time()) - 301)},
        {"webhook-signature": ""},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": "v1a," + "A" * 43 + "="},
        {"webhook-signature": " ".join(["v1," + "A" * 43 + "="] * 1_000)},
    ],
)
def test_aws_is_asked_nothing_for_a_request_that_cannot_be_ours(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, fields: dict[str, str]
) -> None:
    """A stranger could otherwise have a secret read, which costs money and time, with each request."""
    monkeypatch.delenv("MAILSTEP_SECRETS")
    monkeypatch.setattr("application.secrets", lambda: pytest.fail("a secret was read"))
    headers = SIGNED | {"webhook-timestamp": str(round(time.time()))} | fields if fields else {}
    assert client.post("/mail", content=b"{}", headers=headers).status_code == 401


def test_octets_that_are_not_text_are_not_signed(client: TestClient) -> None:
    assert client.post("/mail", content=b"\xff", headers=signed(b"x")).status_code == 401


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The calls to an account with the secret of SECRET_ARN, which was rotated from OLD to NEW."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        manager = boto3.client("secretsmanager")
        arn = manager.create_secret(Name="application", SecretString=f"{OLD}\n")["ARN"]
        manager.put_secret_value(SecretId=arn, SecretString=NEW)
        monkeypatch.setenv("SECRET_ARN", arn)
        yield requests_made(monkeypatch)


def test_the_secrets_are_read_from_aws_once_in_five_minutes(
    client: TestClient, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MAILSTEP_SECRETS")
    now = 3_000.0
    monkeypatch.setattr("application.time", SimpleNamespace(time=time.time, monotonic=lambda: now))
    for key in ("1", "2", "3"):
        assert post(client, mail(), OLD, key=key).status_code == 200
        assert post(client, mail(), OTHER, key=key).status_code == 401
    assert calls == ["GetSecretValue"] * 2
    boto3.client("secretsmanager").put_secret_value(SecretId=os.environ["SECRET_ARN"], SecretString=OTHER)
    now += 300
    assert post(client, mail(), OTHER, key="4").status_code == 200
    assert post(client, mail(), OLD, key="5").status_code == 401


def test_one_key_is_one_order(client: TestClient) -> None:
    assert post(client, mail()).json() == post(client, mail()).json()
    assert client.get("/health").json() == {"orders": 1}
    assert "Order 2" in post(client, mail(), key="2").json()["text"]


def test_the_other_answers_of_the_contract(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert post(client, mail("FYI: closed on Monday")).status_code == 204
    refused = post(client, mail(filename=None))
    assert (refused.status_code, refused.json()["reason"]) == (422, "Please attach your order as a CSV file.")
    monkeypatch.setenv("MAINTENANCE", "1")
    busy = post(client, mail())
    assert (busy.status_code, busy.headers["Retry-After"]) == (503, "120")
