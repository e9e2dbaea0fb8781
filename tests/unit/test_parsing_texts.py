"""Texts: how they are encoded, in which character set, how their lines flow, and how much of them is read."""

import pytest

from mailstep import limits
from tests.support.messages import parsed


def test_a_text_cut_within_a_character_of_its_own_charset_is_still_read_in_it() -> None:
    text = "你好" * (limits.TEXT // 2)
    message = parsed(b"Content-Type: text/plain; charset=gb2312\r\n\r\na" + text.encode("gbk"))
    assert message.text.startswith("a你好你好")
    assert message.text.endswith("你好") or message.text.endswith("你")


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
        ("utf-7", b"+2AA-", None),
        ("unicode_escape", b"\\ud800", "\\ud800"),
        ("punycode", b"plain", "plain"),
        ("utf-8", "Grüße aus Zürich ".encode() * 3 + b"\xa9", "Grüße aus Zürich " * 3 + "\ufffd"),
        ("utf-8", b"\xef\xbb\xbfplain", "plain"),
    ],
)
def test_text_is_read_in_the_character_set_that_was_meant(charset: str, octets: bytes, text: str | None) -> None:
    message = parsed(b'Content-Type: text/plain; charset="%s"\r\n\r\n%s' % (charset.encode(), octets))
    assert text is None or message.text == text
    message.model_dump_json()


def test_a_long_text_is_cut_and_kept_whole() -> None:
    kept: dict[str, bytes] = {}
    long = "ü" * limits.TEXT
    message = parsed(f"Content-Type: text/plain; charset=utf-8\n\n{long}", kept)
    assert message.text == long[: limits.TEXT // 2]
    assert list(kept.values()) == [long.encode()]


@pytest.mark.parametrize(
    ("parameters", "written", "text"),
    [
        ("format=flowed", "Two red \nlamps, \nplease.\n\nAnn\n", "Two red lamps, please.\n\nAnn\n"),
        ("format=Flowed; DelSp=No", "> one \n> line \n>> other\n", "> one line \n>> other\n"),
        ("format=flowed", ">>one \n>> line\n", ">> one line\n"),
        ("format=flowed", " >no quote\n From here\n  indented\n", ">no quote\nFrom here\n indented\n"),
        ("format=flowed", "Two, \n-- \nAnn\n", "Two, \n-- \nAnn\n"),
        (
            "format=flowed; delsp=yes",
            "https://shop.example/ \nlamps\ntwo  \nred\n",
            "https://shop.example/lamps\ntwo red\n",
        ),
        ("format=flowed; delsp=yes", "注文の確認をお願い \nします。\n", "注文の確認をお願いします。\n"),
        ("format=fixed", "Two red \nlamps\n", "Two red \nlamps\n"),
    ],
)
def test_the_paragraphs_of_flowed_text_are_put_together(parameters: str, written: str, text: str) -> None:
    """RFC 3676, sections 4.1 to 4.5."""
    assert parsed(f"Content-Type: text/plain; charset=utf-8; {parameters}\n\n{written}").text == text


def test_parts_that_are_too_long_together_are_kept_too() -> None:
    kept: dict[str, bytes] = {}
    half = "x" * (limits.TEXT // 2 + 10)
    message = parsed(f"Content-Type: multipart/mixed; boundary=b\n\n--b\n\n{half}\n--b\n\n{half}\n--b--", kept)
    assert len(message.text) == limits.TEXT + 1
    assert list(kept.values()) == [half.encode()]
    assert "text_truncated" in message.defects


@pytest.mark.parametrize(
    ("encoding", "encoded", "decoded"),
    [
        ("base64", b"YSxi", b"a,b"),
        ("BASE64", b"YS\r\nxi\r\n", b"a,b"),
        ("base64", b"YSxiYw", b"a,bc"),
        ("base64", b"this is no base64 at all, but plain text. (really)", None),
        ("base64", b"YQ==\r\nLGI=\r\n", b"a,b"),
        ("base64", b"plain text, a = b, that is no base64 at all", None),
        ("quoted-printable", b"a=2Cb=\r\nc", b"a,bc"),
        ("quoted-printable", b"a=2Cb= \rc\rd=\re", b"a,bc\nde"),
        ("x-uuencode", b"begin 644 a\r\n#82QB\r\n`\r\nend\r\n", b"a,b"),
        ("no-such", b"kept", b"kept"),
    ],
)
def test_transfer_encodings_are_decoded_and_undecodable_parts_are_kept(
    encoding: str, encoded: bytes, decoded: bytes | None
) -> None:
    kept: dict[str, bytes] = {}
    head = b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: %s\r\n\r\n" % encoding.encode()
    message = parsed(head + encoded, kept)
    assert list(kept.values()) == [encoded if decoded is None else decoded]
    assert (decoded is not None and encoding != "no-such") == (message.defects == ())


@pytest.mark.parametrize(
    ("written", "octets"), [("QQ==", b"A"), ("QUI=", b"AB"), ("QUJD", b"ABC"), ("QUJDRA==", b"ABCD")]
)
def test_base64_of_a_few_octets_is_decoded(written: str, octets: bytes) -> None:
    """RFC 4648 section 4: one octet is two digits and two of padding."""
    kept: dict[str, bytes] = {}
    parsed(
        "From: a@b.example\nContent-Type: text/csv\nContent-Disposition: attachment\n"
        f"Content-Transfer-Encoding: base64\n\n{written}\n",
        kept,
    )
    assert list(kept.values()) == [octets]


def test_quoted_printable_keeps_crlf_and_reads_a_lone_cr_as_a_line_end() -> None:
    """RFC 2045 section 6.7 (4) has CRLF alone; old mail of the Macintosh has CR."""
    head = b"Content-Type: application/x\nContent-Transfer-Encoding: quoted-printable\n\n"
    for octets in (b"", bytes(range(0x80, 0x100))):  # with and without an octet that does not occur
        kept: dict[str, bytes] = {}
        parsed(head + b"a=3Db\rc\r\nd\n" + octets, kept)
        assert list(kept.values()) == [b"a=b\nc\r\nd\n" + octets]
