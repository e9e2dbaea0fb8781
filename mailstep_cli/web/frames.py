"""Makes the frames of a message and of its answer: their HTML, with the pictures that it shows by Content-ID."""

from base64 import b64encode
from collections.abc import Callable, Iterable
from functools import partial

from mailstep.aws import mail_bucket
from mailstep.contracts import Answer, Message
from mailstep_cli.web.mail_html import document

_SHOWN = {"image/avif", "image/bmp", "image/gif", "image/jpeg", "image/png", "image/webp"}
"""What a browser shows as a picture and nothing else."""
_OCTETS = 6_000_000
"""Of all pictures of one message: a frame has them in its text."""
_PICTURES = 60


def of_message(bucket: str, message: Message | None) -> str:
    """The document of a message's HTML, with pictures from the mail bucket; empty if it has no HTML.

    Raises:
        TransientError: S3 is unavailable.
    """
    if message is None or not message.html:
        return ""
    read = partial(mail_bucket.read_attachment, bucket)
    found = ((a.content_id, a.media_type_detected, a.size_octets, partial(read, a)) for a in message.attachments)
    return document(message.html, _pictures(found))


def of_answer(answer: Answer | None) -> str:
    """The document of an answer's HTML; empty if it has none."""
    if answer is None or not answer.html:
        return ""
    found = ((a.content_id, a.media_type, len(a.content), partial(bytes, a.content)) for a in answer.attachments)
    return document(answer.html, _pictures(found))


def _pictures(found: Iterable[tuple[str | None, str | None, int, Callable[[], bytes]]]) -> dict[str, str]:
    """A `data:` URL (RFC 2397) for each Content-ID. Pictures beyond the bound are left to download."""
    pictures: dict[str, str] = {}
    room = _OCTETS
    for content_id, media_type, octets, read in found:
        if not content_id or content_id in pictures or media_type not in _SHOWN:
            continue
        if octets > room or len(pictures) == _PICTURES:
            continue
        room -= octets
        pictures[content_id] = f"data:{media_type};base64,{b64encode(read()).decode()}"
    return pictures
