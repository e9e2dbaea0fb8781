"""No octets make the parser raise, hang or grow."""

import base64
import codecs
import json
from typing import Any

import chardet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import fuzz, hostile
from mailstep.errors import UnreadableEmail
from tests.support.messages import field, parsed, stored


@pytest.mark.parametrize("raw", [b"", b"\x00\x01\x02 nothing", b"\x89PNG\r\n\x1a\n" + bytes(50)])
def test_what_is_no_message_is_unreadable(raw: bytes) -> None:
    with pytest.raises(UnreadableEmail):
        parsed(raw)


def test_what_ses_stored_without_a_header_or_text_is_unreadable() -> None:
    with pytest.raises(UnreadableEmail):
        stored("\x00\x01\x02 nothing\n")


def test_state_stays_small_whatever_the_header_says() -> None:
    message = parsed(f"From: {'a' * 9000}@b.example\nMessage-ID: <{'m' * 300_000}@x>\nSubject: {'s' * 300_000}\n\nx")
    assert len(message.summary().model_dump_json()) < 2_000


@given(st.binary(max_size=3_000))
def test_any_octets_are_parsed_or_unreadable(raw: bytes) -> None:
    assert fuzz.broken_promise(raw, watch_memory=False) is None


@given(st.lists(st.sampled_from(
    [b"Content-Type: multipart/mixed; boundary=b", b"--b", b"--b--", b"", b"From: a@b", b" folded", b"=?utf-8?q?=C3?=",
     b"Content-Transfer-Encoding: base64", b"YQ==", b"text", b"Content-Type: message/rfc822", b"\0", b"Subject: \xff"]
), max_size=40))  # fmt: skip
def test_any_lines_are_parsed_or_unreadable(some: list[bytes]) -> None:
    assert fuzz.broken_promise(b"\r\n".join(some), watch_memory=False) is None


@pytest.mark.usefixtures("corpus")
def test_mutated_real_messages_are_parsed_or_unreadable() -> None:
    """The short, seeded form of `python -m bench.fuzz`."""
    originals = fuzz.seeds()
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
    "65,000 letters that are no address": b"From: " + b"a" * 65_000 + b"\r\n\r\nx",
    "990 address fields": HEAD + (b"To: " + b"u@x.example, " * 1_500 + b"\r\n") * 990 + b"\r\nx",
    "900 fields of 40 KB": HEAD + (b"X-A: \xf0\x9f\x98\x80" + b"y" * 40_000 + b"\r\n") * 900 + b"\r\nx",
    "490 parts with 990 fields each": MIXED + (b"--b\r\n" + b"A:\r\n" * 990 + b"\r\nx\r\n") * 490 + b"--b--",
    "punycode": HEAD + b"Content-Type: text/plain; charset=punycode\r\n\r\n" + b"a-" * 300_000,
    "an undeclared boundary of spaces": HEAD + b"Content-Type: multipart/mixed\r\n\r\n\n--a" + b" " * 20_000_000 + b"x",
    "one line of words that announce a reply": HEAD + b"\r\n" + b"Am a schrieb a " * 330,
    "490 nested messages of short fields": MIXED
    + (b"--b\r\nContent-Type: message/rfc822\r\n\r\n" + b"a:\n" * 21_000 + b"\n\nx\n") * 490
    + b"--b--",
    "a date of 65,000 digits": HEAD + b"Date: " + b"9" * 65_000 + b"\r\n\r\nx",
    "a winmail.dat of empty objects": HEAD + b"Content-Type: application/ms-tnef\r\n\r\n" + b"\x78\x9f\x3e\x22\1\0" + (
        b"\x02" + bytes(10)) * 900_000,
    "20 MB of empty uuencoded lines": HEAD
    + b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\n"
    + b"\n" * 20_000_000,
    "a delivery report of white space": HEAD
    + b"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
    + (b" " * 9_000 + b"x\r\n") * 50
    + b"--b--",
    "a million pieces of base64": HEAD
    + b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    + b"YQ==" * 1_000_000,
    "base64 and then blank lines": HEAD
    + b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nYQ=="
    + b"\n" * 5_000_000,
    "39 MB that is no base64": HEAD
    + b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    + b"AA!" * 13_000_000
    + b"A",
    "10 million short fields": HEAD + b"a:\n" * 10_000_000 + b"\nx",
    "lines that are nearly an undeclared boundary": HEAD
    + b"Content-Type: multipart/mixed; boundary=none\r\n\r\n"
    + (b"--x" + b" " * 300 + b"\n") * 60_000,
    "10,000 spaces after On": HEAD + b"\r\nOn" + b" " * 10_000 + b"x",
    "On, 3,000 times": HEAD + b"\r\n" + b"On " * 3_000,
    "nothing but blank lines": HEAD + b"\r\n" + b" \n" * 500_000,
    "quotes within quotes": HEAD + b"\r\n" + b"".join(b">" * (n % 400) + b" x\n" for n in range(20_000)),
    "40 MB in one attachment": MIXED
    + b"--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    + base64.encodebytes(bytes(range(256)) * 116_000)
    + b"--b--",
    "40 MB of text": HEAD + b"\r\n" + b"hello world, this is text \xc3\xbc\r\n" * 1_350_000,
    "900 KB that are two octets each in JSON": HEAD
    + b"Content-Type: text/plain; charset=koi8-r\r\n\r\n"
    + bytes(range(0xC0, 0x100)) * 14_000,
    "25 MB in the wrong character set": HEAD
    + b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
    + bytes(range(128, 256)) * 200_000,
}  # fmt: skip


@pytest.mark.parametrize("name", EXTREMES)
def test_extremes_stay_within_time_and_memory(name: str) -> None:
    assert fuzz.broken_promise(EXTREMES[name], watch_memory=True) is None
    assert fuzz.broken_promise(EXTREMES[name], watch_memory=False) is None


@pytest.mark.parametrize("kind", hostile.KINDS)
def test_the_worst_kinds_of_messages_stay_within_time_and_memory(kind: str) -> None:
    """Four megabytes of what `python -m bench.hostile` measures with forty."""
    assert fuzz.broken_promise(hostile.KINDS[kind](4_000_000), watch_memory=False) is None


def test_no_label_of_a_sender_is_looked_up_among_pythons_codecs() -> None:
    """Some are slow or no text, and Python keeps each label that it does not know for as long as it runs."""
    asked: list[str] = []
    codecs.register(asked.append)  # Python asks the last search function for what no other one knows
    hostile = [
        "idna",
        "punycode",
        "zlib",
        "bz2",
        "unicode_escape",
        "rot13",
        "undefined",
        "mbcs",
        "no-such",
        "q" * 9_000,
    ]
    for label in hostile:
        assert field("Subject", f"=?{label[:60]}?q?text?=").subject == "text"
        message = parsed(f"Content-Type: text/plain; charset={label}\n\ntext")
        assert (message.text, len(message.defects)) == ("text", 1)
    codecs.unregister(asked.append)
    assert asked == []


def test_a_charset_is_guessed_once_for_all_fields_of_a_header(monkeypatch: pytest.MonkeyPatch) -> None:
    """A header has room for 10,000 texts that name no charset, and each guess takes up to three milliseconds."""
    guesses: list[bytes] = []
    detect = chardet.detect
    monkeypatch.setattr(chardet, "detect", lambda octets, **named: guesses.append(octets) or detect(octets, **named))  # type: ignore[func-returns-value]
    written = "Добрый день".encode("koi8-r")
    word = b"=?x-none?b?" + base64.b64encode(written) + b"?="
    message = parsed(
        (b"X-A: " + written + b"\r\n" + b"X-B: " + word + b"\r\n") * 400 + b"Subject: " + word + b"\r\n\r\nx"
    )
    assert (message.subject, message.header("X-A")[399]) == ("Добрый день", "Добрый день")
    assert len(guesses) == 1


def test_the_contract_is_json_of_its_schema_names() -> None:
    said: dict[str, Any] = json.loads(parsed("From: a@b.example\n\nx").model_dump_json())
    assert said["schema"] == "mailstep.message/1"
    assert said["from"] == [{"name": "", "address": "a@b.example", "group": None}]
