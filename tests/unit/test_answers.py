"""Answers in JSON: what differs between frameworks is read, and what matters is checked."""

import json
from typing import Any

import pytest

from mailstep.answers import read_answer, reason
from mailstep.contracts import Answer, AnswerAttachment
from mailstep.errors import MalformedAnswer

TABLE = AnswerAttachment(filename="a.csv", media_type="text/csv", content=b"a,b\n")


# ---- Lenient ----

FILE = {"filename": "a.csv", "media_type": "text/csv", "content_base64": "YSxiCg=="}


def read(*, file: dict[str, Any] | None = None, **fields: Any) -> Answer:
    whole = {"text": "x", **fields} | ({"attachments": [FILE | file]} if file is not None else {})
    return read_answer(json.dumps(whole).encode())


@pytest.mark.parametrize("media_type", ["Text/CSV", "text/csv; charset=utf-8", "TEXT/csv;header=present", " text/csv "])
def test_case_and_parameters_of_a_media_type_do_not_matter(media_type: str) -> None:
    """RFC 2045 section 5.1: matching is case-insensitive; parameters follow a semicolon."""
    assert read(file={"media_type": media_type}).attachments == (TABLE,)


@pytest.mark.parametrize("content", ["YSxi\r\nCg==", "YSxiCg==\n", "YSxiCg", " YSxiCg=="])
def test_base64_may_be_in_lines_and_without_padding(content: str) -> None:
    assert read(file={"content_base64": content}).attachments == (TABLE,)


@pytest.mark.parametrize("content", ["data:text/csv;base64,YSxiCg==", "_-_-", "Y", "not Base64!"])
def test_a_file_is_never_made_of_what_is_not_base64(content: str) -> None:
    """RFC 4648 section 3.3: characters outside the alphabet are rejected, not skipped."""
    with pytest.raises(MalformedAnswer, match=r"attachments\.0\.content_base64: not Base64"):
        read(file={"content_base64": content})


@pytest.mark.parametrize("name", ["subject", "html", "attachments"])
def test_null_stands_for_a_field_that_is_not_there(name: str) -> None:
    assert read(**{name: None}) == Answer(text="x")


def test_half_a_surrogate_pair_is_replaced() -> None:
    """JSON.stringify writes the first half of an emoji, where a text was cut, as an escape; UTF-8 cannot hold it."""
    assert read_answer(b'{"text": "Hi \\ud83d", "html": "\\ude00 \\ud83d\\ude00"}') == Answer(
        text="Hi \N{REPLACEMENT CHARACTER}", html="\N{REPLACEMENT CHARACTER} \N{GRINNING FACE}"
    )


def test_a_reason_that_was_cut_within_an_emoji_reaches_the_sender_too() -> None:
    assert reason(b'{"reason": "Too large \\ud83d"}') == "Too large \N{REPLACEMENT CHARACTER}"


def test_unknown_fields_are_logged_by_name_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    strange = "ann@shop.example wrote this"
    answer = read(traceId="secret-value", file={"size": 4}, **{strange: "secret-value"})
    assert answer == Answer(text="x", attachments=(TABLE,))
    [record] = caplog.records
    assert record.levelname == "WARNING"
    assert record.__dict__["fields"] == ["?", "size", "traceId"]
    assert "secret-value" not in repr(record.__dict__)


def test_ten_thousand_unknown_fields_make_a_short_line(caplog: pytest.LogCaptureFixture) -> None:
    read_answer(json.dumps({"text": "x"} | {f"f{number}": 1 for number in range(10_000)}).encode())
    assert len(caplog.records[0].__dict__["fields"]) == 10


def test_a_name_that_is_spelled_exactly_comes_before_another_spelling() -> None:
    assert read_answer(b'{"Text": "other", "text": "exact", "TEXT": "third"}').text == "exact"


# ---- Strict ----


@pytest.mark.parametrize(
    "octets",
    [b"", b" \r\n", b"null", b"\xef\xbb\xbf", b'{"text": ""}', b'{"text": " \\n\\t"}', b'{"text": "", "html": " "}'],
)
def test_an_answer_without_a_text_says_to_answer_204(octets: bytes) -> None:
    with pytest.raises(MalformedAnswer, match="204"):
        read_answer(octets)


def test_a_text_may_be_empty_beside_html() -> None:
    assert read_answer(b'{"text": "", "html": "<p>Done."}') == Answer(text="", html="<p>Done.")


@pytest.mark.parametrize(
    ("octets", "wrong"),
    [
        (b"OK", "not JSON"),
        (b"{'text': 'x'}", "not JSON"),
        (b'{"text": "x"', "not JSON"),
        (b'{"text": "x"}{"text": "y"}', "not JSON"),
        (b'{"text": "\xff\xfe"}', "not JSON"),
        (b'{"text": ' + b"[" * 200_000, "not JSON"),
        (b'{"text": ' + b"1" * 10_000 + b"}", "not JSON"),
        (b"[]", "not a JSON object"),
        (b'"Done."', "not a JSON object"),
        (b"true", "not a JSON object"),
        (b"{}", "text: Field required"),
        (b'{"text": null}', "text: Field required"),
        (b'{"html": "<p>Done."}', "text: Field required"),
        (b'{"text": 1}', "text: "),
        (b'{"text": "x", "attachments": {}}', "attachments: "),
        (b'{"text": "x", "attachments": [null]}', r"attachments\.0: "),
        (b'{"text": "x", "attachments": ["a"]}', r"attachments\.0: "),
        (b'{"text": "x", "attachments": [{}]}', r"attachments\.0\.filename: Field required"),
    ],
)
def test_what_is_wrong_is_said_with_the_name_of_the_field(octets: bytes, wrong: str) -> None:
    with pytest.raises(MalformedAnswer, match=wrong):
        read_answer(octets)


@pytest.mark.parametrize("media_type", ["csv", "text/", "multipart/mixed", "message/rfc822", "a/b\r\nX: y", "", "*/*"])
def test_a_media_type_that_no_attachment_can_have_is_refused(media_type: str) -> None:
    with pytest.raises(MalformedAnswer, match=r"attachments\.0\.media_type"):
        read(file={"media_type": media_type})


@pytest.mark.parametrize(
    "value",
    ["[" * 400 + "]" * 400, '{"a":' * 400 + "1" + "}" * 400, r'["\ud800"]', r'{"\ud800": 1}', "9" * 5000, "[" * 10**6],
    ids=["deep list", "deep object", "half a pair", "half a pair as a name", "a huge number", "endless"],
)
@pytest.mark.parametrize("field", ["text", "attachments"])
def test_whatever_stands_in_a_field_is_a_malformed_answer(field: str, value: str) -> None:
    with pytest.raises(MalformedAnswer, match="the application's answer is"):
        read_answer(f'{{"text": "x", "html": "<p>x", "{field}": {value}}}'.encode())


def test_the_error_repeats_nothing_of_the_answer() -> None:
    with pytest.raises(MalformedAnswer) as caught:
        read(text=["ann@shop.example"], file={"media_type": "ann@shop.example", "content_base64": "ann@shop.example"})
    assert "ann" not in str(caught.value)
    assert caught.value.__cause__ is None


# What a browser keeps open, though an end tag seems to follow (HTML Standard, 13.2.5 and 13.2.6).
HIDE_THEIR_DEPTH = [
    "<ul><li></x></x>",
    "<div x='</div>'>",
    "<div x='></div>'>",
    "<div><!--</div>-->",
    "<div><style></div></style>",
    "<span><div></span></span>",
    "<div><table><td></div>",
    "<div '></x '>",
]


@pytest.mark.parametrize(
    ("html", "is_taken"),
    [
        ("<div>" * 500 + "x" + "</div>" * 500, True),
        ("<div>" * 501 + "x", False),
        *((piece * 501, False) for piece in HIDE_THEIR_DEPTH),
        ("<div><b>x</div>" * 5_000, True),
        ("<b><i>x</b></i>" * 5_000, True),
        ("<style>a > b { } </div></style><!-- <div> -->" * 5_000, True),
        ("<p>x" * 5_000, True),
        ("<table>" + "<tr><td>1<td>2" * 5_000 + "</table>", True),
        ("<b>x</b>" * 5_000, True),
        ("a < b" * 5_000, True),
    ],
)
def test_html_that_takes_long_to_clean_is_malformed(html: str, is_taken: bool) -> None:
    octets = json.dumps({"text": "x", "html": html}).encode()
    if is_taken:
        assert read_answer(octets).html == html
    else:
        with pytest.raises(MalformedAnswer, match="html nests over 500 elements"):
            read_answer(octets)
