"""What the workflow is told of a route whose mail the policy let pass."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from mailstep import routes
from mailstep.contracts import Address, Claim, EarlierEmail, Message, Processing, StoredEmail, Summary
from mailstep.route import Route
from mailstep.validate.acceptance import accept
from tests.support.messages import parsed, stored

QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/app.fifo"


@pytest.fixture
def claim(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Claim]:
    file = tmp_path / "routes.toml"
    file.write_text(
        f"[routes.orders]\nqueue = '{QUEUE}'\nlimit_hours = 2\nheartbeat_seconds = 90\noutage_hours = 3\n"
        f"[routes.slow]\nqueue = '{QUEUE}'\nlimit_hours = 2\n"
    )
    monkeypatch.setattr(routes, "ROUTES_FILE", file)
    routes.routes.cache_clear()
    summary = Summary(from_address=None, subject="", message_id=None, size_octets=1, attachments=0)
    email = StoredEmail(email_id="m", route="orders", bucket="b", key="inbound/orders/m")
    yield Claim(email=email, message_key="parsed/m/message.json", summary=summary)
    routes.routes.cache_clear()


def processing(claim: Claim, address: str = "ann@shop.example") -> Processing:
    message = parsed("From: x@y.example\n\nx").model_copy(update={"from_": (Address(address=address),)})
    return accept(claim, message, None, lambda _message: ()).processing


def test_the_workflow_knows_the_routes_own_times(claim: Claim) -> None:
    known = processing(claim)
    assert (known.queue_url, known.limit_seconds) == (QUEUE, 7_200)
    assert (known.heartbeat_seconds, known.outage_seconds) == (90, 10_800)


def test_a_route_without_heartbeats_hears_of_silence_just_before_its_limit(claim: Claim) -> None:
    """Amazon States Language, "Task": HeartbeatSeconds is less than TimeoutSeconds."""
    slow = claim.model_copy(update={"email": claim.email.model_copy(update={"route": "slow"})})
    assert processing(slow).heartbeat_seconds == 7_199


def test_one_sender_is_one_group_however_the_address_is_written(claim: Claim) -> None:
    groups = {processing(claim, address).group for address in ("ann@shop.example", "Ann@SHOP.example")}
    assert groups == {sha256(b"ann@shop.example").hexdigest()}
    assert processing(claim, "bob@shop.example").group not in groups


@pytest.mark.parametrize(("thread", "dmarc", "joined"), [(True, "pass", 1), (True, "fail", 0), (False, "pass", 0)])
def test_only_an_authenticated_sender_of_a_route_that_asks_joins_a_thread(
    claim: Claim, monkeypatch: pytest.MonkeyPatch, thread: bool, dmarc: str, joined: int
) -> None:
    monkeypatch.setattr("mailstep.validate.acceptance.routes", lambda: {"orders": Route(thread=thread)})
    verdicts = {"spf": "none", "dkim": "none"} if dmarc == "fail" else {}
    message = stored("From: ann@shop.example\n\nx\n", dmarc=dmarc, dkim=dmarc)
    message = message.model_copy(update={"verdicts": message.verdicts.model_copy(update=verdicts)})
    earlier = EarlierEmail(email_id="before", message_key="parsed/before/message.json")
    asked: list[object] = []

    def join(one: Message) -> tuple[EarlierEmail, ...]:
        asked.append(one)
        return (earlier,)

    assert accept(claim, message, None, join).thread == (earlier,) * joined
    assert asked == [message] * joined


@pytest.mark.parametrize("withheld", [None, "automatic_mail"])
def test_the_workflow_hears_which_rule_withholds_the_reply(claim: Claim, withheld: str | None) -> None:
    accepted = accept(claim, parsed("From: ann@shop.example\n\nx"), withheld, lambda _message: ())
    assert accepted.withheld == withheld
