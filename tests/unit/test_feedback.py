"""What SES tells of replies: who is left alone for it, and who is not."""

import json
from typing import Any

import pytest

import feedback.handler
from mailstep import feedback as domain
from mailstep import ledger
from tests.conftest import EVENTS
from tests.unit.test_steps import CONTEXT

COMPLAINT = {"complainedRecipients": [{"emailAddress": "ann@shop.example"}]}


@pytest.fixture
def suppressed(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    found: dict[str, int] = {}
    monkeypatch.setattr(ledger, "suppress", lambda address, *, seconds: found.update({address: seconds}))
    return found


def bounce(kind: str) -> str:
    bounced = {"bounceType": kind, "bouncedRecipients": [{"emailAddress": "ann@shop.example"}]}
    return json.dumps({"eventType": "Bounce", "bounce": bounced, "mail": {}})


def complaint(**more: str) -> str:
    return json.dumps({"eventType": "Complaint", "complaint": COMPLAINT | more, "mail": {}})


def test_the_sample_event_suppresses_its_recipient(suppressed: dict[str, int]) -> None:
    feedback.handler.handler(json.loads((EVENTS / "feedback.json").read_text()), CONTEXT)
    assert suppressed == {"gone@shop.example": domain.BOUNCE_SECONDS}


@pytest.mark.parametrize(
    ("event", "seconds"),
    [
        (bounce("Permanent"), domain.BOUNCE_SECONDS),
        (bounce("Transient"), None),
        (bounce("Undetermined"), None),
        (complaint(), domain.COMPLAINT_SECONDS),
        (complaint(complaintFeedbackType="abuse"), domain.COMPLAINT_SECONDS),
        (complaint(complaintFeedbackType="not-spam"), None),
    ],
)
def test_who_bounced_for_good_or_complained_is_left_alone(
    suppressed: dict[str, int], event: str, seconds: int | None
) -> None:
    domain.record(event)
    assert suppressed == ({"ann@shop.example": seconds} if seconds else {})


@pytest.mark.parametrize("event", ["", "[]", '{"eventType": "Open"}', '{"eventType": "Bounce"}'])
def test_what_is_no_feedback_is_an_error_that_names_nobody(event: Any) -> None:
    with pytest.raises(ValueError, match="validation error"):
        domain.record(event)
