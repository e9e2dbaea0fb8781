"""Raw octets to a Message: the structure found, the text to read decoded, everything else handed on as attachments."""

import hashlib
import mimetypes
import re
import unicodedata
from collections.abc import Callable
from functools import partial

import filetype
from mailparser_reply import EmailReplyParser

from mailstep import keys, limits
from mailstep.contracts import (
    SUBJECT_IN_STATE,
    Address,
    Attachment,
    Message,
    StoredEmail,
    Summary,
)
from mailstep.errors import UnreadableEmail
from mailstep.mime.bodies import bodies, disposition
from mailstep.mime.charsets import decode
from mailstep.mime.fields import addresses, date, decoded, message_ids, unfold
from mailstep.mime.structure import Part, header, structure
from mailstep.mime.tnef import Unpacker
from mailstep.mime.transfer_encoding import content
from mailstep.parse.budget import Budget, OverBudget
from mailstep.parse.delivery_reports import delivery_report
from mailstep.parse.ses_verdicts import received, verdicts

Keep = Callable[[str, bytes], None]
"""Takes an attachment's key and content, as soon as it is decoded, so that only one at a time is in memory."""

# What SES puts on top of whatever it stores (Amazon SES Developer Guide, "Email receiving").
_SES_FIELD = re.compile(r"^(return-path|received|x-ses-.*|received-spf|authentication-results)$", re.IGNORECASE)
_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_SES_BLOCK = 30  # fields among which SES's own are: it adds about ten
_TNEF = {"application/ms-tnef", "application/vnd.ms-tnef"}
_SPACES = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r"\n{3,}")
# What precedes a reply is announced in a line of some hundred characters ("On …, … wrote:"). The text has no NUL.
_LONG_LINE, _BROKEN_LINE = re.compile(r"([^\n]{200}[^\n ]*) (?=[^\n])"), "\n\0"
_REPLY_PARSER = EmailReplyParser(languages=["en", "de", "fr", "es", "it", "nl", "pl", "sv", "da", "pt"])


def parse(raw: bytes, email: StoredEmail, keep: Keep, budget: Budget | None = None) -> Message:
    """Parse a message as SES stored it, whatever it is, within a budget; without one, time and memory are not bounded.

    Raises:
        UnreadableEmail: nothing says it is an email (no header field but those that SES adds, and no text), or reading
            it takes more time or memory than the budget has.
    """
    try:
        with budget or Budget() as bound:
            return _parse(raw, email, keep, bound)
    except OverBudget as error:
        raise UnreadableEmail(str(error)) from None


def _parse(raw: bytes, email: StoredEmail, keep: Keep, budget: Budget) -> Message:
    defects: list[str] = []
    root = structure(raw, defects)
    headers = tuple((name, decoded(unfold(value))) for name, value in root.fields)
    if _is_no_email(raw, root):
        raise UnreadableEmail("it is neither text nor has a header field of its own")
    found = bodies(root)
    files = _Files(raw, email.email_id, keep, defects, budget)
    text = _text(found.text, files)
    html = _text(found.html, files)
    for part in found.files:
        files.add_part(part)
    on_top = [(name, unfold(value)) for name, value in root.fields[:_SES_BLOCK]]
    sent = _field(root, "date")
    when = budget.attempt(lambda: date(sent) if sent else None, None, defects, "reading the date")
    if sent and when is None:
        defects.append("the date cannot be read: see date_raw")
    return Message(
        email_id=email.email_id,
        route=email.route,
        size_octets=len(raw),
        received=received(on_top),
        return_path=_field(root, "return-path").strip("<> ") if root.first("return-path") is not None else None,
        from_=_addresses(root, "from", defects),
        to=_addresses(root, "to", defects),
        cc=_addresses(root, "cc", defects),
        reply_to=_addresses(root, "reply-to", defects),
        subject=" ".join(decoded(_field(root, "subject")).split()),
        date=when,
        date_raw=sent if sent and when is None else None,
        message_id=_message_id(root, defects),
        in_reply_to=message_ids(_field(root, "in-reply-to")),
        references=message_ids(_field(root, "references")),
        text=text,
        html=html or None,
        reply_text=budget.attempt(partial(_reply_text, text), text, defects, "looking for the end of the reply"),
        attachments=tuple(files.attachments),
        delivery_report=budget.attempt(
            partial(delivery_report, raw, root), None, defects, "reading the delivery report"
        ),
        signed=_protection(root, "signed"),
        encrypted=_protection(root, "encrypted"),
        verdicts=verdicts(on_top),
        headers=headers,
        defects=tuple(dict.fromkeys(defects)),
    )


def summary(message: Message) -> Summary:
    """What state may carry of a message."""
    return Summary(
        from_address=message.from_[0].address if message.from_ else None,
        subject=message.subject[:SUBJECT_IN_STATE],
        message_id=message.message_id,
        size_octets=message.size_octets,
        attachments=len(message.attachments),
    )


def safe_filename(name: str | None, media_type: str, number: int) -> str:
    """A name that is one file in any folder: no path, no control or direction characters, of bounded length.

    Where none is declared it is made from the media type.
    """
    kinds = ((c, unicodedata.category(c)[0]) for c in name or "")
    shown = "".join(" " if kind == "Z" else c for c, kind in kinds if kind != "C")
    last = re.split(r"[/\\]", shown)[-1].strip().lstrip(".").strip()
    last = re.sub(r'[<>:"|?*]', "_", last)
    if not last:
        return f"part-{number}{mimetypes.guess_extension(media_type) or '.bin'}"
    stem, dot, extension = last.rpartition(".")
    if dot and len(extension.encode()) < 20:
        return f"{_octets(stem, limits.FILENAME - len(extension.encode()) - 1)}.{extension}"
    return _octets(last, limits.FILENAME)


def _octets(text: str, length: int) -> str:
    return text.encode("utf-8", errors="replace")[:length].decode("utf-8", errors="ignore")


class _Files:
    """Decodes attachments one at a time and hands each on; what stays is the description."""

    def __init__(self, raw: bytes, email_id: str, keep: Keep, defects: list[str], budget: Budget) -> None:
        self.raw, self._email_id, self._keep, self.defects, self.budget = raw, email_id, keep, defects, budget
        self.attachments: list[Attachment] = []
        self._unpacker = Unpacker()

    def content(self, part: Part) -> bytes:
        """A part's content, or the part as it is where it cannot be decoded."""
        octets = self.budget.attempt(
            partial(content, self.raw, part, self.defects),
            None,
            self.defects,
            "decoding a part, which is kept as it is,",
        )
        return self.raw[part.start : part.end] if octets is None else octets

    def add_part(self, part: Part) -> None:
        kind, name = disposition(part)
        octets = self.content(part)
        if (part.media_type in _TNEF or (name or "").lower() == "winmail.dat") and self._add_unpacked(octets):
            return
        content_id = unfold(part.first("content-id") or b"").strip("<> ") or None
        subject = None
        if part.media_type == "message/rfc822":
            subject = self.budget.attempt(
                partial(_nested_subject, octets), None, self.defects, "reading a nested message's subject"
            )
        self.add(octets, name, part.media_type, content_id, subject, inline=kind == "inline" or content_id is not None)

    def _add_unpacked(self, octets: bytes) -> bool:
        """Add the files in a winmail.dat; whether that is all that is in it."""
        nothing: tuple[list[tuple[str, memoryview]], bool] = ([], False)
        packed, is_all = self.budget.attempt(
            partial(self._unpacker.unpack, octets, self.defects),
            nothing,
            self.defects,
            "unpacking a winmail.dat, which is kept whole,",
        )
        if len(self.attachments) + len(packed) > limits.PARTS:
            self.defects.append("a winmail.dat holds more files than a message may: it is kept whole")
            return False
        for name, inner in packed:
            self.add(bytes(inner), name, mimetypes.guess_type(name)[0] or "application/octet-stream")
        return is_all

    def add(
        self,
        octets: bytes,
        name: str | None,
        media_type: str,
        content_id: str | None = None,
        subject: str | None = None,
        *,
        inline: bool = False,
    ) -> None:
        number = len(self.attachments) + 1
        key = keys.attachment(self._email_id, number)
        with self.budget.paused():
            self._keep(key, octets)
        kind = self.budget.attempt(
            partial(filetype.guess, octets[:8192]), None, self.defects, "telling an attachment's type from its octets"
        )
        self.attachments.append(
            Attachment(
                filename=safe_filename(name or (subject and f"{subject}.eml"), media_type, number),
                media_type=media_type,
                media_type_detected=getattr(kind, "mime", None),
                size_octets=len(octets),
                sha256=hashlib.sha256(octets).hexdigest(),
                content_id=content_id,
                inline=inline,
                subject=subject,
                key=key,
            )
        )


def _is_no_email(raw: bytes, root: Part) -> bool:
    """No field but those that SES adds, and content that is no text: bare text is taken for a body without a header."""
    if any(not _SES_FIELD.match(name) for name, _ in root.fields):
        return False
    stored_by_ses = any(name.lower().startswith("x-ses-") for name, _ in root.fields)
    if root.fields and not stored_by_ses:
        return False
    return not raw or bool(_NO_TEXT.search(raw, root.start, root.start + 1_000))


def _field(root: Part, name: str) -> str:
    return unfold(root.first(name) or b"")[: limits.HEADER_VALUE]


def _text(parts: list[Part], files: _Files) -> str:
    """The parts to read, one after the other; line ends LF, without the NULs that some systems leave in."""
    texts: list[str] = []
    room = limits.TEXT
    for part in parts:
        octets = files.content(part)
        charset = part.parameters.get("charset", "")
        read = files.budget.attempt(
            partial(decode, octets[:room], charset, cut=len(octets) > room, guess=True),
            None,
            files.defects,
            "decoding a text, which is kept as an attachment,",
        )
        if read is None:
            files.add(octets, disposition(part)[1], part.media_type)
            continue
        if len(octets) > room:
            files.defects.append(f"text is longer than {limits.TEXT} octets: cut, and kept whole as an attachment")
            files.add(octets, disposition(part)[1], part.media_type)
        text, wrong = read
        room = max(0, room - len(octets))
        if wrong:
            files.defects.append(wrong)
        if "\0" in text:
            files.defects.append("NUL characters were taken out of the text")
            text = text.replace("\0", "")
        texts.append(text.replace("\r\n", "\n").replace("\r", "\n"))
    return "\n".join(texts)


def _addresses(root: Part, name: str, defects: list[str]) -> tuple[Address, ...]:
    if root.first(name) is None:
        return ()
    values = [value for value in (unfold(raw) for field, raw in root.fields if field.lower() == name) if value]
    together = ", ".join(values)
    if len(together) > limits.HEADER_VALUE:
        defects.append(f"{name.title()} is longer than what is read of it: see the raw message")
    found = addresses(together[: limits.HEADER_VALUE])
    if values and not found:
        defects.append(f"{name.title()} has no address in it")
    return found


def _message_id(root: Part, defects: list[str]) -> str | None:
    value = _field(root, "message-id")
    found = message_ids(value)
    if value and not found:
        defects.append("the Message-ID cannot be read")
    return found[0] if found else None


def _reply_text(text: str) -> str:
    """The text without quoted history and signature, as far as they begin within a bound; what goes on is kept.

    The library's patterns take time that grows steeply with white space, with length, and with the cube of a line's
    length: all three are bounded here.
    """
    head = _BLANK_LINES.sub("\n\n", _SPACES.sub(" ", text[: limits.REPLY_TEXT]).replace(" \n", "\n"))
    reply = _REPLY_PARSER.parse_reply(_LONG_LINE.sub(lambda line: line[1] + _BROKEN_LINE, head)) or ""
    reply = reply.replace(_BROKEN_LINE, " ").strip()
    goes_on = len(text) > limits.REPLY_TEXT and head.split("\n")[-1].strip() in reply.split("\n")[-1]
    return (reply + text[limits.REPLY_TEXT :]).strip() if goes_on else reply


def _nested_subject(octets: bytes) -> str | None:
    fields, _ = header(octets, 0, min(len(octets), limits.HEADER_VALUE), [], top=True)
    value = next((value for name, value in fields if name.lower() == "subject"), None)
    return " ".join(decoded(unfold(value)).split()) if value is not None else None


def _protection(root: Part, what: str) -> str | None:
    """Whether the message is signed or encrypted as a whole, and how (RFC 8551 section 3, RFC 3156)."""
    if root.media_type == f"multipart/{what}":
        return "pgp" if "pgp" in root.parameters.get("protocol", "").lower() else "smime"
    if root.media_type in {"application/pkcs7-mime", "application/x-pkcs7-mime"}:
        kind = "signed" if root.parameters.get("smime-type", "").lower().startswith("signed") else "encrypted"
        return "smime" if kind == what else None
    return None
