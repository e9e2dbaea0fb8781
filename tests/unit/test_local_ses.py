"""The local SES receives as SES does: which rule covers an address, and the fields that it writes on a message."""

import re
from dataclasses import replace

import pytest

from mailstep.contracts import Verdicts
from mailstep_local.ses_receiving import matches
from mailstep_local.ses_trace import Received, trace
from tests.support.messages import parsed


@pytest.mark.parametrize(
    ("condition", "address", "covered"),
    [
        # Amazon SES Developer Guide, "Creating receipt rules": the forms of a recipient condition.
        ("user@example.com", "user@example.com", True),
        ("user@example.com", "User@Example.COM", True),
        ("user@example.com", "user+label@example.com", True),
        ("user@example.com", "user+a+b@example.com", True),
        ("user@example.com", "users@example.com", False),
        ("user@example.com", "user@sub.example.com", False),
        ("user+label@example.com", "user+label@example.com", True),
        ("user+label@example.com", "user@example.com", False),
        ("user+label@example.com", "user+other@example.com", False),
        ("example.com", "anyone+label@example.com", True),
        ("example.com", "user@sub.example.com", False),
        (".example.com", "user@sub.example.com", True),
        (".example.com", "user@a.sub.example.com", True),
        (".example.com", "user@example.com", False),
        (".example.com", "user@badexample.com", False),
    ],
)
def test_a_receipt_rule_covers_the_addresses_that_ses_documents(condition: str, address: str, covered: bool) -> None:
    assert matches(condition, address) is covered


ORDINARY = Received(
    region="us-east-1",
    message_id="3q0rmnil0e2ic28tr5q4s9v8d2f1g7h6j5k4l3a2",
    client="203.0.113.50",
    helo="mail-wm1-f50.mailhost.example",
    mail_from="ann@mailhost.example",
    recipient="orders@mail.shop.example",
    scanned=True,
)


def test_a_message_of_two_recipients_names_neither() -> None:
    """RFC 5321 section 7.2: naming one would show it to the other."""
    raw = trace(replace(ORDINARY, recipient=None), b"From: a@b.example\r\n\r\nx").decode()
    assert not re.search(r"^\s+for ", raw, re.MULTILINE)
    assert parsed(raw.encode()).received is not None


def mail(domain: str) -> bytes:
    return f"From: Ann <ann@{domain}>\r\nSubject: x\r\n\r\nx".encode()


def lines(domain: str = "mailhost.example", received: Received = ORDINARY) -> list[str]:
    return trace(received, mail(domain)).decode().split("\r\n")[:-1]


def found(domain: str, received: Received = ORDINARY) -> Verdicts:
    return parsed(trace(received, mail(domain)) + mail(domain)).verdicts


def test_the_fields_on_top_are_those_of_a_message_that_ses_stored() -> None:
    # ../shared/cases/ses/ordinary.eml, except for the domain of the SPF record.
    spf = (
        "pass (spfCheck: domain of mailhost.example designates 203.0.113.50 as permitted sender) "
        "client-ip=203.0.113.50; envelope-from=ann@mailhost.example; helo=mail-wm1-f50.mailhost.example;"
    )
    written = lines()
    assert re.fullmatch(r" \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000 \(UTC\)", written.pop(4))
    assert written[:11] == [
        "Return-Path: <ann@mailhost.example>",
        "Received: from mail-wm1-f50.mailhost.example (mail-wm1-f50.mailhost.example [203.0.113.50])",
        " by inbound-smtp.us-east-1.amazonaws.com with SMTP id 3q0rmnil0e2ic28tr5q4s9v8d2f1g7h6j5k4l3a2",
        " for orders@mail.shop.example;",
        "X-SES-Spam-Verdict: PASS",
        "X-SES-Virus-Verdict: PASS",
        f"Received-SPF: {spf}",
        "Authentication-Results: amazonses.com;",
        f" spf={spf}",
        " dkim=pass header.i=@mailhost.example;",
        " dmarc=pass header.from=mailhost.example;",
    ]
    assert [line.partition(":")[0] for line in written[11:]] == ["X-SES-RECEIPT", "X-SES-DKIM-SIGNATURE"]


@pytest.mark.parametrize(
    ("label", "line"),
    [
        # ../shared/cases/ses/softfail-properties-from.eml, gray-and-processing-failed.eml and foreign-dkim-….eml
        (
            "spf-softfail",
            "softfail (spfCheck: transitioning domain of mailhost.example does not designate 203.0.113.50",
        ),
        ("spf-none", "none (spfCheck: 203.0.113.50 is neither permitted nor denied by domain of mailhost.example)"),
        ("spf", "fail (spfCheck: domain of mailhost.example does not designate 203.0.113.50 as permitted sender)"),
    ],
)
def test_spf_is_said_in_sess_words(label: str, line: str) -> None:
    written = lines(f"{label}.simulator.example")
    assert any(each.startswith(f"Received-SPF: {line}") for each in written)
    assert any(each.startswith(f" spf={line}") for each in written)


def test_the_senders_domain_names_each_verdict_that_ses_has() -> None:
    both = found("spam-gray.virus-processing-failed.simulator.example")
    assert (both.spam, both.virus, both.spf, both.dkim, both.dmarc) == (
        "GRAY",
        "PROCESSING_FAILED",
        "pass",
        "pass",
        "pass",
    )
    both = found("spam.virus.simulator.example")
    assert (both.spam, both.virus) == ("FAIL", "FAIL")
    assert found("spam-absent.simulator.example").spam is None
    assert found("spam-absent.simulator.example").virus == "PASS"
    for result in ("fail", "softfail", "neutral", "none", "temperror", "permerror"):
        assert found(f"spf-{result}.simulator.example").spf == result
        assert found(f"dmarc-{result}.simulator.example").dmarc == result
        assert found(f"dkim-{result}.simulator.example").dkim == result
    assert found("spf-absent.simulator.example").spf is None
    assert found("dkim-absent.dmarc-absent.simulator.example").dkim is None
    assert found("dkim-absent.dmarc-absent.simulator.example").dmarc is None


def test_a_name_that_is_no_result_changes_nothing() -> None:
    assert found("spam-softfail.dkim-gray.bounce.simulator.example").spam == "PASS"
    assert found("spam-softfail.dkim-gray.bounce.simulator.example").dkim == "pass"


def test_without_a_rule_that_asks_for_scanning_the_verdicts_are_absent() -> None:
    verdicts = found("mailhost.example", replace(ORDINARY, scanned=False))
    assert (verdicts.spam, verdicts.virus, verdicts.spf) == (None, None, "pass")


@pytest.mark.parametrize("control", ["\r\n", "\n", "\r", "\x00", "\x0b", "\x85", "\u2028"])
def test_a_control_character_in_helo_or_mail_from_begins_no_line(control: str) -> None:
    evil = f"evil.example{control}X-SES-Virus-Verdict: FAIL"
    received = replace(ORDINARY, helo=evil, mail_from=f"a@{evil}", recipient=f"orders@{evil}")
    assert [line[:10] for line in trace(received, mail("mailhost.example")).decode().splitlines()] == [
        line[:10] for line in lines(received=replace(ORDINARY, helo="evil", mail_from="a@evil"))
    ]
    assert found("mailhost.example", received).virus == "PASS"


@pytest.mark.parametrize("mail_from", ["", "<>"])
def test_the_null_reverse_path_is_empty_and_spf_checks_the_name_in_helo(mail_from: str) -> None:
    written = lines(received=replace(ORDINARY, mail_from=mail_from, helo="mx.mailhost.example"))
    assert written[0] == "Return-Path: <>"
    assert any("domain of mx.mailhost.example designates" in line for line in written)
