"""Raw octets to a Message: headers decoded, the text to read found, everything else an attachment."""

import hashlib
import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import Message as MimePart
from email.utils import collapse_rfc2231_value, getaddresses, parsedate_to_datetime

from mailstep.contracts import SUBJECT_IN_STATE, Address, Attachment, Envelope, Message, StoredEmail
from mailstep.errors import UnreadableEmail
from mailstep.storage import attachment_key

REFERENCES_BOUND = 100
"""Message identifiers kept of a References field: a longer thread is a loop (docs/security.md)."""


# What SES puts on top of whatever it stores (Amazon SES Developer Guide, "Email receiving").
_SES_FIELD = re.compile(r"^(return-path|received|x-ses-.*|received-spf|authentication-results)$", re.IGNORECASE)


@dataclass(frozen=True)
class ParsedEmail:
    """A message and the contents of its attachments, in the order of `message.attachments`."""

    message: Message
    contents: list[bytes]


def parse(raw: bytes, email: StoredEmail) -> ParsedEmail:
    """Parse a message as SES stored it (RFC 5322, MIME: RFC 2045 to 2047, RFC 2231).

    Raises:
        UnreadableEmail: there is no header field but those that SES adds, so that nothing says it is an email.
    """
    root = message_from_bytes(raw, policy=policy.compat32)
    headers = tuple((name, decoded(value)) for name, value in root.raw_items())
    if all(_SES_FIELD.match(name) for name, _ in headers):
        raise UnreadableEmail("it has no header field of its own")
    defects: list[str] = []
    bodies: dict[str, str] = {}
    attachments: list[Attachment] = []
    contents: list[bytes] = []
    for part in _leaves(root):
        defects += [type(defect).__name__ for defect in part.defects]
        media_type = part.get_content_type()
        if media_type in {"text/plain", "text/html"} and media_type not in bodies and not _is_file(part):
            bodies[media_type] = _text(part, defects)
            continue
        content = _content(part)
        contents.append(content)
        attachments.append(_attachment(part, content, attachment_key(email.id, len(contents)), len(contents)))

    message = Message(
        id=email.id,
        route=email.route,
        size_octets=len(raw),
        return_path=_first(root, "Return-Path", "").strip().strip("<>") if "Return-Path" in root else None,
        from_=_addresses(root, "From"),
        to=_addresses(root, "To"),
        cc=_addresses(root, "Cc"),
        reply_to=_addresses(root, "Reply-To"),
        subject=" ".join(_first(root, "Subject", "").split()),
        date=_date(root, defects),
        message_id=next(iter(_message_ids(root, "Message-ID")), None),
        in_reply_to=_message_ids(root, "In-Reply-To"),
        references=_message_ids(root, "References"),
        text=bodies.get("text/plain", ""),
        html=bodies.get("text/html"),
        attachments=tuple(attachments),
        headers=headers,
        defects=tuple(dict.fromkeys(defects)),
    )
    return ParsedEmail(message, contents)


def envelope(message: Message) -> Envelope:
    """What state may carry of a message."""
    return Envelope(
        sender=message.from_[0].address if message.from_ else None,
        subject=message.subject[:SUBJECT_IN_STATE],
        message_id=message.message_id,
        size_octets=message.size_octets,
        attachments=len(message.attachments),
    )


def decoded(value: object) -> str:
    """A header field's value with its encoded-words decoded (RFC 2047); as it stands where they are broken."""
    text = str(value)
    try:
        return str(make_header(decode_header(text)))
    except (LookupError, UnicodeError, ValueError):
        return text


def _leaves(part: MimePart) -> Iterator[MimePart]:
    """The parts that hold content, in order. A nested message is one of them: an attachment, not our text."""
    if part.get_content_maintype() == "multipart" and part.is_multipart():
        for child in part.get_payload():
            if isinstance(child, MimePart):
                yield from _leaves(child)
    else:
        yield part


def _is_file(part: MimePart) -> bool:
    return part.get_content_disposition() == "attachment" or part.get_filename() is not None


def _content(part: MimePart) -> bytes:
    if part.is_multipart():
        return b"".join(child.as_bytes() for child in part.get_payload() if isinstance(child, MimePart))
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _text(part: MimePart, defects: list[str]) -> str:
    content = _content(part)
    charset = part.get_content_charset("utf-8")
    try:
        return content.decode(charset).replace("\r\n", "\n")
    except (LookupError, UnicodeError):
        defects.append(f"text is not {charset[:40]}: octets that could not be read were replaced")
        return content.decode("utf-8", errors="replace").replace("\r\n", "\n")


def _attachment(part: MimePart, content: bytes, key: str, number: int) -> Attachment:
    media_type = part.get_content_type()
    filename = part.get_filename()
    return Attachment(
        filename=decoded(collapse_rfc2231_value(filename))
        if filename
        else f"part-{number}{mimetypes.guess_extension(media_type) or '.bin'}",
        media_type=media_type,
        size_octets=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        content_id=(part.get("Content-ID") or "").strip().strip("<>") or None,
        inline=part.get_content_disposition() == "inline",
        key=key,
    )


def _first(part: MimePart, name: str, default: str) -> str:
    value = part.get(name)
    return default if value is None else decoded(value)


def _addresses(root: MimePart, field: str) -> tuple[Address, ...]:
    pairs = getaddresses([str(value) for value in root.get_all(field, [])], strict=False)
    return tuple(Address(name=decoded(name), address=address) for name, address in pairs if "@" in address)


def _message_ids(root: MimePart, field: str) -> tuple[str, ...]:
    """The msg-ids of a field, angle brackets kept (RFC 5322 section 3.6.4)."""
    words = " ".join(str(value) for value in root.get_all(field, [])).replace("><", "> <").split()
    return tuple(word for word in words if word.startswith("<") and word.endswith(">"))[-REFERENCES_BOUND - 1 :]


def _date(root: MimePart, defects: list[str]) -> datetime | None:
    value = root.get("Date")
    if value is None:
        return None
    try:
        date = parsedate_to_datetime(str(value))
    except ValueError:
        defects.append("the date cannot be read")
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
