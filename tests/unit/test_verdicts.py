"""What SES found is believed, and nothing that a sender wrote in its name."""

import pytest

from mailstep.contracts import Message, Verdicts
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


# SES signs each message that it stores.
SIGNED = "X-SES-DKIM-SIGNATURE: a=rsa-sha256; d=amazonses.com; v=1\n"


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
        f"amazonses.com;\n spf=pass (spfCheck: evil.example) client-ip=1; envelope-from={envelope_from}; helo=x;"
        f"\n dkim=pass header.i={envelope_from};\n dmarc=fail header.from=victim.example;"
    )
    found = parsed(
        f"Return-Path: <{envelope_from}>\nReceived: from x\n by inbound-smtp.us-east-1.amazonaws.com\n"
        f"X-SES-Virus-Verdict: PASS\nReceived-SPF: pass envelope-from={envelope_from};\n"
        f"Authentication-Results: {results}\n{SIGNED}From: ceo@victim.example\n\nx"
    ).verdicts
    assert (found.virus, found.spf, found.dmarc) == ("PASS", "pass", "fail")
    assert found.spf_domain in {"evil.example", None}
    assert set(found.dkim_domains) <= {"evil.example"}


RECEIVED = "from mx\n by inbound-smtp.us-east-1.amazonaws.com with SMTP id x; Tue, 24 Nov 2026 08:30:02 +0000 (UTC)"


def block(*fields: str, results: str = "dmarc=pass header.from=shop.example;", received: str = RECEIVED,
          return_path: str = "ann@shop.example", below: str = "") -> Message:  # fmt: skip
    """A message with SES's fields on top, `fields` among them, and fields of the sender's directly below."""
    lines = (f"Return-Path: <{return_path}>", f"Received: {received}", *fields,
             f"Authentication-Results: amazonses.com;\n {results}")  # fmt: skip
    return parsed("\n".join((*lines, f"{below}{SIGNED}From: ann@shop.example", "", "x")))


def test_sess_block_ends_with_its_results_also_where_it_says_less() -> None:
    """If scanning is off, SES writes no verdict, and the sender wrote the field below."""
    found = block(below="X-SES-Spam-Verdict: PASS\nX-SES-Virus-Verdict: PASS\n").verdicts
    assert (found.spam, found.virus, found.dmarc) == (None, None, "pass")
    assert block("X-SES-Spam-Verdict: GRAY").verdicts.spam == "GRAY"


@pytest.mark.parametrize(
    "field",
    ["Return-Path: <ann@shop.example>", "Received: by mx.example", "Subject: x", "X-Other: x", "DKIM-Signature: v=1",
     "Authentication-Results: mx.example; dmarc=pass"],
)  # fmt: skip
def test_a_field_that_ses_does_not_write_there_makes_all_of_them_the_senders(field: str) -> None:
    assert block(field).verdicts == Verdicts()
    assert block("X-SES-Spam-Verdict: PASS").verdicts.dmarc == "pass"


@pytest.mark.parametrize(("method", "kept"), [("spf", "pass"), ("dkim", None), ("dmarc", "pass")])
def test_a_result_about_no_domain_names_no_domain_and_no_signature_passed(method: str, kept: str | None) -> None:
    found = block(results=f"{method}=pass;", return_path="").verdicts
    assert getattr(found, method) == kept
    assert (found.spf_domain, found.dkim_domains, found.dmarc_domain) == (None, (), None)


@pytest.mark.parametrize(
    ("identity", "domain"),
    [
        ("@shop.example", "shop.example"),
        ("ann@shop.example", "shop.example"),
        ("@SHOP.LUX", "shop.lux"),
        ("@XENON.example", "xenon.example"),
        ("bounce=ann=other.example@shop.example", "shop.example"),
    ],
)
def test_the_domain_is_read_from_each_form_of_an_identity(identity: str, domain: str) -> None:
    assert block(results=f"dkim=pass header.i={identity};").verdicts.dkim_domains == (domain,)
    assert block(results=f"dmarc=pass header.from={identity.rpartition('@')[2]};").verdicts.dmarc_domain == domain
    assert block(return_path=identity).verdicts.spf_domain == domain


@pytest.mark.parametrize(
    "received",
    [
        RECEIVED,
        RECEIVED.replace("(UTC)", ""),
        # RFC 5322 section 3.2.2: a comment may stand anywhere in a date; the date is behind the last semicolon.
        RECEIVED.replace("; Tue", "; (arrived) Tue").replace("2026", "(the year) 2026"),
        RECEIVED.replace("from mx", 'from mx (helo="a; Mon, 1 Jan 2001 00:00:00 +0000")'),
    ],
)
def test_the_time_of_receipt_is_behind_the_last_semicolon_of_sess_field(received: str) -> None:
    """RFC 5321 section 4.4."""
    message = block(received=received)
    assert message.received
    assert message.received.isoformat() == "2026-11-24T08:30:02+00:00"
