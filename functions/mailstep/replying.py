"""The reply as octets: threaded, multipart, marked as automatic, and with no header field of the sender's making."""

import re
from datetime import datetime
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

import nh3
from markupsafe import Markup

from mailstep.contracts import Digest, Message
from mailstep.rendering import render

SUBJECT_BOUND = 200
THREAD_BOUND = 20
"""Identifiers kept of a thread: the first, which names it, and the newest (RFC 5322 section 3.6.4)."""

# Fields are folded only where RFC 5322 section 2.1.1 must: some clients lose an identifier that begins a line.
_POLICY = SMTP.clone(max_line_length=998)
_RE_PREFIX = re.compile(r"^(\s*re\s*(\[\d+\])?\s*:\s*)+", re.IGNORECASE)
_ATTRIBUTES = {**nh3.ALLOWED_ATTRIBUTES, "*": {"class"}}


def refusal(explanation: str) -> Digest:
    """What a sender hears whose message was refused and may know it."""
    return Digest(text=f"Your message was received, but it could not be accepted.\n\n{explanation}\n")


def delay_notice() -> Digest:
    """What a sender hears when the quick tries are used up: the message is kept, and the work goes on."""
    return Digest(
        text="Your message arrived safely. It takes longer than usual to process it.\n\n"
        "Nothing is lost and there is nothing to do for you: the answer comes as soon as it is ready.\n"
    )


def failure_notice() -> Digest:
    """What a sender hears when processing failed: the message is kept, somebody will look."""
    return Digest(
        text="Your message arrived safely, but it could not be processed yet.\n\n"
        "Nothing is lost and there is nothing to do for you: we have been told and will look into it.\n"
    )


def compose(message: Message, digest: Digest, *, sender: str, now: datetime) -> EmailMessage:
    """The reply to `message`, from `sender`, to the address the message came from.

    Header values come from us, or through the email package, which refuses CR and LF; text of the sender's is folded
    to one line first. Fields: RFC 5322 section 3.6, RFC 3834 section 3.1.8 (Auto-Submitted).
    """
    reply = EmailMessage(policy=_POLICY)
    reply["From"] = sender
    reply["To"] = mailbox(message)
    reply["Subject"] = _subject(message, digest)
    reply["Date"] = format_datetime(now)
    if message.message_id:
        thread = [
            *message.references,
            *(() if message.references else message.in_reply_to),
            message.message_id,
        ]
        kept = thread if len(thread) <= THREAD_BOUND else [thread[0], *thread[1 - THREAD_BOUND :]]
        reply["In-Reply-To"] = _one_line(message.message_id)
        reply["References"] = " ".join(_one_line(identifier) for identifier in kept)
    reply["Auto-Submitted"] = "auto-replied"
    reply["X-Auto-Response-Suppress"] = "All"
    reply["X-Mailstep-Id"] = message.id
    reply.set_content(
        f"{digest.text.rstrip()}\n\n--\u0020\nSent by Mailstep. Reference: {message.id}\n", cte="quoted-printable"
    )
    body = nh3.clean(digest.html, attributes=_ATTRIBUTES) if digest.html else render("plain.html.j2", text=digest.text)
    page = render("reply.html.j2", body=Markup(body), reference=message.id)  # noqa: S704 - sanitised above
    reply.add_alternative(page, subtype="html", cte="quoted-printable")
    for attachment in digest.attachments:
        main, _, sub = attachment.media_type.partition("/")
        reply.add_attachment(
            attachment.content_base64, maintype=main, subtype=sub, filename=_one_line(attachment.filename)
        )
    return reply


def mailbox(message: Message) -> Address:
    """The address to answer to, its domain in ASCII (RFC 5890).

    Raises:
        ValueError: it is none that SES can send to.
    """
    author = message.from_[0]
    local, _, domain = _one_line(author.address).rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode("ascii")
        return Address(
            display_name=_one_line(author.name), addr_spec=f"{local.encode('ascii').decode()}@{ascii_domain}"
        )
    except (UnicodeError, HeaderParseError, IndexError, ValueError) as error:
        raise ValueError("not an address that can be sent to") from error


def _subject(message: Message, digest: Digest) -> str:
    subject = _one_line(digest.subject or message.subject)[:SUBJECT_BOUND]
    return f"Re: {_RE_PREFIX.sub('', subject)}".strip()


def _one_line(text: str) -> str:
    """Text without line ends or other control characters, each run of white space one space."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
