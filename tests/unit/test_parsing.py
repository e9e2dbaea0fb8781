"""Parsing, feature by feature: what a careful reader would find, and nothing a sender says in SES's name."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import fuzz
from mailstep import bounds
from mailstep.contracts import Message, StoredEmail
from mailstep.errors import UnreadableEmail
from mailstep.parsing import envelope, parse, safe_filename

EMAIL = StoredEmail(id="m", bucket="b", key="inbound/orders/m")
SES = (
    "Return-Path: <ann@shop.example>\r\n"
    "Received: from mx.shop.example (mx.shop.example [198.51.100.7])\r\n by inbound-smtp.us-east-1.amazonaws.com"
    " with SMTP id x\r\n for orders@mail.example;\r\n Tue, 24 Nov 2026 08:30:02 +0000 (UTC)\r\n"
    "X-SES-Spam-Verdict: {spam}\r\n"
    "X-SES-Virus-Verdict: {virus}\r\n"
    "Received-SPF: pass (spfCheck: ok) client-ip=198.51.100.7; envelope-from=ann@shop.example; helo=mx;\r\n"
    "Authentication-Results: amazonses.com;\r\n spf=pass (spfCheck: ok) client-ip=198.51.100.7;\r\n"
    " dkim={dkim} header.i=@shop.example;\r\n dmarc={dmarc} header.from=shop.example;\r\n"
)


def parsed(text: str | bytes, contents: dict[str, bytes] | None = None) -> Message:
    raw = text.replace("\n", "\r\n").encode() if isinstance(text, str) else text
    kept = {} if contents is None else contents
    return parse(raw, EMAIL, kept.__setitem__)


def field(name: str, value: str | bytes) -> Message:
    octets = value if isinstance(value, bytes) else value.encode()
    return parsed(b"%s: %s\r\n\r\nx\r\n" % (name.encode(), octets))


# ---- Header fields ----


@pytest.mark.parametrize(
    ("value", "subject"),
    [
        ("=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        ("=?utf-8?b?R3LDvMOfZQ==?= =?utf-8?q?_aus?= Bern", "Grüße aus Bern"),
        ("=?utf-8?q?Gr=C3?= =?utf-8?q?=BC=C3=9Fe?=", "Grüße"),
        ("=?iso-8859-1?q?Gr=FC=DFe?=", "Grüße"),
        ("=?no-such-charset?q?Gr=C3=BC?=", "Grü"),
        ("=?utf-8?b?a?=", "=?utf-8?b?a?="),
        (b"Gr\xc3\xbc\xc3\x9fe", "Grüße"),
        (b"Gr\xfc\xdfe", "Grüße"),
        ("a\r\n\tb", "a b"),
        ("a\0b\x07c", "a b c"),
    ],
)
def test_subjects_are_decoded(value: str | bytes, subject: str) -> None:
    assert field("Subject", value).subject == subject


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a@b.example", [("", "a@b.example", None)]),
        ("Ann <a@b.example>, c@d.example", [("Ann", "a@b.example", None), ("", "c@d.example", None)]),
        ('"Archer, Ann" <a@b.example>', [("Archer, Ann", "a@b.example", None)]),
        ("=?utf-8?q?Zo=C3=AB=2C?= <z@b.example>", [("Zoë,", "z@b.example", None)]),
        ("a@b.example (Ann (the first) Archer)", [("the first", "a@b.example", None)]),
        ("Team: a@b.example, Ann <c@d.example>;, e@f.example",
         [("", "a@b.example", "Team"), ("Ann", "c@d.example", "Team"), ("", "e@f.example", None)]),
        ("Ann a@b.example", [("Ann", "a@b.example", None)]),
        ("undisclosed-recipients:;", []),
        ("<<a@b.example>>", [("", "a@b.example", None)]),
        ("Ann <@relay.example:a@b.example>", [("Ann", "a@b.example", None)]),
        ("jürgen@müller.example", [("", "jürgen@müller.example", None)]),
        ("x" * 400 + "@b.example", []),
    ],
)  # fmt: skip
def test_addresses_are_found_as_a_reader_would(value: str, expected: list[tuple[str, str, str | None]]) -> None:
    assert [(a.name, a.address, a.group) for a in field("To", value).to] == expected


def test_a_from_without_an_address_has_a_defect_that_says_so() -> None:
    assert "From has no address in it" in field("From", "the management").defects


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Tue, 24 Nov 2026 09:30:00 +0100", "2026-11-24T09:30:00+01:00"),
        ("24 Nov 26 09:30 GMT", "2026-11-24T09:30:00+00:00"),
        ("2026-11-24 09:30:00", "2026-11-24T09:30:00+00:00"),
        ("yesterday", None),
        ("Tue, 99 Nov 99999999999 09:30:00 +9999", None),
    ],
)
def test_dates_keep_their_offset_or_their_text(value: str, expected: str | None) -> None:
    message = field("Date", value)
    assert (message.date.isoformat() if message.date else None) == expected
    assert message.date_raw == (None if expected else value)


def test_a_header_without_its_empty_line_loses_nothing() -> None:
    message = parsed("From: a@b.example\nSubject: x\nThis is the body.\n\nAnd more.\n")
    assert message.text == "This is the body.\n\nAnd more.\n"
    assert "the header does not end with an empty line" in message.defects


# ---- Bodies ----


def test_all_parts_that_are_to_be_read_are_read_in_order() -> None:
    message = parsed(
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nfirst\n--b\nContent-Type: image/png\n\nPNG\n"
        "--b\n\nlast\n--b--"
    )
    assert (message.text, len(message.attachments)) == ("first\nlast", 1)


@pytest.mark.parametrize("declared", ['; boundary="other"', "", "; boundary="])
def test_a_missing_or_wrong_boundary_loses_no_part(declared: str) -> None:
    message = parsed(
        f"Content-Type: multipart/mixed{declared}\n\n--real\nContent-Type: text/plain\n\ntext\n--real\n"
        "Content-Type: text/csv; name=a.csv\n\na,b\n--real--\n"
    )
    assert message.text == "text"
    assert [attachment.filename for attachment in message.attachments] == ["a.csv"]
    assert any("boundary" in defect for defect in message.defects)


def test_an_inner_boundary_left_open_is_ended_by_the_outer_one() -> None:
    message = parsed(
        "Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/alternative; boundary=i\n\n--i\n\n"
        "text\n--i\nContent-Type: text/html\n\n<p>\n--o\nContent-Type: text/csv\n\na\n--o--\n"
    )
    assert (message.text, message.html, len(message.attachments)) == ("text", "<p>", 1)


@pytest.mark.parametrize(
    ("charset", "octets", "text"),
    [
        ("iso-8859-1", b"\x93quoted\x94", "“quoted”"),
        ("us-ascii", "Grüße".encode(), "Grüße"),
        ("utf-8", b"caf\xe9 au lait, cr\xe8me br\xfbl\xe9e", "café au lait, crème brûlée"),
        ("no-such", "Grüße".encode(), "Grüße"),
        ("gb2312", "你好".encode("gbk"), "你好"),
        ("base64", b"plain", "plain"),
        ("x\0y", b"plain", "plain"),
        ("utf-7", b"+2D3cAA-", None),
    ],
)
def test_text_is_read_in_the_character_set_that_was_meant(charset: str, octets: bytes, text: str | None) -> None:
    message = parsed(b'Content-Type: text/plain; charset="%s"\r\n\r\n%s' % (charset.encode(), octets))
    assert text is None or message.text == text
    message.model_dump_json()


def test_a_long_text_is_cut_and_kept_whole() -> None:
    kept: dict[str, bytes] = {}
    long = "ü" * bounds.TEXT
    message = parsed(f"Content-Type: text/plain; charset=utf-8\n\n{long}", kept)
    assert message.text == long[: bounds.TEXT // 2]
    assert list(kept.values()) == [long.encode()]


def test_the_reply_is_found_above_what_it_quotes() -> None:
    text = "Great, see you!\n\nOn Tue, 24 Nov 2026 at 09:30, Ann <a@b.example> wrote:\n> Are you open?\n> Ann\n"
    assert parsed(f"Subject: x\n\n{text}").reply_text == "Great, see you!"


# ---- Attachments ----


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ('filename="a.csv"', "a.csv"),
        ("filename*=utf-8''Gr%C3%BC%C3%9Fe.csv", "Grüße.csv"),
        ("filename*0=\"long \"; filename*1=\"name.csv\"", "long name.csv"),
        ("filename*0*=utf-8''Gr%C3; filename*1*=%BC.csv", "Grü.csv"),
        ('filename="=?utf-8?q?Gr=C3=BC=C3=9Fe?=.csv"', "Grüße.csv"),
        ("filename=unquoted name.csv", "unquoted name.csv"),
        ('filename="../../etc/passwd"', "passwd"),
        ('filename="C:\\\\x\\\\evil.exe"', "evil.exe"),
        ('filename="a\x00b\x07.csv"', "a b .csv"),
        ("filename*=utf-8''a%0D%0Ab.csv", "ab.csv"),
        ("filename*=utf-8''%E2%80%AEvsc.exe", "vsc.exe"),
        ('filename=".."', "part-1.csv"),
        ('filename=""', "part-1.csv"),
        ("", "part-1.csv"),
        ('filename="' + "x" * 5000 + '.csv"', "x" * 251 + ".csv"),
    ],
)  # fmt: skip
def test_file_names_are_decoded_and_safe_and_never_in_a_key(parameters: str, name: str) -> None:
    kept: dict[str, bytes] = {}
    message = parsed(f"Content-Type: text/csv\nContent-Disposition: attachment; {parameters}\n\na,b\n", kept)
    assert [attachment.filename for attachment in message.attachments] == [name]
    assert list(kept) == ["parsed/m/attachments/1"]


@given(st.text(max_size=400))
def test_any_file_name_is_one_file(name: str) -> None:
    made = safe_filename(name, "text/csv", 1)
    assert Path("/x", made).parent == Path("/x")
    assert 0 < len(made) <= bounds.FILENAME
    assert made.isprintable()


@pytest.mark.parametrize(
    ("encoding", "encoded", "decoded"),
    [
        ("base64", b"YSxi", b"a,b"),
        ("BASE64", b"YS\r\nxi\r\n", b"a,b"),
        ("base64", b"YSxiYw", b"a,bc"),
        ("base64", b"this is no base64 at all, but plain text. (really)", None),
        ("quoted-printable", b"a=2Cb=\r\nc", b"a,bc"),
        ("x-uuencode", b"begin 644 a\r\n#82QB\r\n`\r\nend\r\n", b"a,b"),
        ("no-such", b"kept", b"kept"),
    ],
)
def test_transfer_encodings_are_undone_and_what_cannot_be_is_kept(
    encoding: str, encoded: bytes, decoded: bytes | None
) -> None:
    kept: dict[str, bytes] = {}
    head = b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: %s\r\n\r\n" % encoding.encode()
    message = parsed(head + encoded, kept)
    assert list(kept.values()) == [encoded if decoded is None else decoded]
    assert (decoded is not None and encoding != "no-such" and encoded != b"YSxiYw") == (message.defects == ())


def test_a_nested_message_is_an_attachment_with_its_subject() -> None:
    nested = "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\nFrom: a@b.example\n\nhello\n"
    message = parsed(
        f"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nsee\n--b\nContent-Type: message/rfc822\n\n{nested}\n--b--"
    )
    [attachment] = message.attachments
    assert (attachment.subject, attachment.filename) == ("Grüße", "Grüße.eml")
    assert message.text == "see"


def test_the_media_type_is_told_from_the_octets_too() -> None:
    png = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(100)).decode()
    message = parsed(f"Content-Type: text/csv; name=a.csv\nContent-Transfer-Encoding: base64\n\n{png}\n")
    [attachment] = message.attachments
    assert (attachment.media_type, attachment.media_type_detected) == ("text/csv", "image/png")


def test_a_calendar_and_an_inline_picture_are_attachments_that_say_so() -> None:
    message = parsed(
        "Content-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html\n\n<img src=cid:1@x>\n--b\n"
        "Content-Type: image/png\nContent-ID: <1@x>\n\nPNG\n--b\nContent-Type: text/calendar\n\nBEGIN:VCALENDAR\n--b--"
    )
    assert [(a.media_type, a.content_id, a.inline) for a in message.attachments] == [
        ("image/png", "1@x", True),
        ("text/calendar", None, False),
    ]


def test_winmail_dat_is_unpacked_or_kept_whole(corpus: Path) -> None:
    path = corpus / "mimekit/messages/tnef/rich-text.eml"
    message = parsed(path.read_bytes())
    assert message.attachments
    whole = parsed("Content-Type: application/ms-tnef; name=winmail.dat\n\nno TNEF at all\n")
    assert [attachment.filename for attachment in whole.attachments] == ["winmail.dat"]
    assert "winmail.dat cannot be read: it is kept whole" in whole.defects


# ---- What kind of message ----


def test_a_delivery_report_is_read(corpus: Path) -> None:
    message = parsed((Path(__file__).parents[2] / "events" / "emails" / "bounce.eml").read_bytes())
    assert message.delivery_report
    assert message.delivery_report.reporting_mta == "mx.partner.example"
    [recipient] = message.delivery_report.recipients
    assert (recipient.final_recipient, recipient.action, recipient.status) == ("ben@partner.example", "failed", "5.1.1")


@pytest.mark.parametrize(
    ("content_type", "signed", "encrypted"),
    [
        ('multipart/signed; protocol="application/pgp-signature"; boundary=b', "pgp", None),
        ('multipart/signed; protocol="application/pkcs7-signature"; boundary=b', "smime", None),
        ('multipart/encrypted; protocol="application/pgp-encrypted"; boundary=b', None, "pgp"),
        ("application/pkcs7-mime; smime-type=enveloped-data", None, "smime"),
        ("application/pkcs7-mime; smime-type=signed-data", "smime", None),
        ("text/plain", None, None),
    ],
)
def test_signed_and_encrypted_mail_is_marked(content_type: str, signed: str | None, encrypted: str | None) -> None:
    message = field("Content-Type", content_type)
    assert (message.signed, message.encrypted) == (signed, encrypted)


# ---- Whom to believe ----


def stored(rest: str, **verdicts: str) -> Message:
    said = {"spam": "PASS", "virus": "PASS", "dkim": "pass", "dmarc": "pass"} | verdicts
    return parsed((SES.format(**said) + rest.replace("\n", "\r\n")).encode())


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


# ---- Nothing raises, nothing grows ----


@pytest.mark.parametrize("raw", [b"", b"\x00\x01\x02 nothing", b"\x89PNG\r\n\x1a\n" + bytes(50)])
def test_what_is_no_message_is_unreadable(raw: bytes) -> None:
    with pytest.raises(UnreadableEmail):
        parsed(raw)


def test_what_ses_stored_without_a_header_or_text_is_unreadable() -> None:
    with pytest.raises(UnreadableEmail):
        stored("\x00\x01\x02 nothing\n")


def test_state_stays_small_whatever_the_header_says() -> None:
    message = parsed(f"From: {'a' * 9000}@b.example\nMessage-ID: <{'m' * 300_000}@x>\nSubject: {'s' * 300_000}\n\nx")
    assert len(envelope(message).model_dump_json()) < 2_000


@given(st.binary(max_size=3_000))
def test_any_octets_are_parsed_or_unreadable(raw: bytes) -> None:
    assert fuzz.broken_promise(raw, watch_memory=False) is None


@given(st.lists(st.sampled_from(
    [b"Content-Type: multipart/mixed; boundary=b", b"--b", b"--b--", b"", b"From: a@b", b" folded", b"=?utf-8?q?=C3?=",
     b"Content-Transfer-Encoding: base64", b"YQ==", b"text", b"Content-Type: message/rfc822", b"\0", b"Subject: \xff"]
), max_size=40))  # fmt: skip
def test_any_lines_are_parsed_or_unreadable(some: list[bytes]) -> None:
    assert fuzz.broken_promise(b"\r\n".join(some), watch_memory=False) is None


def test_mutated_real_messages_are_parsed_or_unreadable(corpus: Path) -> None:
    """The short, seeded form of `python -m bench.fuzz`."""
    originals = fuzz.seeds(corpus)
    for seed in range(1_500):
        raw = fuzz.mutate(originals, seed)
        assert fuzz.broken_promise(raw, watch_memory=seed % 10 == 0) is None, seed


HEAD = b"From: a@b.example\r\nTo: c@d.example\r\n"
MIXED = HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
EXTREMES: dict[str, bytes] = {
    "10,000 nested parts": HEAD
    + b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(10_000)),
    "10,000 parts": MIXED + b"--b\r\n\r\nx\r\n" * 10_000 + b"--b--",
    "100,000 header fields": HEAD + b"X-A: y\r\n" * 100_000 + b"\r\nx",
    "a header line of 1 MB": HEAD + b"X-A: " + b"y" * 1_000_000 + b"\r\n\r\nx",
    "a header field of 300,000 lines": HEAD + b"X-A: " + b"y\r\n " * 300_000 + b"\r\n\r\nx",
    "50,000 recipients": HEAD + b"Cc: " + b",\r\n ".join(b"u%d@x.example" % n for n in range(50_000)) + b"\r\n\r\nx",
    "50,000 encoded words": HEAD + b"Subject: " + b"=?utf-8?q?=C3?= " * 50_000 + b"\r\n\r\nx",
    "20 MB of near delimiters": HEAD + b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + b"--ab" * 5_000_000,
    "20,000 parameters": HEAD + b"Content-Type: text/plain" + b"; a*0*=x" * 20_000 + b"\r\n\r\nx",
    "nothing but blank lines": HEAD + b"\r\n" + b" \n" * 500_000,
    "quotes within quotes": HEAD + b"\r\n" + b"".join(b">" * (n % 400) + b" x\n" for n in range(20_000)),
    "40 MB in one attachment": MIXED
    + b"--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    + base64.encodebytes(bytes(range(256)) * 116_000)
    + b"--b--",
    "40 MB of text": HEAD + b"\r\n" + b"hello world, this is text \xc3\xbc\r\n" * 1_350_000,
    "25 MB in the wrong character set": HEAD
    + b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
    + bytes(range(128, 256)) * 200_000,
}  # fmt: skip


@pytest.mark.parametrize("name", EXTREMES)
def test_extremes_stay_within_time_and_memory(name: str) -> None:
    assert fuzz.broken_promise(EXTREMES[name], watch_memory=True) is None


def test_the_contract_is_json_of_its_schema_names() -> None:
    said: dict[str, Any] = json.loads(parsed("From: a@b.example\n\nx").model_dump_json())
    assert said["schema"] == "mailstep.message/1"
    assert said["from"] == [{"name": "", "address": "a@b.example", "group": None}]
