"""What lies within signed data (S/MIME, RFC 8551), and within attached messages (message/rfc822)."""

import base64
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from mailstep.contracts import Message
from mailstep.mime.cms import NotReadable, open_cms
from mailstep.mime.options import Options
from mailstep.parse.message import parse
from mailstep.routes import load
from mailstep.testing import receive
from tests.support.messages import EMAIL, parsed
from tests.support.project import CASES

ENTITY = """Content-Type: multipart/mixed; boundary=i

--i
Content-Type: text/plain; charset=utf-8

Grüße
--i
Content-Type: text/csv; name=a.csv

a,b
--i--"""
NESTED = """From: Bob <bob@x.example>
Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=
Date: Tue, 24 Nov 2026 09:30:00 +0100
Message-ID: <1@x.example>
Content-Type: multipart/mixed; boundary=i

--i

the words
--i
Content-Type: text/csv; name=a.csv

a,b
--i
Content-Type: message/rfc822

Subject: deeper

not read
--i--
"""


def signed(entity: str) -> bytes:
    """The entity as opaque signed data, in DER, as `cryptography` writes it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ann@shop.example")]), datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    builder = pkcs7.PKCS7SignatureBuilder().set_data(entity.replace("\n", "\r\n").encode())
    return builder.add_signer(certificate, key, hashes.SHA256()).sign(
        serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary]
    )


def element(identifier: int, contents: bytes, *, indefinite: bool = False) -> bytes:
    """An element in BER (ITU-T X.690 section 8.1)."""
    if indefinite:
        return bytes([identifier, 0x80]) + contents + b"\0\0"
    length = len(contents).to_bytes(4)
    return bytes([identifier, 0x84]) + length + contents


def streamed(entity: bytes, piece: int = 5, oid: str = "2a 86 48 86 f7 0d 01 07 02") -> bytes:
    """Signed data of indefinite length, its content in pieces, as programs write it that do not hold it in memory."""
    pieces = b"".join(element(0x04, entity[at : at + piece]) for at in range(0, len(entity), piece))
    content = element(0xA0, element(0x24, element(0x24, pieces, indefinite=True), indefinite=True), indefinite=True)
    data = element(0x30, element(0x06, bytes.fromhex("2a 86 48 86 f7 0d 01 07 01")) + content, indefinite=True)
    version, algorithms = element(0x02, b"\1"), element(0x31, element(0x30, b"", indefinite=True), indefinite=True)
    inner = element(0x30, version + algorithms + data + element(0x31, b""), indefinite=True)
    return element(0x30, element(0x06, bytes.fromhex(oid)) + element(0xA0, inner, indefinite=True), indefinite=True)


def mailed(cms: bytes, media_type: str = "application/pkcs7-mime; name=smime.p7m") -> bytes:
    head = f"From: a@b.example\r\nContent-Type: {media_type}\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return head.encode() + base64.encodebytes(cms)


def test_the_text_and_files_within_opaque_signed_mail_are_read_and_said_to_be_unverified() -> None:
    message = parsed(mailed(signed(ENTITY)))
    assert (message.text, [a.filename for a in message.attachments]) == ("Grüße", ["a.csv"])
    assert (message.signed, message.encrypted) == ("smime", None)
    assert message.defects == ("signature_not_verified",)


def test_the_signed_mail_of_a_real_client_is_read() -> None:
    message = parsed((CASES / "mail" / "opaque-signed.eml").read_bytes())
    assert (message.text, message.signed) == ("Please cancel order 4711.\n", "smime")


def test_signed_data_in_pieces_of_indefinite_length_is_read() -> None:
    assert open_cms(streamed(ENTITY.encode())).content == ENTITY.encode()
    assert parsed(mailed(streamed(ENTITY.encode()))).text == "Grüße"


@pytest.mark.parametrize("said", ["enveloped-data", "signed-data", "certs-only", ""])
def test_the_object_identifier_decides_and_not_the_smime_type(said: str) -> None:
    declared = f"application/pkcs7-mime; smime-type={said}; name=smime.p7m"
    message = parsed(mailed(signed(ENTITY), declared))
    assert (message.text, message.signed, message.encrypted) == ("Grüße", "smime", None)
    for oid in ("2a 86 48 86 f7 0d 01 07 03", "2a 86 48 86 f7 0d 01 09 10 01 01 17"):  # RFC 5652 section 6, RFC 5083
        message = parsed(mailed(element(0x30, element(0x06, bytes.fromhex(oid)) + element(0xA0, b"")), declared))
        assert (message.signed, message.encrypted, len(message.attachments)) == (None, "smime", 1)


@pytest.mark.parametrize("media_type", ["application/x-pkcs7-mime", "application/octet-stream; name=smime.p7m"])
def test_signed_data_under_its_other_names_is_read(media_type: str) -> None:
    assert parsed(mailed(signed(ENTITY), media_type)).text == "Grüße"


def test_signed_data_within_a_list_footer_and_within_signed_data_is_read() -> None:
    wrapped = mailed(signed("Content-Type: text/plain\n\nhello")).split(b"\r\n", 1)[1]
    footer = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n%s\r\n--b\r\n\r\nfooter\r\n--b--" % wrapped
    assert (parsed(footer).text, parsed(footer).signed) == ("hello\nfooter", None)
    twice = parsed(mailed(signed(wrapped.decode().replace("\r\n", "\n"))))
    assert (twice.text, twice.signed) == ("hello", "smime")


def test_encrypted_data_within_signed_data_is_said() -> None:
    """Triple wrapping (RFC 2634 section 1.1)."""
    enveloped = element(0x30, element(0x06, bytes.fromhex("2a 86 48 86 f7 0d 01 07 03")) + element(0xA0, b""))
    inner = mailed(enveloped).split(b"\r\n", 1)[1].decode().replace("\r\n", "\n")
    message = parsed(mailed(signed(inner)))
    assert (message.signed, message.encrypted) == ("smime", "smime")


def test_signed_data_that_cannot_be_read_is_kept_with_a_defect() -> None:
    message = parsed(mailed(signed(ENTITY)[:60], "application/pkcs7-mime; smime-type=signed-data; name=smime.p7m"))
    assert (message.signed, [a.filename for a in message.attachments]) == ("smime", ["smime.p7m"])
    assert message.defects == ("signed_not_read",)


def test_signed_data_is_opened_three_levels_deep_and_no_deeper() -> None:
    entity = "Content-Type: text/plain\n\nhello"
    for _ in range(5):
        entity = mailed(streamed(entity.encode(), 1_000)).split(b"\r\n", 1)[1].decode()
    message = parsed(b"From: a@b.example\r\n" + entity.encode())
    assert (message.text, [a.filename for a in message.attachments]) == ("", ["smime.p7m"])
    assert "signed_not_read" in message.defects


def test_signed_data_in_too_many_pieces_is_not_read() -> None:
    with pytest.raises(NotReadable):
        open_cms(streamed(b"a" * 2_000, 1), Options(cms_elements=1_000))


@given(st.binary(max_size=200) | st.integers(0, 300).map(lambda at: streamed(ENTITY.encode())[:at]))
def test_any_octets_are_signed_data_or_not_readable(octets: bytes) -> None:
    with suppress(NotReadable):
        assert len(open_cms(octets).content or b"") <= len(octets)


def with_nested(nested: str, *, enclosed: bool) -> tuple[Message, dict[str, bytes]]:
    kept: dict[str, bytes] = {}
    raw = (
        f"Content-Type: multipart/mixed; boundary=o\n\n--o\n\nsee\n--o\nContent-Type: message/rfc822\n\n{nested}\n--o--"
    )
    return parse(raw.replace("\n", "\r\n").encode(), EMAIL, kept.__setitem__, enclosed=enclosed), kept


def test_an_attached_message_is_read_one_level_deep_and_its_files_are_attachments() -> None:
    message, kept = with_nested(NESTED, enclosed=True)
    nested, file, deeper = message.attachments
    assert nested.enclosed
    assert (nested.enclosed.subject, nested.enclosed.text) == ("Grüße", "the words")
    assert (nested.enclosed.from_[0].address, nested.enclosed.message_id) == ("bob@x.example", "<1@x.example>")
    assert nested.enclosed.date
    assert nested.enclosed.date.isoformat() == "2026-11-24T09:30:00+01:00"
    assert (file.filename, file.enclosed_in, kept[file.key]) == ("a.csv", nested.key, b"a,b")
    assert (deeper.filename, deeper.enclosed_in, deeper.enclosed) == ("deeper.eml", nested.key, None)
    assert (message.text, message.subject) == ("see", "")
    assert Message.model_validate_json(message.model_dump_json()) == message


def test_an_attached_message_is_one_file_where_the_route_does_not_ask_for_more() -> None:
    message, kept = with_nested(NESTED, enclosed=False)
    assert [(a.filename, a.enclosed) for a in message.attachments] == [("Grüße.eml", None)]
    assert len(kept) == 1


def test_the_routes_setting_read_enclosed_decides() -> None:
    raw = f"From: a@b.example\nContent-Type: message/rfc822\n\n{NESTED}".replace("\n", "\r\n").encode()
    for setting, files in (("true", 3), ("false", 1)):
        route = load(f"[routes.orders]\nread_enclosed = {setting}", {})["orders"]
        assert len(receive(raw, settings=route).message.attachments) == files


def test_the_faults_of_an_attached_message_are_its_own() -> None:
    message, _ = with_nested("Subject: x\nFrom: the management\n\ncaf\u00e9", enclosed=True)
    assert message.attachments[0].enclosed
    assert (message.attachments[0].enclosed.defects, message.defects) == (("from_without_address",), ())


def test_the_text_of_all_attached_messages_is_bounded() -> None:
    nested = "\n--o\nContent-Type: message/rfc822\n\nSubject: x\n\n".join([""] + ["y" * 150_000] * 3)
    kept: dict[str, bytes] = {}
    raw = f"Content-Type: multipart/mixed; boundary=o\n\n{nested}\n--o--".replace("\n", "\r\n").encode()
    message = parse(raw, EMAIL, kept.__setitem__, enclosed=True)
    texts = [len(a.enclosed.text) for a in message.attachments if a.enclosed]
    assert (sum(texts), len(texts)) == (200_000, 3)
    assert sorted(len(octets) for octets in kept.values() if octets.startswith(b"y")) == [150_000, 150_000]


def test_more_attached_messages_than_are_read_are_kept_with_a_defect() -> None:
    nested = "\n--o\nContent-Type: message/rfc822\n\nSubject: x\n\n".join([""] + ["hello"] * 30)
    raw = f"Content-Type: multipart/mixed; boundary=o\n\n{nested}\n--o--".replace("\n", "\r\n").encode()
    message = parse(raw, EMAIL, lambda _key, _content: None, enclosed=True)
    assert (len(message.attachments), sum(bool(a.enclosed) for a in message.attachments)) == (30, 20)
    assert message.defects == ("enclosed_not_read",)
