"""Composes the reply: threaded, multipart, marked as automatic, and without header fields that the sender chose."""

import re
from collections.abc import Iterable
from datetime import datetime
from email.header import Header
from email.headerregistry import Address, HeaderRegistry, UniqueAddressHeader, UnstructuredHeader
from email.message import EmailMessage, MIMEPart
from email.policy import SMTP, Policy
from email.utils import format_datetime
from textwrap import TextWrapper
from typing import Any

from markupsafe import Markup

from mailstep import limits
from mailstep.addresses import field_text, one_line
from mailstep.contracts import EMAIL_ID_FIELD, Answer, AnswerAttachment, Message
from mailstep.reference import spelled
from mailstep.rendering import render
from mailstep.reply.look import LOGO_ID, Look
from mailstep.reply.sanitising import sanitise, without_markup

SUBJECT_BOUND = 200
FILENAME_BOUND = 200
THREAD_OCTETS = 16_000
"""Octets of a thread's identifiers that are kept: the first, which names it, and the newest (RFC 5322 section 3.6.4).

This holds about a hundred, enough for the policy to recognise a loop (policy.py).
"""


class _Identifiers(UnstructuredHeader):
    """In-Reply-To, References: folded only at the limit of RFC 5322 (2.1.1): some clients lose folded identifiers.

    They go out as they came in. The email package would decode an encoded word in one, and fail to write some of them.
    """

    name: str

    @classmethod
    def parse(cls, value: str, kwds: dict[str, Any]) -> None:
        """Take the value as it is (RFC 2047 section 5: no encoded word stands in an identifier)."""
        kwds |= {"parse_tree": None, "decoded": value}

    def fold(self, *, policy: Policy) -> str:
        """The field, with a line end only between two identifiers."""
        words = TextWrapper(998, f"{self.name}: ", " ", break_long_words=False, break_on_hyphens=False).wrap(str(self))
        return "".join(f"{line}{policy.linesep}" for line in words)


class _Mailbox(UniqueAddressHeader):
    """From, To: one mailbox. Python 3.13 drops the quotes of a long display name when folding, which makes a list."""

    addresses: tuple[Address, ...]
    name: str

    def fold(self, *, policy: Policy) -> str:
        [mailbox] = self.addresses
        name, is_short = mailbox.display_name, len(f"{self.name}: {self}") <= (policy.max_line_length or 0)
        if not name or (name.isascii() and is_short):
            folded: str = super().fold(policy=policy.clone(max_line_length=998))  # type: ignore[misc] # of BaseHeader
            return folded
        # Encoded words have 75 characters each, a line that holds one 76 (RFC 2047 section 2).
        words = Header(name, "utf-8", maxlinelen=76, header_name=self.name).encode(linesep=policy.linesep)
        return f"{self.name}: {words}{policy.linesep} <{mailbox.addr_spec}>{policy.linesep}"


_FIELDS = HeaderRegistry()
for _field in ("in-reply-to", "references"):
    _FIELDS.map_to_type(_field, _Identifiers)  # type: ignore[arg-type] # it adds BaseHeader itself
for _field in ("from", "to"):
    _FIELDS.map_to_type(_field, _Mailbox)  # type: ignore[arg-type] # it adds BaseHeader itself
_POLICY = SMTP.clone(header_factory=_FIELDS)
# RFC 5322 section 3.6.5 has `Re: ` in any language. Some programs write their own: German, Dutch, Swedish, French.
_RE_PREFIX = re.compile(r"^(\s*(?:re|aw|antw|sv|rép)\s*(\[\d+\])?\s*:\s*)+", re.IGNORECASE)
_PLAIN = Look()
# msg-id of RFC 5322 section 3.6.4, short enough for a line. No client could find a message by another identifier.
_IDENTIFIER = re.compile(r"<[!-;=?-~]{1,900}>")


def compose(
    message: Message, answer: Answer, *, sender: Address, to: Address, now: datetime, look: Look = _PLAIN
) -> EmailMessage:
    """The reply to `message`, from `sender`, to `to`, in the language that is spoken (texts/speaking.py).

    Header values are ours, or pass through the email package, which refuses CR and LF. The sender's text is first
    joined to one line. Fields: RFC 5322 section 3.6, RFC 3834 section 3.1.8 (Auto-Submitted). If the reply exceeds
    SES's limit, it leaves out the answer's files, then its pictures too, and says so.
    """
    pictures = tuple(attachment for attachment in answer.attachments if _may_be_shown(attachment))
    reply = _composed(message, answer, answer.attachments, sender=sender, to=to, now=now, look=look)
    for fewer in (pictures, ()):
        if len(reply.as_bytes()) <= limits.REPLY_OCTETS:
            break
        reply = _composed(message, answer, fewer, sender=sender, to=to, now=now, look=look)
    return reply


def _composed(
    message: Message,
    answer: Answer,
    attachments: tuple[AnswerAttachment, ...],
    *,
    sender: Address,
    to: Address,
    now: datetime,
    look: Look,
) -> EmailMessage:
    reply = EmailMessage(policy=_POLICY)
    reply["From"] = sender
    reply["To"] = to
    reply["Subject"] = _subject(message, answer)
    reply["Date"] = format_datetime(now)
    for name, value in _thread(message):
        reply[name] = value
    reply["Auto-Submitted"] = "auto-replied"
    reply["X-Auto-Response-Suppress"] = "All"
    reply[EMAIL_ID_FIELD] = message.email_id
    left_out = len(answer.attachments) - len(attachments)
    frame: dict[str, Any] = {
        "left_out": left_out,
        "email_id": message.email_id,
        "reference": spelled(message.email_id),
        "look": look,
        "logo_id": LOGO_ID,
    }
    _add_text(reply, answer, frame)
    shown = _add_html(reply, answer, attachments, frame)
    for attachment in attachments:
        if attachment.content_id not in shown or not _may_be_shown(attachment):
            reply.add_attachment(attachment.content, **_described(attachment))
    return reply


def _thread(message: Message) -> Iterable[tuple[str, str]]:
    """In-Reply-To and References (RFC 5322 section 3.6.4)."""
    identifier = one_line(message.message_id or "")
    if not _IDENTIFIER.fullmatch(identifier):
        return
    before = [one_line(known) for known in message.references or message.in_reply_to]
    thread = [*(known for known in before if _IDENTIFIER.fullmatch(known) and known != identifier), identifier]
    room = THREAD_OCTETS - len(thread[0])
    newest = []
    for known in reversed(thread[1:]):
        room -= len(known) + 1
        if room < 0:
            break
        newest.append(known)
    yield "In-Reply-To", identifier
    yield "References", " ".join([thread[0], *reversed(newest)])


def _add_text(reply: EmailMessage, answer: Answer, frame: dict[str, Any]) -> None:
    reply.set_content(render("reply.txt.j2", text=text_of(answer).strip("\r\n"), **frame), cte="quoted-printable")


def text_of(answer: Answer) -> str:
    """The text of an answer, or what its HTML says if it has only that."""
    return answer.text if answer.text.strip() else without_markup(answer.html or "")


def _add_html(
    reply: EmailMessage, answer: Answer, attachments: tuple[AnswerAttachment, ...], frame: dict[str, Any]
) -> frozenset[str]:
    """Add the HTML with the pictures that it shows (RFC 2387, multipart/related); return their content ids."""
    pictures = {a.content_id: a for a in attachments if a.content_id and _may_be_shown(a)}
    html = answer.html if answer.html and answer.html.strip() else render("plain.html.j2", text=answer.text)
    body, shown = sanitise(html, frozenset(pictures))
    page = render("reply.html.j2", body=Markup(body), **frame)  # noqa: S704 - sanitised
    reply.add_alternative(page, subtype="html", cte="quoted-printable")
    part = reply.get_body(("html",))
    assert isinstance(part, MIMEPart)  # noqa: S101 - it was added above
    for identity in sorted(shown):
        picture = pictures[identity]
        part.add_related(picture.content, cid=f"<{identity}>", disposition="inline", **_described(picture))
    # An installation's own template may show no logo.
    if (logo := frame["look"].logo) and f"cid:{LOGO_ID}" in page:
        part.add_related(logo.content, "image", "png", cid=f"<{LOGO_ID}>", disposition="inline", filename=logo.name)
    return shown


def _may_be_shown(attachment: AnswerAttachment) -> bool:
    # An SVG can hold a script.
    return (
        attachment.content_id is not None
        and attachment.media_type.startswith("image/")
        and attachment.media_type != "image/svg+xml"
    )


def _described(attachment: AnswerAttachment) -> dict[str, Any]:
    main, _, sub = attachment.media_type.partition("/")
    return {"maintype": main, "subtype": sub, "filename": field_text(attachment.filename)[:FILENAME_BOUND] or "file"}


def _subject(message: Message, answer: Answer) -> str:
    subject = field_text(answer.subject or message.subject)[:SUBJECT_BOUND]
    return f"Re: {_RE_PREFIX.sub('', subject)}".strip()
