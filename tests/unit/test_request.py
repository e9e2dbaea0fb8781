"""The request to the application stays below a Lambda's limit, whatever the message, and says if it was cut."""

import base64
import json
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import to_json

from mailstep import limits
from mailstep.contracts import Address, ApplicationRequest, Attachment, EnclosedMessage, Message, ReplyPlan
from mailstep.mime.defects import Defect
from mailstep.process.request import request_body
from mailstep.testing import receive

LAMBDA_OCTETS = 6 * 1024 * 1024
"""Of a synchronous invocation (AWS Lambda quotas)."""
# Presigned, with the token of a role's session.
LINK = "https://bucket.s3.eu-central-1.amazonaws.com/parsed/m/attachments/{}?X-Amz-Security-Token=" + "t" * 1_500


def events_of(body: bytes) -> list[bytes]:
    """The event that API Gateway makes of a request (Developer Guide, "Lambda proxy integrations"), both its forms."""
    more = {"headers": {"h": "x" * 10_240}, "requestContext": {"c": "x" * 10_240}}
    as_text = {"body": body.decode(), "isBase64Encoded": False} | more
    as_octets = {"body": base64.b64encode(body).decode(), "isBase64Encoded": True} | more
    return [json.dumps(event, ensure_ascii=False).encode() for event in (as_text, as_octets)]


def sent(message: Message) -> dict[str, Any]:
    """The request as the application reads it; it is one by the contract, with all links."""
    links = {attachment.key: LINK.format(attachment.key) for attachment in message.attachments}
    body = request_body(ApplicationRequest(message=message, attachment_urls=links, reply=ReplyPlan(will_be_sent=True)))
    assert max(map(len, events_of(body))) < LAMBDA_OCTETS
    asked = ApplicationRequest.model_validate_json(body)
    assert asked.attachment_urls == links
    assert [one.key for one in asked.message.attachments] == list(links)
    assert (asked.message.email_id, asked.message.schema_) == (message.email_id, message.schema_)
    read: dict[str, Any] = json.loads(body)
    return read


def message(**fields: Any) -> Message:
    return Message(email_id="m" * 76, route="r", size_octets=1, **fields)


def attachment(number: int, **fields: Any) -> Attachment:
    return Attachment(media_type="text/plain", size_octets=1, sha256="0" * 64, key=f"parsed/m/{number}", **fields)


MAIL = {
    "all control characters": "".join(map(chr, range(1, 32))) * 32_000,
    "one control character": "\x01" * 999_000,
    "beyond the BMP": "\N{GRINNING FACE}" * 249_000,
    "quotes and backslashes": '"\\' * 499_000,
    "line ends": "\n" * 999_000,
}


@pytest.mark.parametrize("kind", MAIL)
def test_two_megabytes_of_mail_make_a_request_that_a_lambda_takes(kind: str) -> None:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "ann@shop.example", "Order"
    mail.set_content(MAIL[kind], cte="base64")
    mail.add_alternative(f"<pre>{MAIL[kind]}</pre>", subtype="html", cte="base64")
    asked = sent(receive(mail).message)["message"]
    assert asked["subject"] == "Order"
    assert not any(ord(character) < 32 and character not in "\t\n\r" for character in asked["text"] + asked["html"])


HOSTILE: dict[str, Message] = {
    "18 MB of control characters": message(**dict.fromkeys(("text", "html", "reply_text"), "\x01" * 6_000_000)),
    # Wherever all are cut, a character of one of them is there.
    "18 MB beyond the BMP": message(
        text="\N{GRINNING FACE}" * 1_500_000,
        html="a" + "\N{GRINNING FACE}" * 1_500_000,
        reply_text="ab" + "\N{GRINNING FACE}" * 1_500_000,
    ),
    "18 MB of quotes": message(**dict.fromkeys(("text", "html", "quoted_text"), '"' * 6_000_000)),
    "18 MB of a header": message(headers=tuple(("X-A", "\\" * 18_000) for _ in range(1_000))),
    "a group with a long name": message(
        **{"from": tuple(Address(address="a@b.example", group="g" * 30_000) for _ in range(2_000))}
    ),
    "500 attachments with long subjects": message(
        attachments=tuple(attachment(n, filename="f" * 200, subject='"' * 20_000) for n in range(500))
    ),
    "20 attached messages": message(
        attachments=tuple(
            attachment(n, filename="f", enclosed=EnclosedMessage(text="\\" * 200_000, html='"' * 200_000))
            for n in range(20)
        )
    ),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_message_that_is_larger_still_is_cut_and_says_so(kind: str) -> None:
    asked = sent(HOSTILE[kind])["message"]
    whole = kind == "18 MB of control characters"
    assert asked["defects"] == ([] if whole else ["request_truncated"])


@pytest.mark.parametrize(("more", "defects"), [(0, []), (1, ["request_truncated"])])
def test_a_request_that_just_fits_is_whole_and_one_octet_more_is_too_large(more: int, defects: list[str]) -> None:
    request = ApplicationRequest(message=message(text=""), attachment_urls={}, reply=ReplyPlan(will_be_sent=True))
    # As Base64, which is the longer form of a text with few quotes: four octets for three.
    room = limits.REQUEST_OCTETS // 4 * 3 - len(request_body(request))
    assert sent(message(text="x" * (room + more)))["message"]["defects"] == defects


@pytest.mark.parametrize(
    ("texts", "octets", "turns"),
    [
        pytest.param(1, 600_000, 6, id="one text, ten times too large"),
        # By as much as it is too large, and then a tenth less in each turn: by tenths alone, there are twenty turns.
        pytest.param(10, 60_000, 10, id="many texts, ten times too large"),
        # From the limit to less than 2,000 octets, a tenth less in each turn.
        pytest.param(35, 2_000, 40, id="many texts, a little too large"),
    ],
)
def test_a_request_is_cut_in_few_turns(monkeypatch: pytest.MonkeyPatch, texts: int, octets: int, turns: int) -> None:
    made = 0

    def counted(value: object) -> bytes:
        nonlocal made
        made += isinstance(value, dict) and "message" in value
        return to_json(value)

    monkeypatch.setattr(limits, "REQUEST_OCTETS", 60_000)
    monkeypatch.setattr("mailstep.process.request.to_json", counted)
    files = tuple(attachment(number, filename="f", subject="x" * octets) for number in range(texts))
    assert sent(message(attachments=files))["message"]["defects"] == ["request_truncated"]
    assert 1 < made <= turns


def test_what_is_cut_keeps_its_beginning_and_the_rest_of_the_message_is_whole() -> None:
    long = "".join(f"{number}\n" for number in range(800_000))
    given_message = message(
        subject="Order", text=long, quoted_text=long, signature="Ann", defects=(Defect.CHARSET_WRONG,)
    )
    asked = sent(given_message)["message"]
    for name in ("text", "quoted_text"):
        assert long.startswith(asked[name])
        assert 1_000_000 < len(asked[name]) < len(long)
    assert (asked["subject"], asked["signature"]) == ("Order", "Ann")
    assert asked["defects"] == ["charset_wrong", "request_truncated"]


def test_texts_of_the_size_that_is_read_of_a_message_are_not_cut() -> None:
    """limits.TEXT: a megabyte of text, and of HTML. `reply_text` and `quoted_text` share what is in `text`."""
    text = ("Dear all, this is a line.\n" * 40_000)[:1_000_000]
    given_message = message(text=text, html=text, reply_text=text[:500_000], quoted_text=text[500_000:])
    asked = sent(given_message)["message"]
    assert asked == json.loads(given_message.model_dump_json())


def test_an_everyday_message_is_sent_as_it_is_stored() -> None:
    given_message = receive("events/emails/order.eml").message
    assert sent(given_message)["message"] == json.loads(given_message.model_dump_json())


@settings(max_examples=30)
@given(st.text(), st.lists(st.tuples(st.text(), st.text())))
def test_a_text_loses_its_control_characters_and_nothing_else(text: str, headers: list[tuple[str, str]]) -> None:
    """JSON escapes them (RFC 8259 section 7), six octets for one, and no application has a use for them."""
    asked = sent(message(text=text, headers=tuple(headers)))["message"]

    def kept(written: str) -> str:
        return "".join(character for character in written if ord(character) >= 32 or character in "\t\n\r")

    assert asked["text"] == kept(text)
    assert asked["headers"] == [[kept(name), kept(value)] for name, value in headers]
