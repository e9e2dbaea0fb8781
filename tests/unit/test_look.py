"""What an installation chooses of its replies' look: footer, colour, logo, signature; and the reference in each."""

import io
import json
import struct
from email.message import EmailMessage
from pathlib import Path

import pytest

from mailstep import custom, reference
from mailstep.contracts import Answer, AnswerAttachment
from mailstep.errors import ConfigurationError
from mailstep.reply.look import LOGO_ID, look_of
from mailstep.route import Route
from mailstep.routes import load
from mailstep.telemetry import logger
from mailstep.testing import receive
from tests.support.messages import mail_with

PNG = b"\x89PNG\r\n\x1a\n"


def png(width: int, height: int) -> bytes:
    """The beginning of a PNG (Portable Network Graphics Specification, 5.2 and 11.2.1)."""
    return PNG + struct.pack(">I4sIIBBBBB", 13, b"IHDR", width, height, 8, 6, 0, 0, 0)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an installation's own files."""
    monkeypatch.setattr(custom, "OWN", [tmp_path])
    return tmp_path


def reply(answer: Answer | None = None, **settings: object) -> EmailMessage:
    route = Route.model_validate({"language": "en"} | settings)
    return receive(mail_with({}), settings=route).reply(answer or Answer(text="It is on its way."))


def text_of(reply: EmailMessage, kind: str) -> str:
    part = reply.get_body((kind,))
    assert part
    return str(part.get_content()).replace("\r\n", "\n")


@pytest.mark.parametrize("kind", ["plain", "html"])
def test_a_reply_has_the_footer_once_below_its_text(kind: str) -> None:
    said = text_of(reply(reply_footer="Beispiel & Söhne\nBerlin"), kind)
    written = "Beispiel &amp; Söhne<br>Berlin" if kind == "html" else "Beispiel & Söhne\nBerlin"
    assert said.count(written) == 1
    assert said.index(written) > said.index("It is on its way.")
    assert "Sent by Mailstep." in said


@pytest.mark.parametrize("kind", ["plain", "html"])
def test_a_reply_need_not_say_that_mailstep_sent_it_and_still_has_its_reference_once(kind: str) -> None:
    said = text_of(reply(reply_signature=False), kind)
    assert "Mailstep" not in said
    assert said.count(reference.spelled("offline")) == 1
    assert "offline" not in said


# WCAG 2.2, relative luminance: black has the better contrast with a colour above 0.179.
@pytest.mark.parametrize(
    ("colour", "ink"),
    [
        ("#ffffff", "#000000"),
        ("#000000", "#ffffff"),
        ("#0B57D0", "#ffffff"),
        ("#ffcc00", "#000000"),
        ("#fc0", "#000000"),
    ],
)
def test_a_colour_has_a_bar_whose_text_can_be_read(colour: str, ink: str) -> None:
    html = text_of(reply(reply_colour=colour, reply_name="Example"), "html")
    assert f"background-color: {'#ffcc00' if colour == '#fc0' else colour.lower()}; color: {ink}" in html
    assert ">Example</div>" in html


def test_a_reply_without_these_settings_has_no_bar() -> None:
    assert 'class="head"' not in text_of(reply(), "html")


def test_a_logo_is_within_the_reply_and_shown_no_larger_than_it_is(own: Path) -> None:
    (own / "logo.png").write_bytes(png(960, 240))
    sent = reply(reply_logo="logo.png", reply_name="Example")
    [picture] = [part for part in sent.walk() if part.get_content_type() == "image/png"]
    assert picture["Content-ID"] == f"<{LOGO_ID}>"
    assert picture.get_content_disposition() == "inline"
    assert picture.get_payload(decode=True) == png(960, 240)
    # A quarter of its pixels, to be 240 wide.
    assert f'<img src="cid:{LOGO_ID}" width="240" height="60" alt="Example">' in text_of(sent, "html")
    (own / "logo.png").write_bytes(png(30, 20))
    assert 'width="30" height="20"' in text_of(reply(reply_logo="logo.png"), "html")


def test_an_answer_cannot_have_its_own_picture_in_place_of_the_logo() -> None:
    picture = {"filename": "a.png", "media_type": "image/png", "content_base64": "eA==", "content_id": LOGO_ID}
    with pytest.raises(ValueError, match="content_id"):
        AnswerAttachment.model_validate(picture)


def test_an_answers_own_words_cannot_change_the_bar() -> None:
    html = text_of(reply(Answer(text="", html='<div class="head" style="background-color: red">x</div>')), "html")
    assert "background-color: red" not in html
    assert 'class="head"' not in html


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ('reply_colour = "blue"', "write a colour in hexadecimal, as #1a73e8"),
        ('reply_colour = "#12345g"', "write a colour in hexadecimal"),
        ('reply_colour = "#000; background: url(//x.example)"', "write a colour in hexadecimal"),
        ('reply_footer = "a\\u0000b"', "without control characters"),
        (f'reply_footer = "{"a" * 1_001}"', "write up to 1,000 characters"),
        ('reply_logo = "none.png"', "there is no functions/custom/none.png"),
        ('reply_logo = "../secret.png"', "there is no functions/custom/../secret.png"),
        ('reply_logo = "text.png"', "not a PNG: save it as one"),
        ('reply_logo = "large.png"', "has more than 100,000 octets"),
        ('reply_logo = "wide.png"', "is larger than 2,000 pixels"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused_with_what_to_write(own: Path, setting: str, says: str) -> None:
    (own.parent / "secret.png").write_bytes(png(1, 1))
    (own / "text.png").write_text("no picture, though it is long enough to be one")
    (own / "large.png").write_bytes(png(1, 1) + bytes(100_000))
    (own / "wide.png").write_bytes(png(2_001, 1))
    with pytest.raises(ConfigurationError) as refused:
        load(f"[routes.a]\n{setting}\n", {})
    assert "line 2" in str(refused.value)
    assert says in str(refused.value)


def test_a_logo_that_was_deleted_since_is_named(own: Path) -> None:
    (own / "logo.png").write_bytes(png(1, 1))
    route = Route(reply_logo="logo.png")
    (own / "logo.png").unlink()
    with pytest.raises(ConfigurationError, match="reply_logo"):
        look_of(route)


@pytest.mark.parametrize("written", ["{}", "{} ", "  {}"])
@pytest.mark.parametrize("changed", [str.upper, str.lower])
def test_a_reference_is_read_in_any_case_with_and_without_its_hyphen(written: str, changed: type[str]) -> None:
    spelled = reference.spelled("0123456789-abc")
    assert len(spelled) == 9
    assert spelled[4] == "-"
    for said in (spelled, spelled.replace("-", ""), spelled.replace("-", " ")):
        assert reference.read(written.format(changed(said))) == reference.short("0123456789-abc")


def test_each_line_of_the_log_about_an_email_has_its_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", written)
    logger.set_correlation_id(None)  # of another test's email
    logger.info("Started", extra={"email_id": "0123456789-abc"})
    logger.info("Nothing to do")
    about, other = map(json.loads, written.getvalue().splitlines())
    assert about["reference"] == reference.short("0123456789-abc")
    assert "reference" not in other


@pytest.mark.parametrize("text", ["", "7K4Q", "7K4Q-MTX0", "ul45j44fcvmrhxdl", "7K4QMTXAA"])
def test_a_text_that_is_not_a_reference_is_not_read_as_one(text: str) -> None:
    assert reference.read(text) is None
