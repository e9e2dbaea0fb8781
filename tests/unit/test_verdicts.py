"""What SES found is believed, and nothing that a sender wrote in its name."""

import pytest

from tests.support.messages import parsed, stored


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


def test_when_ses_received_it_is_read_from_sess_own_field() -> None:
    message = stored("From: a@shop.example\n\nx")
    assert message.received
    assert message.received.isoformat() == "2026-11-24T08:30:02+00:00"
    assert parsed("Received: by x; Tue, 24 Nov 2026 08:30:02 +0000\nFrom: a@b.example\n\nx").received is None


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


@pytest.mark.parametrize(
    "envelope_from",
    [
        "=?u?q?=3Bdmarc=3Dpass=3B?=@evil.example",
        '"x;dmarc=pass;"@evil.example',
        '"x; dmarc=pass header.from=victim.example; "@evil.example',
        '"a@victim.example x"@evil.example',
        '"(a@victim.example"@evil.example',
        "x(;dmarc=pass;)@evil.example",
        "x(((y) ; dkim=pass header.d=victim.example (z) ))@evil.example",
    ],
)
def test_text_of_the_sender_in_sess_own_fields_is_no_verdict(envelope_from: str) -> None:
    results = (
        f"amazonses.com; spf=pass (spfCheck: evil.example) client-ip=1; envelope-from={envelope_from}; helo=x;"
        f" dkim=pass header.i={envelope_from}; dmarc=fail header.from=victim.example;"
    )
    found = parsed(
        f"Return-Path: <{envelope_from}>\nReceived: from x by inbound-smtp.us-east-1.amazonaws.com\n"
        f"X-SES-Virus-Verdict: PASS\nReceived-SPF: pass envelope-from={envelope_from};\n"
        f"Authentication-Results: {results}\nFrom: ceo@victim.example\n\nx"
    ).verdicts
    assert found.dmarc in {"fail", None}
    assert found.spf_domain in {"evil.example", None}
    assert set(found.dkim_domains) <= {"evil.example"}
