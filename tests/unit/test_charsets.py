"""Text in every character set of the WHATWG Encoding Standard and of mail, as declared, hinted at and guessed.

Over 300 lines, most of which are cases.
"""

import base64
import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstep.mime.charsets import decode
from tests.support.messages import parsed
from tests.support.project import CASES

STANDARD = json.loads((CASES / "charsets" / "standard.json").read_text())
LABELS = {label: charset for charset, labels in STANDARD["labels"].items() for label in labels}
# What the standard keeps from browsers, and what mail readers show: ISO-2022-KR (RFC 1557), HZ (RFC 1843) and
# ISO-2022-CN (RFC 1922).
SHOWN = {
    "csiso2022kr": ("한국어", b"\x1b$)C\x0eGQ19>n\x0f"),
    "iso-2022-kr": ("한국어", b"\x1b$)C\x0eGQ19>n\x0f"),
    "hz-gb-2312": ("中文", b"~{VPND~}"),
    "iso-2022-cn": ("中文", b"\x1b$)A\x0eVPND\x0f"),
    "iso-2022-cn-ext": ("中文", b"\x1b$)A\x0eVPND\x0f"),
    "replacement": ("plain", b"plain"),
}


def pairs(charset: str) -> dict[str, bytes]:
    """Characters of a charset of two octets, and their octets, by the standard's index."""
    octets, characters = STANDARD["pairs"]["gb18030" if charset == "gbk" else charset]
    return {c: bytes.fromhex(pair) for pair, c in zip(octets.split(), characters, strict=True)}


def sample(label: str) -> tuple[str, bytes]:
    """Letters of the charset that the label means in the standard, and their octets."""
    charset = LABELS[label]
    if label in SHOWN:
        return SHOWN[label]
    if charset == "x-user-defined":  # letters of private use, which no file name keeps
        return "plain", b"plain"
    if charset in {"utf-8", "utf-16le", "utf-16be"}:
        return "Grüße, 日本", "Grüße, 日本".encode(charset)
    if charset in {*STANDARD["pairs"], "gbk"}:
        letters = {c: octets for c, octets in pairs(charset).items() if c.isalpha() or c in "①㈱"}
        text, octets = "".join([*letters][-40:]), b"".join([*letters.values()][-40:])
        return text, b"\x1b$B" + octets + b"\x1b(B" if charset == "iso-2022-jp" else octets
    high = {c: bytes([0x80 + at]) for at, c in enumerate(STANDARD["single_byte"][charset]) if c.isalpha() or c in "€“”"}
    return "".join([*high][-60:]), b"".join([*high.values()][-60:])


@pytest.mark.parametrize("label", LABELS)
def test_each_label_of_the_standard_reads_right_as_text_subject_display_name_and_file_name(label: str) -> None:
    text, octets = sample(label)
    encoded, percent = base64.b64encode(octets).decode(), quote_from_bytes(octets)
    for written in (label, label.upper()):
        message = parsed(
            f"From: =?{written}?b?{encoded}?= <a@b.example>\nSubject: =?{written}?B?{encoded}?=\n"
            f'Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset="{written}"\n'
            f"Content-Transfer-Encoding: base64\n\n{encoded}\n--b\nContent-Type: text/csv\n"
            f"Content-Disposition: attachment; filename*={written}''{percent}\n\na,b\n--b--"
        )
        found = (message.text, message.subject, message.from_[0].name, message.attachments[0].filename)
        assert found == (text,) * 4
        assert set(message.defects) <= ({"charset_wrong"} if label == "replacement" else set())


@pytest.mark.parametrize("charset", STANDARD["single_byte"])
def test_each_octet_is_the_character_of_the_standards_index(charset: str) -> None:
    high = STANDARD["single_byte"][charset]
    letters = "".join(c for c in high if c != "\ufffd")
    octets = bytes(0x80 + at for at, c in enumerate(high) if c != "\ufffd")
    assert decode(b"a" + octets, declared=charset).text == "a" + letters


@pytest.mark.parametrize("charset", [charset for charset in STANDARD["pairs"] if charset != "iso-2022-jp"])
def test_pairs_of_octets_are_the_characters_of_the_standards_index(charset: str) -> None:
    """The rows of vendors are among them: NEC, IBM, ETEN and HKSCS, and what Unicode took up later."""
    found = decode(b" ".join(pairs(charset).values()), declared=charset)
    assert (found.text, found.damaged) == (" ".join(pairs(charset)), False)


def test_iso_2022_jp_has_the_rows_of_vendors_and_half_width_katakana() -> None:
    octets = b"".join(pairs("iso-2022-jp").values())
    assert decode(b"\x1b$B" + octets + b"\x1b(B", declared="iso-2022-jp").text == "".join(pairs("iso-2022-jp"))
    assert decode(b"a\x1b(I1=M\x1b(Bz", declared="iso-2022-jp").text == "aｱｽﾍz"
    assert decode(b"\x1b(J\\~\x1b(B\\~", declared="iso-2022-jp").text == "¥‾\\~"


@pytest.mark.parametrize(
    ("label", "octets", "text"),
    [
        ("cp50220", b"\x1b$B-!\x1b(B", "①"),
        ("iso-2022-jp-ms", b"\x1b$B-!\x1b(B", "①"),
        ("_iso-2022-jp$ESC", b"\x1b$BF|\x1b(B", "日"),
        ("iso-2022-jp-2", b"\x1b$AVPND\x1b$(CGQ19\x1b(B", "中文한국"),
        ("iso-2022-jp-1", b"\x1b$(D0!\x1b(B", "丂"),
        ("win-1251", "Привет".encode("cp1251"), "Привет"),
        ("windows1251", "Привет".encode("cp1251"), "Привет"),
        ("cp-1250", "Łódź".encode("cp1250"), "Łódź"),
        ("iso-gb2312", "中文".encode("gbk"), "中文"),
        ("x-gb2312", "中文".encode("gbk"), "中文"),
        ("gb2312-80", "中文".encode("gbk"), "中文"),
        ("cp936", "镕".encode("gbk"), "镕"),
        ("utf-7", b"Gr+APwA3w-e", "Grüße"),
        ("unicode-1-1-utf-7", b"Gr+APwA3w-e", "Grüße"),
        ("utf8mb4", "Grüße".encode(), "Grüße"),
        ("UTF_8", "Grüße".encode(), "Grüße"),
        ("iso 8859-1", b"Gr\xfc\xdfe", "Grüße"),
        ("8859_1", b"Gr\xfc\xdfe", "Grüße"),
        ("iso8859_15", b"5 \xa4", "5 €"),
        ("latin-1", b"Gr\xfc\xdfe", "Grüße"),
        ("cp850", "Grüße".encode("cp850"), "Grüße"),
        ("ibm437", "Grüße".encode("cp437"), "Grüße"),
        ("x-mac-roman", "Grüße".encode("mac_roman"), "Grüße"),
        ("mac-ce", "Łódź".encode("mac_latin2"), "Łódź"),
        ("big5-eten", b"\xc7\xf3", "\u0410"),
        ("uhc", "뷁".encode("cp949"), "뷁"),
        ("johab", "한국".encode("johab"), "한국"),
        ("eucJP-win", b"\xad\xa1", "①"),
        ("sjis-win", b"\x87\x40", "①"),
        ("cp65001", "Grüße".encode(), "Grüße"),
        ("cp28592", "Łódź".encode("iso8859_2"), "Łódź"),
        ("'iso-8859-2'", "Łódź".encode("iso8859_2"), "Łódź"),
        ("utf-32be", "Grüße".encode("utf-32-be"), "Grüße"),
        ("x-mac-japanese", "日本".encode("cp932"), "日本"),
        ("x-mac-korean", "한국".encode("cp949"), "한국"),
        ("x-Chinese-Eten", "中國".encode("big5"), "中國"),
        ("x-IBM943C", "日本".encode("cp932"), "日本"),
        ("Extended_UNIX_Code_Packed_Format_for_Japanese", "日本".encode("euc_jp"), "日本"),
        ("x-windows-iso2022jp", b"\x1b$B-!\x1b(B", "①"),
    ],
)  # fmt: skip
def test_labels_that_only_mail_has_read_right(label: str, octets: bytes, text: str) -> None:
    found = decode(octets, declared=label)
    assert (found.text, found.guessed) == (text, False)


@pytest.mark.parametrize(
    ("charset", "bad"),
    [("shift_jis", b"\xff"), ("euc-jp", b"\xff"), ("euc-jp", b"\xa9\xfe"), ("euc-kr", b"\xff"), ("gbk", b"\xff"),
     ("euc-kr", b"\xc9\xff"), ("big5", b"\xff"), ("gb18030", b"\x81\xff"), ("utf-8", b"\xff"), ("utf-8", b"\xe4\xbd")],
)  # fmt: skip
def test_a_bad_octet_replaces_one_character_and_never_the_charset(charset: str, bad: bytes) -> None:
    """Section 4 of the standard: a sequence that is no character is one U+FFFD, and the next character is whole."""
    letters = "日本語質問回答予約確認" if charset != "euc-kr" else "한국어질문답변예약"
    half = letters.encode({"shift_jis": "cp932"}.get(charset, charset).replace("-", "_")) if charset != "big5" else None
    letters, half = ("中文問題回答", "中文問題回答".encode("big5")) if half is None else (letters, half)
    found = decode(half + bad + half, declared=charset)
    assert found.text == f"{letters}\ufffd{letters}"
    assert (found.charset, found.damaged, found.guessed) == (charset, True, False)


def test_a_bad_pair_takes_no_ascii_with_it() -> None:
    assert (
        decode("日本語".encode("cp932") + b"\x81\n" + "質問".encode("cp932"), declared="shift_jis").text
        == "日本語\ufffd\n質問"
    )


def test_a_replacement_character_that_is_really_there_is_no_damage() -> None:
    for charset, codec in [(None, "utf-8"), ("utf-8", "utf-8"), ("utf-16le", "utf-16-le"), ("gb18030", "gb18030")]:
        found = decode("Angebot f\ufffdr Sie, 5 €".encode(codec), declared=charset)
        assert (found.text, found.damaged, found.guessed) == ("Angebot f\ufffdr Sie, 5 €", False, False)


@pytest.mark.parametrize(
    ("mark", "codec", "charset"),
    [
        (b"\xef\xbb\xbf", "utf-8", "utf-8"),
        (b"\xff\xfe", "utf-16-le", "utf-16le"),
        (b"\xfe\xff", "utf-16-be", "utf-16be"),
    ],
)
@pytest.mark.parametrize("declared", [None, "iso-8859-1", "utf-16", "utf-8"])
def test_a_byte_order_mark_outranks_the_label(mark: bytes, codec: str, charset: str, declared: str | None) -> None:
    """Section 6 of the standard, "decode"."""
    found = decode(mark + "Größe;5\r\n".encode(codec), declared=declared)
    assert (found.text, found.charset, found.guessed) == ("Größe;5\r\n", charset, False)


@pytest.mark.parametrize("text", ["a,b\r\n1,2\r\n", "Привет, мир", "Καλημέρα", "Größe;5\n"])
@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_evident(text: str, codec: str) -> None:
    assert decode(text.encode(codec)).text == text


@pytest.mark.parametrize("octets", [b"Hello\0 world", b"\0", b"a\0b"])
def test_a_few_controls_make_no_utf_16(octets: bytes) -> None:
    assert decode(octets).text == octets.decode()


def test_ascii_declared_as_utf_16_is_ascii() -> None:
    assert decode(b"plain text", declared="utf-16").text == "plain text"


@pytest.mark.parametrize("declared", ["us-ascii", "iso-8859-1", "windows-1251", "shift_jis", "gb2312", "no-such"])
def test_utf_8_under_a_wrong_label_is_read_and_said(declared: str) -> None:
    found = decode("Grüße aus 日本語".encode(), declared=declared)
    assert (found.text, found.charset, found.guessed) == ("Grüße aus 日本語", "utf-8", True)


def test_japanese_with_escapes_is_read_without_a_label_and_in_a_raw_subject() -> None:
    assert parsed(b"Subject: \x1b$BF|K\\\x1b(B 1\r\n\r\n\x1b$BF|K\\\x1b(B").subject == "日本 1"
    assert decode(b"\x1b$BF|K\\\x1b(B", declared="us-ascii").text == "日本"


def test_what_names_no_charset_is_read_in_one_that_the_message_names() -> None:
    written = """From: Иван <a@b.example>
Subject: Да
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=koi8-r

Здравствуйте
--b
Content-Type: text/csv; name="Да.csv"

a,b
--b

Привет
--b--"""
    message = parsed(written.replace("\n", "\r\n").encode("koi8-r"))
    found = (message.from_[0].name, message.subject, message.attachments[0].filename, message.text)
    assert found == ("Иван", "Да", "Да.csv", "Здравствуйте\nПривет")  # noqa: RUF001


def test_one_word_without_a_label_is_read_in_the_charset_that_the_message_names() -> None:
    """A word is too little to guess from: only the other labels tell."""
    subject = b"Subject: " + "Мир".encode("koi8-r") + b"\r\n"
    assert parsed(subject + b"\r\nx").subject != "Мир"
    assert parsed(subject + b"Content-Type: text/plain; charset=koi8-r\r\n\r\nx").subject == "Мир"
    assert parsed(subject + b"To: =?koi8-r?q?=E1?= <a@b.example>\r\n\r\nx").subject == "Мир"


def test_a_bad_octet_does_not_keep_a_hint_from_being_taken() -> None:
    written = "注文はいつ届きますか".encode("euc_jp")
    found = decode(written + b"\xff" + written, hints=["euc-jp"])
    assert (found.text, found.damaged, found.guessed) == ("注文はいつ届きますか\ufffd注文はいつ届きますか", True, True)


def test_the_charset_of_an_attached_text_is_in_the_contract() -> None:
    head = "Content-Disposition: attachment; filename=a.csv\n\na,b"
    assert parsed(f"Content-Type: text/csv; charset=Windows-1250\n{head}").attachments[0].charset == "Windows-1250"
    assert parsed(f"Content-Type: text/csv\n{head}").attachments[0].charset is None


# Written for this test; each in a charset of its language from before UTF-8.
SENTENCES = [
    ("cp1251", "Здравствуйте, где мой заказ?"),
    ("koi8-r", "Подтвердите, пожалуйста, встречу"),
    ("cp1251", "Дякую, до зустрічі в четвер"),
    ("cp1251", "Моля, изпратете ми фактурата"),
    ("cp1253", "Πότε θα έρθει η παραγγελία μου;"),
    ("iso8859_7", "Ευχαριστώ πολύ"),
    ("cp1255", "מתי תגיע ההזמנה שלי?"),
    ("cp1256", "متى يصل طلبي؟ شكرا لكم"),
    ("cp1254", "Siparişim ne zaman gelecek? Teşekkürler"),
    ("cp1250", "Kiedy przyjdzie moja przesyłka? Dziękuję"),
    ("iso8859_2", "Prosím o změnu adresy, děkuji"),
    ("cp1250", "Mikor érkezik meg a rendelésem? Köszönöm"),
    ("cp874", "สินค้าของฉันจะมาถึงเมื่อไหร่"),
    ("cp932", "注文はいつ届きますか"),
    ("euc_jp", "予約を変更したいのですが"),
    ("gbk", "请问我的订单什么时候到"),
    ("big5", "請問我的訂單什麼時候會到"),
    ("cp949", "주문한 상품은 언제 도착하나요?"),
    ("cp1252", "Wann kommt meine Bestellung? Schöne Grüße"),
    ("cp1252", "Où est ma commande ? Merci de avance, à bientôt"),
    ("cp1252", "¿Cuándo llega mi pedido? Muchas gracias, señor"),
    ("cp1252", "När kommer min beställning? Hälsningar från Malmö"),
    ("cp1252", "Hvornår kommer min pakke? På forhånd tak"),
    ("cp1252", "Onde está a minha encomenda? Não chegou"),
]  # fmt: skip


@pytest.mark.parametrize(("codec", "text"), SENTENCES)
def test_a_sentence_without_any_label_is_guessed(codec: str, text: str) -> None:
    found = decode(text.encode(codec))
    assert (found.text, found.guessed) == (text, True)
    # Few words among much that says nothing do not change what they are.
    table = "id;state;name\r\n" + "".join(f"{row};open;{text if row == 7 else 'none'}\r\n" for row in range(20))
    assert decode(table.encode(codec)).text == table


# Written for this test; with octets that begin no character of the charset (sections 8 to 14 of the standard).
DAMAGED = [
    ("utf-8", "Die Ware ist völlig beschädigt. Schöne Grüße aus München", b"\xff \x80 \xc3"),
    ("utf-8", "ご注文の商品がまだ届いていません。", b"\xff \x80 \xe3"),
    ("utf-8", "Заказ не пришёл до сих пор.", b"\xff \x80 \xd0"),
    ("euc_jp", "会議は火曜日の午後三時からです。", b"\xff \x80"),
    ("cp932", "会議は火曜日の午後三時からです。", b"\xff \xfe \xfd"),
    ("gb18030", "您好。我的订单还没有收到。请帮忙查询一下。", b"\xff"),
    ("big5", "您好。我的訂單還沒有收到。請幫忙查詢一下。", b"\xff \x80"),
    ("euc_kr", "회의는 화요일 오후 세 시에 시작합니다.", b"\xff \x80"),
]


@pytest.mark.parametrize(("codec", "text", "bad"), DAMAGED)
def test_a_bad_octet_in_a_text_without_a_label_replaces_one_character(codec: str, text: str, bad: bytes) -> None:
    for octet in bad.split():
        for at in range(1, len(text)):
            found = decode(text[:at].encode(codec) + octet + text[at:].encode(codec))
            assert found.text == f"{text[:at]}\ufffd{text[at:]}"
            assert found.damaged


@pytest.mark.parametrize(
    ("octets", "is_imported"), [("Grüße".encode(), False), (b"plain", False), ("Grüße".encode("cp1250"), True)]
)
def test_the_detector_is_imported_only_if_octets_need_it(octets: bytes, is_imported: bool) -> None:
    program = (
        f"import sys; from mailstep.mime.charsets import decode; decode({octets!r}); print('chardet' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == str(is_imported)


@given(
    st.binary(max_size=300) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.sampled_from([None, *LABELS, "cp50220", "utf-7", "hz", "cp850", "utf-32", "no-such"]) | st.text(max_size=70),
    st.lists(st.sampled_from([*LABELS, "no-such"]), max_size=3),
    st.booleans(),
)  # fmt: skip
def test_any_octets_in_any_charset_are_text(octets: bytes, label: str | None, hints: list[str], cut: bool) -> None:
    found = decode(octets, declared=label, hints=hints, cut=cut)
    found.text.encode("utf-8")  # no half of a character, which no JSON can carry
    assert found.damaged <= ("\ufffd" in found.text or cut)


@pytest.mark.parametrize("case", sorted((CASES / "mail").glob("*.json")), ids=lambda path: path.stem)
def test_mail_of_real_senders_says_what_a_reader_sees(case: Path) -> None:
    """Each case names its source."""
    said = json.loads(case.read_text())
    message = parsed((CASES / "mail" / said["file"]).read_bytes())
    found = {
        "text": message.text,
        "subject": message.subject,
        "filename": [attachment.filename for attachment in message.attachments],
        "from": [address.address for address in message.from_],
    }
    assert found[said["field"]] == said["expected"]
