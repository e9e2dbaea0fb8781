"""Parts and attachments, and what kind of message it is."""

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstep import limits
from mailstep.filenames import safe_filename
from tests.support.messages import field, parsed
from tests.support.project import CASES


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
    assert "boundary_wrong" in message.defects


def test_parts_after_an_early_closing_delimiter_are_found() -> None:
    message = parsed(
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nhi\n--b--\n"
        "--b\nContent-Type: text/csv; name=a.csv\n\na\n--b--\n"
    )
    assert [attachment.filename for attachment in message.attachments] == ["a.csv"]
    assert "parts_after_end" in message.defects


def test_text_after_the_last_delimiter_is_noted() -> None:
    message = parsed("Content-Type: multipart/mixed; boundary=b\n\n--b\n\nhi\n--b--\nfooter of a list\n")
    assert "text_after_end" in message.defects


def test_an_inner_boundary_left_open_is_ended_by_the_outer_one() -> None:
    message = parsed(
        "Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/alternative; boundary=i\n\n--i\n\n"
        "text\n--i\nContent-Type: text/html\n\n<p>\n--o\nContent-Type: text/csv\n\na\n--o--\n"
    )
    assert (message.text, message.html, len(message.attachments)) == ("text", "<p>", 1)


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
        # Backslashes that no program doubled, quotes that RFC 2231 does not have, a fold with a tab.
        ('filename="C:\\Users\\Ann\\a.csv"', "a.csv"),
        ('filename="\\\\server\\share\\a.csv"', "a.csv"),
        ("filename*=utf-8''\"Gr%C3%BC.csv\"", "Grü.csv"),
        ('filename=a.csv"', "a.csv"),
        ('filename="long\n\tname.csv"', "long name.csv"),
        ('filename="Invoice 03/2025.pdf"', "Invoice 03_2025.pdf"),
        ('filename="AC/DC.csv"', "AC_DC.csv"),
        ('filename="a/../../b.csv"', "a_.._.._b.csv"),
        ('filename="/home/ann/a.csv"', "a.csv"),
        ('filename="~/a.csv"', "a.csv"),
        ('filename="file:///home/ann/a.csv"', "a.csv"),
        ('filename="a\x00b\x07.csv"', "a b .csv"),
        ("filename*=utf-8''a%0D%0Ab.csv", "ab.csv"),
        ("filename*=utf-8''%E2%80%AEvsc.exe", "vsc.exe"),
        ('filename=".."', "part-1.csv"),
        ('filename=""', "part-1.csv"),
        ("", "part-1.csv"),
        ('filename="' + "x" * 5000 + '.csv"', "x" * 196 + ".csv"),
    ],
)  # fmt: skip
def test_file_names_are_decoded_and_safe_and_never_in_a_key(parameters: str, name: str) -> None:
    kept: dict[str, bytes] = {}
    message = parsed(f"Content-Type: text/csv\nContent-Disposition: attachment; {parameters}\n\na,b\n", kept)
    assert [attachment.filename for attachment in message.attachments] == [name]
    assert list(kept) == ["parsed/m/attachments/1"]


@pytest.mark.parametrize(
    ("fields", "media_type", "name"),
    [
        ('Content-Type: text/csv\nContent-Disposition: filename="a.csv"', "text/csv", "a.csv"),
        ("Content-Type: text/csv\nContent-Disposition: filename=a.csv; size=3", "text/csv", "a.csv"),
        ('Content-Type: text/csv\nContent-Disposition: attachment filename="a b.csv"', "text/csv", "a b.csv"),
        ('Content-Type: text/csv name="a.csv"\nContent-Disposition: attachment', "text/csv", "a.csv"),
        ('Content-Type: text/csv\n name="a.csv"; x=y\nContent-Disposition: attachment', "text/csv", "a.csv"),
    ],
)
def test_a_name_is_read_though_the_value_or_the_semicolon_before_it_is_missing(
    fields: str, media_type: str, name: str
) -> None:
    [found] = parsed(f"{fields}\n\na,b\n").attachments
    assert (found.media_type, found.filename) == (media_type, name)


@given(st.text(max_size=400))
def test_any_file_name_is_one_file(name: str) -> None:
    made = safe_filename(name, "text/csv", 1)
    assert Path("/x", made).parent == Path("/x")
    assert 0 < len(made) <= limits.FILENAME
    assert made.isprintable()


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


def test_inline_is_what_the_disposition_says_else_what_the_html_shows() -> None:
    """RFC 2183 section 2.10; Gmail gives a Content-ID to every attachment."""
    parts = "".join(
        f"--b\nContent-Type: image/png\nContent-ID: <{number}@x>\n{disposition}\nPNG\n"
        for number, disposition in enumerate(
            ["", "", "Content-Disposition: attachment\n", "Content-Disposition: inline\n"]
        )
    )
    html = "<img src='cid:0@x'><img src=cid:2%40x>"
    message = parsed(
        f"Content-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html\n\n{html}\n{parts}--b--"
    )
    assert [attachment.inline for attachment in message.attachments] == [True, False, False, True]
    gmail = parsed((CASES / "mail" / "gmail-attachment.eml").read_bytes())
    assert [(a.filename, a.inline) for a in gmail.attachments] == [("order.csv", False)]


def test_an_undeclared_boundary_is_found_on_the_first_line_of_the_body() -> None:
    message = parsed("Content-Type: multipart/mixed\n\n--real\nContent-Type: text/plain\n\ntext\n--real--\n")
    assert (message.text, message.defects) == ("text", ("boundary_wrong",))


def test_another_file_named_winmail_dat_is_kept_whole() -> None:
    whole = parsed("Content-Type: application/ms-tnef; name=winmail.dat\n\nno TNEF at all\n")
    assert [attachment.filename for attachment in whole.attachments] == ["winmail.dat"]
    assert "tnef_unreadable" in whole.defects


def test_a_delivery_report_is_read(corpus: Path) -> None:
    message = parsed((Path(__file__).parents[2] / "events" / "emails" / "bounce.eml").read_bytes())
    assert message.delivery_report
    assert message.delivery_report.reporting_mta == "mx.partner.example"
    [recipient] = message.delivery_report.recipients
    assert (recipient.final_recipient, recipient.action, recipient.status) == ("ben@partner.example", "failed", "5.1.1")


REPORT = (
    "Reporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; bob@b.example\nAction: failed\nStatus: 5.1.1\n"
    "Diagnostic-Code: smtp; 550 unknown user\n"
)


@pytest.mark.parametrize(
    "report",
    [
        REPORT,
        f"\n{REPORT}".replace("\n\nFinal", "\n \n\nFinal"),
        REPORT.replace("mx.example", "mx.example (tcp-daemon)").replace("5.1.1", "5.1.1 (bad mailbox)"),
        REPORT.replace("failed", "Failed (permanently)").replace("bob@b.example", "<bob@b.example>"),
        REPORT.replace("550 unknown", "550\n    unknown"),
    ],
)
@pytest.mark.parametrize("media_type", ["message/delivery-status", "message/global-delivery-status"])
def test_a_delivery_report_is_read_as_each_mail_system_writes_it(report: str, media_type: str) -> None:
    """RFC 3464 section 2.1 (comments, folds, empty lines) and RFC 6533 section 4; a gateway adds a footer."""
    parts = f"multipart/report; boundary=r\n\n--r\n\nNot delivered.\n--r\nContent-Type: {media_type}\n\n{report}\n--r--"
    for written in (parts, f"multipart/mixed; boundary=m\n\n--m\nContent-Type: {parts}\n--m\n\nfooter\n--m--"):
        found = parsed(f"From: mailer-daemon@b.example\nContent-Type: {written}\n").delivery_report
        assert found
        [one] = found.recipients
        assert (found.reporting_mta, one.final_recipient, one.action, one.status, one.diagnostic_code) == (
            "mx.example", "bob@b.example", "failed", "5.1.1", "550 unknown user",
        )  # fmt: skip


def test_the_method_is_of_the_first_calendar_part_that_has_one() -> None:
    parts = ["BEGIN:VCALENDAR\nEND:VCALENDAR", "BEGIN:VCALENDAR\nMETHOD:REPLY\nEND:VCALENDAR"]
    mixed = "".join(f"--b\nContent-Type: text/calendar\n\n{part}\n" for part in parts)
    assert parsed(f"Content-Type: multipart/mixed; boundary=b\n\n{mixed}--b--").calendar_method == "REPLY"


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


@pytest.mark.parametrize(
    ("multipart", "types", "found"),
    [
        ("signed", ("text/plain", "application/pgp-signature"), ("pgp", None)),
        ("signed; protocol=application/x-pgp-signature", ("text/plain", "application/x"), ("pgp", None)),
        ("signed", ("text/plain", "application/pkcs7-signature"), ("smime", None)),
        ("mixed", ("text/plain", "application/pgp-encrypted", "application/octet-stream"), (None, "pgp")),
    ],
)
def test_the_parts_tell_what_a_lost_parameter_or_subtype_told(
    multipart: str, types: tuple[str, ...], found: tuple[str | None, str | None]
) -> None:
    """RFC 1847 asks for `protocol`; Exchange makes `multipart/encrypted` (RFC 3156) `multipart/mixed`."""
    parts = "".join(f"--b\nContent-Type: {media_type}\n\nx\n" for media_type in types)
    message = parsed(f"Content-Type: multipart/{multipart}; boundary=b\n\n{parts}--b--")
    assert (message.signed, message.encrypted) == found
