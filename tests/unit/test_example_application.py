"""The example application: who it believes, what it does once, and how it says no."""

import time
from typing import Any

import application
import pytest
from fastapi.testclient import TestClient

from mailstep.contracts import ApplicationRequest, ReplyPlan
from mailstep.process.signing import SIGNATURE, signature
from mailstep.testing import receive
from tests.support.messages import mail_with


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setenv("MAILSTEP_SECRETS", "new,old")
    application._answered.clear()
    application._orders.clear()

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


def post(client: TestClient, body: bytes, *, secrets: list[str] | None = None, key: str = "1", age: int = 0) -> Any:
    signed = signature(secrets or ["new"], body, round(time.time()) - age)
    return client.post("/mail", content=body, headers={SIGNATURE: signed, "Idempotency-Key": key})


@pytest.mark.parametrize("secrets", [["new"], ["old"], ["other", "old"]])
def test_either_secret_is_believed(client: TestClient, secrets: list[str]) -> None:
    answer = post(client, mail(), secrets=secrets)
    assert (answer.status_code, answer.json()["text"]) == (200, "Thank you. Order 1 has 2 lines; it ships tomorrow.")


def test_a_stranger_an_old_signature_and_a_changed_body_are_not(client: TestClient) -> None:
    assert post(client, mail(), secrets=["other"]).status_code == 401
    assert post(client, mail(), age=301).status_code == 401
    signed = signature(["new"], mail(), round(time.time()))
    headers = {SIGNATURE: signed, "Idempotency-Key": "1"}
    assert client.post("/mail", content=mail("Another"), headers=headers).status_code == 401


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
