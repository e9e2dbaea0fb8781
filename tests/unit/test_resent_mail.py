"""A copy of a signed message passes for ever: one that only DKIM authenticates is stale by its Date."""

from datetime import UTC, datetime, timedelta

import pytest

from mailstep.contracts import Address, Message, StoredEmail, Verdicts
from mailstep.errors import RefusedEmail
from mailstep.route import Route
from mailstep.testing import receive
from mailstep.validate.policy import Case, validate
from mailstep.validate.records import NothingOnRecord
from tests.support.messages import EMAIL, mail_with

NOW = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
SIGNED = Verdicts(
    spam="PASS", virus="PASS", dkim="pass", dkim_domains=("b.example",), spf="pass", spf_domain="evil.example"
)
IN_SUBDOMAIN = "bounce.b.example"


def reason(
    age: timedelta | None,
    *,
    route: Route | None = None,
    email: StoredEmail = EMAIL,
    headers: tuple[tuple[str, str], ...] = (),
    **verdicts: object,
) -> str | None:
    message = Message(
        email_id="m",
        route="orders",
        size_octets=1,
        from_=(Address(address="a@b.example"),),
        received=NOW,
        date=None if age is None else NOW - age,
        headers=headers,
        verdicts=SIGNED.model_copy(update=verdicts),
    )
    try:
        validate(Case(message, email, "", route or Route(), frozenset(), NothingOnRecord(), lambda _: b""))
    except RefusedEmail as refused:
        return "told" if refused.tell_sender else refused.reason
    return None


def test_an_old_copy_that_only_dkim_authenticates_is_refused_silently() -> None:
    assert reason(timedelta(hours=72)) is None
    assert reason(timedelta(hours=72, seconds=1)) == "stale_message"
    assert reason(timedelta(days=270), dmarc="pass", dmarc_domain="b.example") == "stale_message"
    assert reason(timedelta(days=4), route=Route(max_age_hours=120)) is None


@pytest.mark.parametrize("age", [timedelta(days=4), timedelta(days=400)])
def test_old_mail_that_came_from_a_server_of_its_domain_is_not_stale(age: timedelta) -> None:
    """A message may wait in its author's outbox."""
    assert reason(age, spf_domain=IN_SUBDOMAIN) is None
    assert reason(age, spf_domain=IN_SUBDOMAIN, spf="fail") == "stale_message"


def test_a_message_of_tomorrow_or_without_a_date_is_not_stale() -> None:
    assert reason(-timedelta(days=2)) is None
    assert reason(None) is None


TODAY, LAST_YEAR = ("Date", "Tue, 24 Nov 2026 08:00:00 +0000"), ("Date", "Mon, 24 Nov 2025 08:00:00 +0000")


@pytest.mark.parametrize("on_top", [TODAY, ("Date", "no date"), ("Date", "")])
def test_a_date_in_front_of_the_signed_one_makes_an_old_copy_no_younger(on_top: tuple[str, str]) -> None:
    """RFC 6376 section 5.4.2: the last field of a name is the signed one."""
    assert reason(timedelta(0), headers=(on_top, LAST_YEAR)) == "stale_message"
    assert reason(None, headers=(on_top, LAST_YEAR)) == "stale_message"
    assert reason(None, headers=(LAST_YEAR,)) == "stale_message"
    assert reason(timedelta(0), headers=(on_top, TODAY)) is None
    assert reason(timedelta(0), headers=(on_top, LAST_YEAR, TODAY)) is None
    assert reason(timedelta(0), headers=(on_top, LAST_YEAR), spf_domain=IN_SUBDOMAIN) is None


@pytest.mark.parametrize(
    ("tags", "stale"),
    [
        ("v=1; d=b.example; t=1763971200; h=from", True),
        ("v=1; d=b.example; h=from; t = 1763971200", True),
        ("v=1; d=b.example; t=1763971200", True),
        ("t=1763971200;v=1", True),
        ("v=1; d=b.example; t=1795507200", False),
        ("v=1; d=b.example; t=1; bt=1763971200", False),
        ("v=1; d=b.example", False),
        ("v=1; d=b.example; t=999999999999999", False),
    ],
)
def test_a_copy_is_as_old_as_its_signature_whatever_its_date(tags: str, stale: bool) -> None:
    """RFC 6376 section 3.5, `t=`: here 24 November 2025 and 2026. A signature need not cover Date."""
    signed = (("DKIM-Signature", tags), TODAY)
    assert reason(timedelta(0), headers=signed) == ("stale_message" if stale else None)
    assert reason(timedelta(0), headers=signed, spf_domain=IN_SUBDOMAIN) is None


def test_a_replay_of_an_old_copy_is_processed() -> None:
    assert reason(timedelta(days=400), email=EMAIL.model_copy(update={"replay": True})) is None


def test_offline_the_date_of_a_message_does_not_matter() -> None:
    mail = mail_with({})
    mail["Date"] = "Mon, 01 Jan 2024 10:00:00 +0000"
    assert receive(mail, settings=Route()).refused_by() is None
