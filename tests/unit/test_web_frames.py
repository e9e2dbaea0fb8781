"""The frames of the page: which pictures of a message and of its answer they show, and how many."""

import pytest

from mailstep.contracts import Answer, AnswerAttachment, Attachment, Message
from mailstep_cli.web import frames
from mailstep_cli.web.mail_html import document
from tests.support.events import BUCKET
from tests.support.index import NOW

DOT = "data:image/png;base64,ZG90"


def answer(*sizes: int, html: str, media_type: str = "image/png") -> Answer:
    pictures = [
        AnswerAttachment(filename="a.png", media_type=media_type, content=b"x" * size, content_id=f"p{number}")
        for number, size in enumerate(sizes)
    ]
    return Answer(text="", html=html, attachments=tuple(pictures))


@pytest.mark.parametrize("url", ["cid:a@b", "CID:a@b", "cid:a%40b"])
def test_a_picture_is_found_by_its_content_id_as_a_url_writes_it(url: str) -> None:
    """RFC 2392 section 2."""
    assert f'src="{DOT}"' in document(f'<img src="{url}">', {"a@b": DOT})


@pytest.mark.parametrize("url", ["cid:other", "cid:", "/messages/x/raw", "//evil.example/p", "http://evil.example/p"])
def test_no_other_picture_is_loaded(url: str) -> None:
    assert "src=" not in document(f'<img src="{url}">', {"a@b": DOT})


def test_one_picture_that_is_shown_very_often_does_not_swell_the_page() -> None:
    picture = "data:image/png;base64," + "A" * 1_000_000
    assert len(document('<img src="cid:a">' * 10_000, {"a": picture})) < 15_000_000


def test_pictures_beyond_the_bound_are_left_to_download() -> None:
    html = '<img src="cid:p0"><img src="cid:p1"><img src="cid:p2">'
    shown = frames.of_answer(answer(4_000_000, 4_000_000, 100, html=html))
    assert shown.count("data:image/png") == 2
    many = frames.of_answer(answer(*[1] * 200, html="".join(f'<img src="cid:p{n}">' for n in range(200))))
    assert many.count("data:image/png") == 60


@pytest.mark.parametrize("media_type", ["image/svg+xml", "text/html", "application/pdf"])
def test_only_what_a_browser_shows_as_a_picture_is_one(media_type: str) -> None:
    assert ";base64," not in frames.of_answer(answer(9, html='<img src="cid:p0">', media_type=media_type))


def test_a_message_without_html_has_no_frame_and_reads_no_picture() -> None:
    attached = Attachment(filename="a.png", media_type="image/png", media_type_detected="image/png", size_octets=9,
                          sha256="0" * 64, content_id="p0", key="not-there")  # fmt: skip
    message = Message.model_validate(
        {"email_id": "m", "route": "orders", "size_octets": 9, "received": NOW, "attachments": [attached], "text": "x"}
    )
    assert frames.of_message(BUCKET, message) == ""
    assert frames.of_message(BUCKET, None) == frames.of_answer(None) == ""


def test_html_that_would_take_minutes_to_clean_is_not_shown() -> None:
    """160 KB took 7 s, and the page answers one request at a time."""
    assert "nest too deeply" in document("<ul><li>" * 125_000, {})
    assert "shown here" in document("<ul><li>shown here</ul>" * 400, {})
