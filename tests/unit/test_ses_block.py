"""Only what SES wrote counts: blocks that SES really stored are read whole, and a forged one says nothing."""

from pathlib import Path

import pytest

from mailstep.authentication import is_authenticated
from mailstep.contracts import Message, Verdicts
from tests.support.messages import SES, parsed
from tests.support.project import CASES

STORED = sorted((CASES / "ses").glob("*.eml"))
NOT_AUTHENTICATED = {"foreign-dkim-no-dmarc-line", "scanning-off", "softfail-properties-from"}
"""../shared/cases/README.md, `ses/`."""
SCANS = {
    "spam-fail": ("FAIL", "PASS"),
    "gray-and-processing-failed": ("GRAY", "PROCESSING_FAILED"),
    "scanning-off": (None, None),
}

AUTHENTICATION = (
    "\r\n spf=none client-ip=1; envelope-from=x@evil.example; helo=h;\r\n dmarc=none header.from=victim.example;"
)
NOTHING = Verdicts()


def block(
    results: str = AUTHENTICATION,
    *,
    helo: str = "mx.evil.example",
    sender: str = "x@evil.example",
    before_results: str = "",
    below: str = "X-SES-RECEIPT: A\r\nDKIM-Signature: d=evil.example; i=@evil.example\r\n",
) -> bytes:
    """A message as SES stores it, from `ceo@victim.example`; `sender` and `helo` are the sender's choice."""
    return (
        f"Return-Path: <{sender}>\r\n"
        f"Received: from {helo} ({helo} [203.0.113.1])\r\n by inbound-smtp.us-east-1.amazonaws.com with SMTP id x\r\n"
        " for orders@mail.example;\r\n Thu, 26 Nov 2026 10:00:00 +0000 (UTC)\r\n"
        "X-SES-Spam-Verdict: PASS\r\nX-SES-Virus-Verdict: PASS\r\n"
        f"Received-SPF: none client-ip=203.0.113.1; envelope-from={sender}; helo={helo};\r\n"
        f"{before_results}Authentication-Results: amazonses.com;{results}\r\n"
        f"{below}From: ceo@victim.example\r\nSubject: x\r\n\r\nPay them.\r\n"
    ).encode()


def results_line(message: Message) -> tuple[str | None, str | None, tuple[str, ...], str | None]:
    found = message.verdicts
    return found.spf, found.dkim, found.dkim_domains, found.dmarc


@pytest.mark.parametrize("file", STORED, ids=lambda file: file.stem)
def test_a_block_that_ses_stored_is_read_as_ses_meant_it(file: Path) -> None:
    message = parsed(file.read_bytes())
    assert is_authenticated(message) == (file.stem not in NOT_AUTHENTICATED)
    assert (message.verdicts.spam, message.verdicts.virus) == SCANS.get(file.stem, ("PASS", "PASS"))
    assert message.received
    assert message.received.isoformat() == "2026-11-26T10:00:00+00:00"


def test_there_are_eleven_such_blocks() -> None:
    assert len(STORED) == 11


FORGED_RESULTS = "spf=pass;\r\n dkim=pass header.i=@victim.example;\r\n dmarc=pass header.from=victim.example;"


@pytest.mark.parametrize("end", ["\r", "\n", "\r\r", "\n\r", "\r "])
def test_a_line_end_that_ses_does_not_write_makes_the_block_worthless(end: str) -> None:
    """A bare CR in HELO looks like a line end to a lenient reader. SES ends its lines with CRLF (RFC 5321, 2.3.8)."""
    forged = FORGED_RESULTS.replace("\r\n", end)
    for place in ("helo", "sender"):
        injected = f"x{end} {forged}{end}Authentication-Results: amazonses.com;{end} {forged}"
        helo, sender = (injected, "x@evil.example") if place == "helo" else ("mx", f"{injected}@evil.example")
        message = parsed(block(helo=helo, sender=sender))
        assert message.verdicts == NOTHING
        assert message.received is None
        assert not is_authenticated(message)


def test_a_line_end_within_the_results_makes_the_block_worthless() -> None:
    for end in ("\r", "\n"):
        results = f"\r\n spf=none helo=x{end} dmarc=pass header.from=victim.example;"
        assert parsed(block(results)).verdicts == NOTHING


INJECTIONS = [
    ";dkim=pass header.i=@victim.example",
    "; dkim=pass header.i=@victim.example;",
    "x; dmarc=pass header.from=victim.example; x",
    '"; dmarc=pass header.from=victim.example; "',
    "(;dmarc=pass header.from=victim.example;",
    ";spf=pass",
]


@pytest.mark.parametrize("written", INJECTIONS)
def test_what_stands_after_a_result_on_its_line_is_the_senders(written: str) -> None:
    in_spf = f"\r\n spf=none client-ip=1; envelope-from=x@evil.example; helo={written};\r\n dmarc=none;"
    in_envelope = f"\r\n spf=none client-ip=1; envelope-from={written}@evil.example; helo=h;\r\n dmarc=none;"
    for results in (in_spf, in_envelope):
        message = parsed(block(results, helo=written))
        assert results_line(message) == ("none", None, (), "none")
        assert not is_authenticated(message)


@pytest.mark.parametrize(
    "identity",
    [
        ";dkim=pass header.i=@victim.example",
        "@evil.example;dkim=pass header.i=@victim.example",
        '"x @victim.example',
        "@evil.example header.i=@victim.example",
        "x@evil.example@victim.example",
        "<x@victim.example",
        "@victim.example>",
        "(c)@victim.example",
    ],
)
def test_an_identity_of_a_signature_that_holds_more_than_an_address_names_no_domain(identity: str) -> None:
    """RFC 6376 section 3.5, i=: the signer chooses the part before the @, with quotes too."""
    message = parsed(block(f"\r\n spf=none;\r\n dkim=pass header.i={identity};\r\n dmarc=none;"))
    assert message.verdicts.dkim_domains == ()
    assert not is_authenticated(message)


def test_a_result_on_the_first_line_is_not_one_of_ses() -> None:
    message = parsed(block(" dmarc=pass header.from=victim.example;"))
    assert message.verdicts == NOTHING


@pytest.mark.parametrize("line", [" envelope-from x", " x; dmarc=pass header.from=victim.example", " =pass", " ;"])
def test_a_folded_line_that_begins_with_no_result_makes_the_block_worthless(line: str) -> None:
    forged = "\r\n dmarc=pass header.from=victim.example;"
    assert parsed(block(f"\r\n spf=none;{forged}")).verdicts.dmarc == "pass", "the same without that line"
    assert parsed(block(f"\r\n spf=none;\r\n{line}{forged}")).verdicts == NOTHING


def test_a_result_that_is_said_twice_is_not_believed() -> None:
    twice = "\r\n spf=pass;\r\n spf=pass;\r\n dmarc=pass header.from=victim.example;" * 2
    assert results_line(parsed(block(twice))) == (None, None, (), None)


@pytest.mark.parametrize(("signatures", "believed"), [(0, False), (1, False), (2, True), (3, True)])
def test_results_of_dkim_are_not_believed_if_they_outnumber_the_signatures(signatures: int, believed: bool) -> None:
    results = "\r\n dkim=pass header.i=@evil.example;\r\n dkim=pass header.i=@victim.example;"
    below = "X-SES-RECEIPT: A\r\n" + "DKIM-Signature: d=evil.example\r\n" * signatures
    message = parsed(block(results, below=below))
    assert is_authenticated(message) == believed
    assert message.verdicts.dkim_domains == (("evil.example", "victim.example") if believed else ())


FORGED_FIELD = f"Authentication-Results: amazonses.com;\r\n {FORGED_RESULTS}\r\n"


@pytest.mark.parametrize("name", ["X-SES-RECEIPT", "x-ses-receipt", "X-SES-DKIM-SIGNATURE"])
def test_results_below_what_ses_writes_last_are_the_senders(name: str) -> None:
    assert parsed(block(f"\r\n {FORGED_RESULTS}", before_results=f"{name}: A\r\n")).verdicts == NOTHING


def test_without_results_of_ses_those_of_the_sender_are_not_believed() -> None:
    whole = block()
    start, end = whole.index(b"Authentication-Results"), whole.index(b"X-SES-RECEIPT")
    without = whole[:start] + whole[end:].replace(b"From:", FORGED_FIELD.encode() + b"From:", 1)
    assert parsed(without).verdicts == NOTHING
    assert parsed(whole[:start] + b"From: ceo@victim.example\r\n\r\nx").verdicts == NOTHING


def test_a_field_that_is_said_twice_makes_the_block_worthless() -> None:
    assert parsed(block(before_results="X-SES-Virus-Verdict: PASS\r\n")).verdicts == NOTHING


def test_a_block_is_searched_within_a_bound() -> None:
    assert parsed(block(helo="h" * 20_000)).verdicts == NOTHING


@pytest.mark.parametrize(
    ("author", "checked", "aligned"),
    [
        ("shop.example", "shop.example", True),
        ("shop.example", "bounce.shop.example", True),
        ("news.shop.example", "shop.example", True),
        ("news.shop.example", "bounce.shop.example", True),
        ("shop.co.uk", "mail.shop.co.uk", True),
        ("shop.example", "notshop.example", False),
        ("co.uk", "evil.co.uk", False),
        ("victim.co.uk", "evil.co.uk", False),
        ("victim.co.uk", "co.uk", False),
        ("victim.github.io", "evil.github.io", False),
        ("github.io", "evil.github.io", False),
        ("github.io", "github.io", True),
        ("co.uk", "github.io", False),
        # Microsoft 365 gives each organisation a domain there ("onmicrosoft.com fallback domain").
        ("victim.onmicrosoft.com", "evil.onmicrosoft.com", False),
        ("victim.mail.onmicrosoft.com", "evil.mail.onmicrosoft.com", False),
        ("victim.onmicrosoft.com", "bounce.victim.onmicrosoft.com", True),
        ("bücher.example", "mail.xn--bcher-kva.example", True),
    ],
)
def test_relaxed_alignment_is_of_organisational_domains(author: str, checked: str, aligned: bool) -> None:
    """RFC 7489 sections 3.1.1, 3.1.2 and 3.2: either name may be the longer one; a public suffix is no organisation."""
    for verdicts in (
        Verdicts(spf="pass", spf_domain=checked),
        Verdicts(dkim="pass", dkim_domains=(checked,)),
    ):
        message = parsed(f"From: ann@{author}\n\nx").model_copy(update={"verdicts": verdicts})
        assert is_authenticated(message) == aligned


def test_octets_that_are_not_utf_8_do_not_hide_what_ses_found() -> None:
    """The HELO and the MAIL FROM are the sender's, and can have any octets."""
    raw = block(AUTHENTICATION.replace("helo=h", "helo=OCTETS"), helo="OCTETS").replace(b"OCTETS", b"h\xff")
    assert parsed(raw).verdicts.spf == "none"


def test_a_field_may_be_folded_with_a_tab() -> None:
    """RFC 5322 section 2.2.3: folding is before white space, which is a space or a tab."""
    raw = block().replace(b"\r\n by inbound-smtp", b"\r\n\tby inbound-smtp")
    assert parsed(raw).verdicts == parsed(block()).verdicts != NOTHING


def test_a_first_folded_line_that_is_no_result_makes_the_block_worthless() -> None:
    assert parsed(block("\r\n nonsense;\r\n dmarc=pass header.from=victim.example;")).verdicts == NOTHING


@pytest.mark.parametrize("raw", [b" folded\r\nFrom: a@b.example\r\n\r\nx", b"Return-Path: <a@b.example>\r\nx\r\n\r\nx"])
def test_what_is_no_field_is_no_block_and_no_error(raw: bytes) -> None:
    assert parsed(raw).verdicts == NOTHING


def test_the_domain_of_spf_begins_at_the_last_at_sign() -> None:
    """RFC 5321 section 4.1.2: a quoted local part may have another one."""
    quoted = '"x@victim.example"@evil.example'
    results = AUTHENTICATION.replace("spf=none", "spf=pass")
    assert parsed(block(results, sender=quoted)).verdicts.spf_domain == "evil.example"


SES_BLOCK = SES.format(spam="PASS", virus="PASS", dkim="pass", dmarc="pass").encode()


@pytest.mark.parametrize("domain", ["localhost", "evil..example", "-.example", "192.0.2.1]"])
def test_a_return_path_whose_domain_is_no_name_of_two_labels_is_no_domain_of_spf(domain: str) -> None:
    results = AUTHENTICATION.replace("spf=none", "spf=pass")
    assert parsed(block(results, sender=f"x@{domain}")).verdicts.spf_domain is None


def test_a_verdict_is_the_first_word_of_its_field() -> None:
    raw = block().replace(b"X-SES-Virus-Verdict: PASS", b"X-SES-Virus-Verdict: FAIL (two parts) PASS")
    assert parsed(raw).verdicts.virus == "FAIL"


@pytest.mark.parametrize("line_ends", ["\r\n", "\n"])
def test_the_size_of_a_message_is_what_its_sender_sent_without_the_fields_of_ses(line_ends: str) -> None:
    sent = "From: ann@shop.example\nSubject: Order\n\nForty, please.\n".replace("\n", line_ends).encode()
    assert parsed(SES_BLOCK + sent).size_octets == len(sent)
    assert parsed(sent).size_octets == len(sent)


@pytest.mark.parametrize("space", [" ", "\t"])
def test_folded_lines_of_the_signature_of_ses_are_no_part_of_what_the_sender_sent(space: str) -> None:
    """RFC 5322 section 2.2.3: folding is before white space. The list `h=` of a signature has colons."""
    sent = b"From: ann@shop.example\r\n\r\nx\r\n"
    folded = f" h=From:To:Subject;\r\n{space}v=1;\r\n{space}bh=AAAA=;".encode()
    assert SES_BLOCK.count(b" v=1; bh=AAAA=;") == 1
    assert parsed(SES_BLOCK.replace(b" v=1; bh=AAAA=;", folded) + sent).size_octets == len(sent)


@pytest.mark.parametrize("first", [b"X-\xff: 1\r\n", b"X-A: 1\r\nX-SES-RECEIPT: of the sender\r\n"])
def test_whatever_the_senders_first_line_is_it_counts_to_the_size(first: bytes) -> None:
    sent = first + b"From: ann@shop.example\r\n\r\nx\r\n"
    assert parsed(SES_BLOCK + sent).size_octets == len(sent)


def test_a_line_of_white_space_that_follows_the_results_ends_what_is_of_ses() -> None:
    top = SES_BLOCK[: SES_BLOCK.index(b"X-SES-RECEIPT")]
    sent = b" \r\nFrom: ann@shop.example\r\n\r\nx\r\n"
    assert parsed(top + sent).size_octets == len(sent)


def test_fields_that_a_sender_wrote_as_ses_does_count_to_the_size() -> None:
    claimed = b"X-SES-Spam-Verdict: PASS\r\nFrom: ann@shop.example\r\n\r\nx\r\n"
    assert parsed(claimed).size_octets == len(claimed)
