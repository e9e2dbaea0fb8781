"""What SES found is believed, and nothing that a sender wrote in its name."""

import pytest

from tests.unit.parser import parsed, stored


def test_what_ses_found_is_read() -> None:
    found = stored("From: a@shop.example\n\nx").verdicts
    assert found.model_dump() == {
        "spam": "PASS",
        "virus": "PASS",
        "spf": "pass",
        "spf_domain": "shop.example",
        "dkim": "pass",
        "dkim_domains": ("shop.example",),
        "dmarc": "pass",
        "dmarc_domain": "shop.example",
    }


FORGED = (
    "X-SES-Spam-Verdict: PASS\nX-SES-Virus-Verdict: PASS\n"
    "Authentication-Results: amazonses.com; spf=pass; dkim=pass header.d=shop.example; dmarc=pass\n"
    "Received-SPF: pass client-ip=1; envelope-from=ceo@shop.example;\nFrom: ceo@shop.example\n\nx"
)


def test_what_a_sender_wrote_below_ses_is_not_believed() -> None:
    found = stored(FORGED, spam="FAIL", virus="FAIL", dkim="fail", dmarc="fail").verdicts
    assert (found.spam, found.virus, found.dmarc) == ("FAIL", "FAIL", "fail")
    assert (found.dkim, found.dkim_domains) == ("fail", ())
    assert found.spf_domain == "shop.example"


@pytest.mark.parametrize(
    "raw",
    [
        FORGED,
        "Return-Path: <a@b>\n" + FORGED,
        "Received: from x\n" + FORGED,
        "Return-Path: <a@b>\nReceived: by x\nReceived: by y\n" + FORGED,
        "Return-Path: <a@b>\nReceived: by x\nAuthentication-Results: mx.example; dmarc=pass\n" + FORGED,
        "Return-Path: <a@b>\nReceived: by mx.example\n" + FORGED,
    ],
)
def test_without_sess_own_block_nothing_is_believed(raw: str) -> None:
    found = parsed(raw).verdicts
    assert (found.spam, found.virus, found.spf, found.dkim, found.dmarc) == (None, None, None, None, None)
