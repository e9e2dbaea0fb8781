"""What is in a winmail.dat ([MS-OXTNEF]) is found, and no winmail.dat makes the parser hang or grow.

Over 300 lines, because each attribute that can lie has its own few lines.
"""

import base64
import random
import tracemalloc
from pathlib import Path

import pytest

from bench import fuzz
from mailstep.mime import tnef as reader
from mailstep.mime.defects import Defect
from mailstep.mime.options import DEFAULTS, Options
from tests.support.messages import parsed
from tests.support.project import CASES
from tests.support.tnef import (
    ATTACH_CONTENT_ID,
    ATTACH_DATA,
    ATTACH_FILENAME,
    ATTACH_FLAGS,
    ATTACH_LONG_FILENAME,
    ATTACH_OBJECT,
    ATTACH_TITLE,
    ATTACHMENT,
    ATTACHMENT_HIDDEN,
    BINARY,
    BODY,
    BOOLEAN,
    DISPLAY_NAME,
    IID_MESSAGE,
    IID_STORAGE,
    LONG,
    MESSAGE_PROPERTIES,
    MULTIVALUED,
    OBJECT,
    OEM_CODEPAGE,
    SHORT,
    STRING8,
    SYSTIME,
    UNICODE,
    attachment,
    attribute,
    file,
    prop,
    properties,
    tnef,
)

LONG_NAME = properties(prop(UNICODE, ATTACH_LONG_FILENAME, "Größe.xlsx"))
FULL = tnef(
    attribute(OEM_CODEPAGE, (1252).to_bytes(8, "little")),
    attachment(
        attribute(ATTACH_TITLE, b"GROESS~1.XLS\0", level=2),
        attribute(ATTACH_DATA, b"the first\0\0\0", level=2),
        attribute(ATTACHMENT, LONG_NAME, level=2),
    ),
    attachment(
        attribute(
            ATTACHMENT,
            properties(
                prop(SHORT, 0x0E21, 7),
                prop(LONG | MULTIVALUED, 0x6001, 1, 2, 3),
                prop(SYSTIME | MULTIVALUED, 0x6002, 1, 2),
                prop(UNICODE | MULTIVALUED, 0x8001, "a", "bc", name="Keywords"),
                prop(BINARY, 0x8002, b"x", name=0x8554),
                prop(BINARY, ATTACH_OBJECT, b"the second"),
                prop(STRING8, ATTACH_FILENAME, b"second.txt\0"),
            ),
            level=2,
        ),
    ),
)
FILES = [("Größe.xlsx", b"the first\0\0\0"), ("second.txt", b"the second")]


def unpacked(octets: bytes) -> tuple[list[tuple[str, bytes]], bool, set[Defect]]:
    defects: set[Defect] = set()
    found = reader.Unpacker().unpack(octets, defects)
    is_all = found.is_read and bool(found.files) and not found.has_body
    return [(file.name, bytes(file.content)) for file in found.files], is_all, defects


def mailed(octets: bytes) -> bytes:
    return b"Content-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: base64\r\n\r\n" + (
        base64.encodebytes(octets)
    )


def test_files_are_found_with_their_names_and_every_octet() -> None:
    assert unpacked(FULL) == (FILES, True, set())


def test_the_files_take_the_place_of_winmail_dat() -> None:
    contents: dict[str, bytes] = {}
    message = parsed(mailed(FULL), contents)
    assert [(a.filename, contents[a.key]) for a in message.attachments] == FILES
    assert message.defects == ()


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ([(UNICODE, ATTACH_LONG_FILENAME, "longer.txt"), (STRING8, ATTACH_FILENAME, b"LONG~1.TXT\0")], "longer.txt"),
        ([(STRING8, ATTACH_FILENAME, b"short.txt\0"), (UNICODE, DISPLAY_NAME, "shown")], "short.txt"),
        ([(UNICODE, ATTACH_LONG_FILENAME, ""), (UNICODE, DISPLAY_NAME, "shown")], "title.txt"),
        ([], "title.txt"),
    ],
)  # fmt: skip
def test_the_longest_name_is_taken(said: list[tuple[int, int, str | bytes]], name: str) -> None:
    listed = attribute(ATTACHMENT, properties(*(prop(*one) for one in said)), level=2)
    title, data = attribute(ATTACH_TITLE, b"title.txt\0", level=2), attribute(ATTACH_DATA, b"x", level=2)
    assert unpacked(tnef(attachment(title, data, listed)))[0] == [(name, b"x")]


def test_what_has_no_file_name_is_called_as_it_is_shown() -> None:
    listed = properties(prop(BINARY, ATTACH_OBJECT, b"x"), prop(UNICODE, DISPLAY_NAME, "Lageplan"))
    assert unpacked(tnef(attachment(attribute(ATTACHMENT, listed, level=2))))[0] == [("Lageplan", b"x")]


@pytest.mark.parametrize(
    ("codepage", "encoding", "name"),
    [(1251, "cp1251", "Смета.txt"), (932, "cp932", "表.txt"), (28592, "iso8859_2", "Š.txt"), (65001, "utf-8", "ü.txt")],
)
def test_a_name_is_in_the_codepage_that_is_said(codepage: int, encoding: str, name: str) -> None:
    packed = tnef(attribute(OEM_CODEPAGE, codepage.to_bytes(8, "little")), file(name.encode(encoding), b"x"))
    assert unpacked(packed)[0] == [(name, b"x")]


TEXTS = [
    (attribute(BODY, b"Dear all\0"), "Dear all", None),
    (attribute(MESSAGE_PROPERTIES, properties(prop(UNICODE, 0x1000, "Größe 5\r\n"))), "Größe 5\n", None),
    (attribute(MESSAGE_PROPERTIES, properties(prop(BINARY, 0x1013, b"<p>Dear all"))), "Dear all", "<p>Dear all"),
    (
        attribute(OEM_CODEPAGE, (1251).to_bytes(8, "little")) + attribute(BODY, "Привет\0".encode("cp1251")),
        "Привет",
        None,
    ),
    (
        attribute(
            MESSAGE_PROPERTIES,
            properties(prop(LONG, 0x3FDE, 28592), prop(BINARY, 0x1013, "<p>Łódź".encode("iso8859_2"))),
        ),
        "Łódź",
        "<p>Łódź",
    ),
]


@pytest.mark.parametrize(("body", "text", "html"), TEXTS)
def test_a_text_that_is_only_in_a_winmail_dat_is_the_text_of_the_message(
    body: bytes, text: str, html: str | None
) -> None:
    message = parsed(mailed(tnef(body, file(b"a.txt", b"x"))))
    assert (message.text, message.html) == (text, html)
    assert [a.filename for a in message.attachments] == ["a.txt"]
    assert message.defects == ()


@pytest.mark.parametrize("body", [body for body, _, _ in TEXTS])
def test_a_winmail_dat_with_another_text_than_the_message_is_kept_whole_beside_its_files(body: bytes) -> None:
    head = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n--b\r\n"
    message = parsed(head + mailed(tnef(body, file(b"a.txt", b"x"))) + b"\r\n--b--")
    assert message.text == "hello"
    assert [a.filename for a in message.attachments] == ["a.txt", "winmail.dat"]


def test_a_text_that_is_only_in_rtf_is_kept_whole_with_a_defect() -> None:
    rtf = attribute(MESSAGE_PROPERTIES, properties(prop(BINARY, 0x1009, b"\x10\0\0\0LZFu")))
    message = parsed(mailed(tnef(rtf, file(b"a.txt", b"x"))))
    assert [a.filename for a in message.attachments] == ["a.txt", "winmail.dat"]
    assert message.defects == (Defect.TNEF_BODY_NOT_READ,)


def test_an_empty_text_is_no_text() -> None:
    assert unpacked(tnef(attribute(BODY, b"\r\n\0"), file(b"a.txt", b"x"))) == ([("a.txt", b"x")], True, set())


def test_an_object_is_its_octets_without_the_name_of_its_interface() -> None:
    listed = properties(prop(OBJECT, ATTACH_OBJECT, IID_STORAGE + b"\xd0\xcf\x11\xe0"))
    assert unpacked(tnef(attachment(attribute(ATTACHMENT, listed, level=2))))[0] == [("", b"\xd0\xcf\x11\xe0")]


def test_a_message_within_is_kept_in_the_whole_and_not_looked_into() -> None:
    inner = attachment(
        attribute(ATTACHMENT, properties(prop(OBJECT, ATTACH_OBJECT, IID_MESSAGE + FULL)), level=2)
    )  # fmt: skip
    assert unpacked(tnef(inner, file(b"a.txt", b"x"))) == ([("a.txt", b"x")], False, {Defect.TNEF_HOLDS_MESSAGE})


def test_what_is_cut_off_is_kept_whole_beside_the_files_that_are_complete() -> None:
    for end in range(len(FULL)):
        files, is_all, defects = unpacked(FULL[:end])
        assert {content for _, content in files} <= {content for _, content in FILES}, end
        assert is_all <= (not defects), end
        assert defects <= {Defect.TNEF_UNREADABLE}, end


@pytest.mark.parametrize(
    ("name", "defect"),
    [("property-count", "tnef_unreadable"), ("value-count", "tnef_unreadable"), ("nested", "tnef_holds_message")],
)
def test_a_hostile_winmail_dat_is_kept_whole_with_one_defect(name: str, defect: str) -> None:
    raw = (CASES / "hostile" / f"tnef-{name}.eml").read_bytes()
    parsed(raw)  # the first message of an environment loads what it needs
    tracemalloc.start()
    message = parsed(raw)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [a.filename for a in message.attachments] == ["winmail.dat"]
    assert message.defects == (defect,)
    assert peak < 100_000 + 4 * len(raw)


def test_no_length_and_no_count_makes_the_reader_read_more_than_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = 0
    take = reader._Cursor.take

    def counted(cursor: reader._Cursor, length: int) -> memoryview:
        nonlocal taken
        taken += 1
        return take(cursor, length)

    monkeypatch.setattr(reader._Cursor, "take", counted)
    for at in range(len(FULL) - 3):
        now = int.from_bytes(FULL[at : at + 4], "little")
        for size, number in [(2, 0), (2, 0xFFFF), *((4, n) for n in (0, 1, 0x7FFFFFFF, 0xFFFFFFFF, now - 1, now + 1))]:
            changed = FULL[:at] + (number % 256**size).to_bytes(size, "little") + FULL[at + size :]
            taken = 0
            files, is_all, defects = unpacked(changed)
            assert taken <= len(FULL)
            assert sum(len(content) for _, content in files) <= len(FULL)
            assert defects in (set(), {Defect.TNEF_UNREADABLE}, {Defect.TNEF_HOLDS_MESSAGE})
            assert not (is_all and defects)


def test_the_limit_counts_over_all_winmail_dat_files_of_a_message() -> None:
    unpacker, defects = reader.Unpacker(Options(tnef_values=25)), set[Defect]()
    assert unpacker.unpack(FULL, defects).is_read
    assert unpacker.unpack(FULL, defects) == reader.Unpacked()
    assert defects == {Defect.TNEF_TOO_LARGE}


def test_a_winmail_dat_of_too_many_files_is_kept_whole() -> None:
    message = parsed(mailed(tnef(*[file(b"a.txt", b"a")] * (DEFAULTS.parts + 1))))
    assert [a.filename for a in message.attachments] == ["winmail.dat"]
    assert message.defects == ("tnef_too_many_files",)


def test_real_files_are_found_in_a_real_winmail_dat(corpus: Path) -> None:
    """The picture, and the whole for its text and the messages within (Outlook wrote it, for MimeKit's tests)."""
    contents: dict[str, bytes] = {}
    message = parsed((corpus / "mimekit/messages/tnef/rich-text.eml").read_bytes(), contents)
    found = {a.filename: contents[a.key] for a in message.attachments}
    picture = found["kitten-playing-with-a-christmas-tree.jpg"]
    assert picture.startswith(b"\xff\xd8")
    assert picture.endswith(b"\xff\xd9")
    assert found["winmail.dat"].startswith(b"\x78\x9f\x3e\x22")


@pytest.mark.usefixtures("corpus")
def test_files_with_wrong_numbers_are_parsed() -> None:
    """The short, seeded form of what `python -m bench.fuzz` does with counts and lengths."""
    files = [*fuzz.binaries(), ("application/ms-tnef", FULL)]
    assert {"application/ms-tnef", "image/png", "application/zip"} <= {media_type for media_type, _ in files}
    for seed in range(400):
        raw = fuzz.with_wrong_numbers(files, random.Random(seed))  # noqa: S311 - reproducible on purpose
        assert fuzz.broken_promise(raw, watch_memory=seed % 10 == 0) is None, seed


PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
SHOWN = [
    ("its HTML names it", [prop(STRING8, ATTACH_CONTENT_ID, b"logo@shop\0")], b'<p>x<img src="cid:logo@shop">'),
    ("in Unicode", [prop(UNICODE, ATTACH_CONTENT_ID, "logo@shop")], b'<p>x<img src="cid:logo@shop">'),
    ("in brackets", [prop(STRING8, ATTACH_CONTENT_ID, b"<logo@shop>\0")], b"<p>x<img src='cid:logo%40shop'>"),
    # [MS-OXCMSG] sections 2.2.2.18 and 2.2.2.24: attRenderedInBody, and PidTagAttachmentHidden.
    ("rendered", [prop(LONG, ATTACH_FLAGS, 4)], b""),
    ("hidden", [prop(BOOLEAN, ATTACHMENT_HIDDEN, 1)], b""),
]


def picture(*said: bytes, content: bytes = PNG, html: bytes = b"") -> bytes:
    listed = attribute(ATTACHMENT, properties(prop(STRING8, ATTACH_LONG_FILENAME, b"logo.png\0"), *said), level=2)
    body = [attribute(MESSAGE_PROPERTIES, properties(prop(BINARY, 0x1013, html)))] if html else []
    return tnef(*body, attachment(attribute(ATTACH_DATA, content, level=2), listed))


@pytest.mark.parametrize(("said", "html"), [one[1:] for one in SHOWN], ids=[one[0] for one in SHOWN])
def test_a_picture_that_the_text_shows_is_inline_and_nobody_attached_it(said: list[bytes], html: bytes) -> None:
    [found] = parsed(mailed(picture(*said, html=html))).attachments
    assert (found.filename, found.inline, found.attached) == ("logo.png", True, False)


@pytest.mark.parametrize(
    "said",
    [
        [],
        [prop(STRING8, ATTACH_CONTENT_ID, b"other@shop\0")],
        [prop(LONG, ATTACH_FLAGS, 3)],
        [prop(BOOLEAN, ATTACHMENT_HIDDEN, 0)],
    ],
)
def test_a_picture_that_nothing_shows_is_an_attached_file(said: list[bytes]) -> None:
    [found] = parsed(mailed(picture(*said, html=b'<p>x<img src="cid:logo@shop">'))).attachments
    assert (found.inline, found.attached) == (False, True)


@pytest.mark.parametrize(("said", "html"), [one[1:] for one in SHOWN], ids=[one[0] for one in SHOWN])
def test_what_is_no_picture_is_attached_whatever_its_flags_say(said: list[bytes], html: bytes) -> None:
    [found] = parsed(mailed(picture(*said, content=b"a,b\n1,2\n", html=html))).attachments
    assert (found.inline, found.attached) == (True, True)


def test_the_html_beside_a_winmail_dat_shows_its_pictures_too() -> None:
    packed = mailed(picture(prop(STRING8, ATTACH_CONTENT_ID, b"logo@shop\0")))
    html = b'Content-Type: text/html\r\n\r\n<p>Hello<img src="cid:logo@shop">\r\n'
    parts = b"".join(b"--b\r\n" + part + b"\r\n" for part in (html, packed))
    whole = b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + parts + b"--b--\r\n"
    [found] = parsed(whole).attachments
    assert (found.content_id, found.inline, found.attached) == ("logo@shop", True, False)
