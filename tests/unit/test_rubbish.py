"""A message that could not be read alerts the operators only if it comes from a sender that SES authenticated."""

import boto3
import pytest

from mailstep.parse import handler as parse_handler
from tests.support.events import BUCKET, CONTEXT, REGION, event
from tests.support.project import EVENTS

pytestmark = pytest.mark.usefixtures("account")
STORED = (EVENTS / "stored-order.eml").read_bytes()
BODY = STORED.index(b"\r\n\r\n")


def alerts(raw: bytes | None) -> bool:
    """Whether the operators hear of the message, after it could not be read."""
    email = event("parse")
    s3 = boto3.client("s3", region_name=REGION)
    if raw is None:
        s3.delete_object(Bucket=BUCKET, Key=email["key"])
    else:
        s3.put_object(Bucket=BUCKET, Key=email["key"], Body=raw)
    said = parse_handler.handler(email | {"unreadable": True}, CONTEXT)
    assert said.keys() == {"alert_operators"}
    return bool(said["alert_operators"])


def changed(old: bytes, new: bytes) -> bytes:
    assert old in STORED[:BODY]
    return STORED.replace(old, new)


def test_mail_of_an_authenticated_sender_alerts() -> None:
    assert alerts(STORED)


@pytest.mark.parametrize("rest", [b"\0" * 200_000, b"(" * 200_000, b""], ids=["octets", "nesting", "nothing"])
def test_the_body_does_not_count_for_it_may_be_what_cannot_be_read(rest: bytes) -> None:
    assert alerts(STORED[: BODY + 4] + rest)


@pytest.mark.parametrize(
    "raw",
    [
        changed(b"Spam-Verdict: PASS", b"Spam-Verdict: FAIL"),
        changed(b"Virus-Verdict: PASS", b"Virus-Verdict: FAIL"),
        STORED[STORED.index(b"From:") :],
        b"\0\1\2 no header field here\n",
        b"X" * 100_000,
        b"",
    ],
    ids=["spam", "virus", "without SES's fields", "no email", "one long line", "empty"],
)
def test_rubbish_from_anybody_does_not_alert(raw: bytes) -> None:
    assert not alerts(raw)


def test_mail_of_a_forged_sender_does_not_alert() -> None:
    head = STORED[:BODY]
    for passed in (b"spf=pass", b"dkim=pass", b"dmarc=pass"):
        head = head.replace(passed, passed.replace(b"pass", b"fail"))
    assert head != STORED[:BODY]
    assert not alerts(head + STORED[BODY:])


def test_what_cannot_be_opened_alerts_because_nothing_is_known_of_it() -> None:
    assert alerts(None)
