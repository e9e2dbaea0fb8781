"""Every code that a Message can list as a defect comes of some message, and means one thing."""

import base64
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mailstep.contracts import Message
from mailstep.mime.defects import Defect
from mailstep_cli.cli import app
from tests.support.messages import parsed
from tests.support.project import CASES
from tests.support.tnef import BINARY, MESSAGE_PROPERTIES, attribute, file, prop, properties, tnef

HEAD = "From: a@b.example\n"
MIXED = HEAD + "Content-Type: multipart/mixed; boundary=b\n\n"
WHOLE = MIXED + "--b\n\nhello\n--b\nContent-Type: text/csv; name=a.csv\n\na,b\n--b--"
HTML = HEAD + "Content-Type: text/html\n\n<p>hello"
NESTED = HEAD + "Content-Type: message/rfc822\n\nSubject: inner\n\nhello"
REPORT = (
    HEAD + "Content-Type: multipart/report; boundary=b\n\n--b\n\nsorry\n--b\nContent-Type: message/delivery-status\n\n"
    "Reporting-MTA: dns; mx.example\n\nAction: failed\n--b--"
)


def encoded(octets: bytes, encoding: str = "base64", media_type: str = "application/pdf") -> bytes:
    fields = f"From: a@b.example\r\nContent-Type: {media_type}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return fields.encode() + octets


def packed(octets: bytes) -> bytes:
    return encoded(base64.encodebytes(octets), media_type="application/ms-tnef")


# The least message with the one fault that the code names.
MESSAGES: dict[str, str | bytes] = {
    "header_missing": "Dear all,\nhello\n",
    "header_not_ended": HEAD + "Dear all,\nhello\n",
    "header_truncated": HEAD + "X-A: " + "y" * 70_000 + "\n\nhello",
    "header_line_skipped": "Subject: x\nstray\nFrom: a@b.example\n\nhello",
    "white_space_before_header": "\n" + HEAD + "\nhello",
    "lines_before_header": "MAIL FROM <a@b.example>\n250 OK\n" + HEAD + "\nhello",
    "from_without_address": "From: the management\n\nhello",
    "to_without_address": "To: undisclosed-recipients:;\n\nhello",
    "cc_without_address": "Cc: all\n\nhello",
    "reply_to_without_address": "Reply-To: me\n\nhello",
    "addresses_truncated": HEAD + ("To: " + "user@shop.example, " * 1_000 + "\n") * 4 + "\nhello",
    "message_id_unreadable": HEAD + "Message-ID: none\n\nhello",
    "date_unreadable": HEAD + "Date: yesterday\n\nhello",
    "content_type_unreadable": HEAD + "Content-Type: text\n\nhello",
    "boundary_missing": HEAD + "Content-Type: multipart/mixed\n\nhello",
    "parts_missing": MIXED + "hello",
    "boundary_wrong": MIXED.replace("=b", "=x") + "\n--b\nContent-Type: text/plain\n\nhello\n--b--",
    "multipart_not_closed": MIXED + "--b\n\nhello",
    "parts_after_end": MIXED + "--b\n\nhello\n--b--\n--b\n\nand more\n--b--",
    "text_after_end": MIXED + "--b\n\nhello\n--b--\na footer",
    "too_many_parts": MIXED + "--b\n\nhello\n" * 501 + "--b--",
    "transfer_encoding_unknown": encoded(b"hello", "no-such"),
    "base64_cut_off": encoded(b"aGVsbG8gd29yb"),
    "base64_followed_by_text": encoded(b"aGVsbG8gd29ybGQ=\r\n-- a footer"),
    "base64_wrong": encoded(b"plain text, with all that base64 (RFC 4648!) does not have."),
    "uuencoding_broken": encoded(b"begin 644 a\r\n#\xff\xff\xff\xff\r\nend\r\n", "x-uuencode"),
    "charset_wrong": b"Content-Type: text/plain; charset=utf-8\r\n\r\ncaf\xe9 au lait, cr\xe8me br\xfbl\xe9e",
    "characters_replaced": "Content-Type: text/plain; charset=shift_jis\r\n\r\n日本語".encode("shift_jis") + b"\xff",
    "nul_removed": "Subject: x\n\nhel\0lo",
    "text_truncated": "Subject: x\n\n" + "hello " * 200_000,
    "signature_not_verified": (CASES / "mail" / "opaque-signed.eml").read_bytes(),
    "signed_not_read": encoded(b"aGVsbG8=", media_type="application/pkcs7-mime; smime-type=signed-data"),
    "tnef_body_not_read": packed(tnef(attribute(MESSAGE_PROPERTIES, properties(prop(BINARY, 0x1009, b"LZFu"))))),
    "tnef_unreadable": packed(b"not TNEF"),
    "tnef_too_large": packed(tnef(*[attribute(0, b"")] * 50_001)),
    "tnef_too_many_files": packed(tnef(*[file(b"a.txt", b"a")] * 501)),
    "tnef_holds_message": (CASES / "hostile" / "tnef-nested.eml").read_bytes(),
}

# What only the request to an application has; test_request.py makes it.
OF_THE_REQUEST = {"request_truncated"}

# Steps that fail only where a library has a fault that nobody knows of yet: the message that takes the step, and the
# function behind it, which is made to fail. test_budget.py makes them loop and swell.
FAILING: dict[str, tuple[str | bytes, str]] = {
    "part_not_decoded": (WHOLE, "attachment_parts.content"),
    "text_not_decoded": (WHOLE, "texts.decode"),
    "html_not_read": (HTML, "texts.html_text"),
    "reply_not_found": (WHOLE, "message.split"),
    "media_type_not_detected": (WHOLE, "attachment_parts.detected"),
    "enclosed_not_read": (NESTED, "enclosed.bodies"),
    "nested_subject_unreadable": (NESTED, "attachment_parts.header"),
    "delivery_report_unreadable": (REPORT, "message.delivery_report"),
}


@pytest.mark.parametrize("code", MESSAGES)
def test_a_message_with_one_fault_has_one_defect_that_names_it(code: str) -> None:
    assert parsed(MESSAGES[code], enclosed=True).defects == (code,)


@pytest.mark.parametrize("code", FAILING)
def test_a_step_that_fails_leaves_one_defect_and_the_rest_of_the_message(
    code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw, step = FAILING[code]
    assert parsed(raw, enclosed=True).defects == ()

    def fail(*_arguments: object, **_named: object) -> None:
        raise ValueError

    monkeypatch.setattr(f"mailstep.parse.{step}", fail)
    message = parsed(raw, enclosed=True)
    assert message.defects == (code,)
    assert message.from_[0].address == "a@b.example"


def test_no_code_is_listed_that_no_message_has() -> None:
    assert {*MESSAGES, *FAILING, *OF_THE_REQUEST} == {str(defect) for defect in Defect}


def test_no_defect_is_taken_that_is_not_listed() -> None:
    with pytest.raises(ValueError, match="defects"):
        Message(email_id="m", route="orders", size_octets=1, defects=("sender_wrote_this",))


def test_codes_are_words_and_each_has_one_sentence_of_its_own() -> None:
    assert all(re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", defect) for defect in Defect)
    assert all(re.fullmatch(r"[A-Z][^.]*(\.dat[^.]*)?\.", defect.means) for defect in Defect)
    assert len({defect.means for defect in Defect}) == len(Defect)


def test_a_fault_that_a_message_has_a_thousand_times_is_one_defect() -> None:
    assert parsed("Subject: x\n" + "stray\nX-A: y\n" * 300 + "\nhello").defects == ("header_line_skipped",)


def test_the_command_prints_english_for_people_and_codes_for_programs(tmp_path: Path) -> None:
    file = tmp_path / "a.eml"
    file.write_text("From: the management\n\nhello")
    printed = CliRunner().invoke(app, ["parse", str(file)], standalone_mode=False).stdout
    assert "The From field contains no address." in printed
    said = CliRunner().invoke(app, ["parse", "--json", str(file)], standalone_mode=False).stdout
    assert json.loads(said)["defects"] == ["from_without_address"]
