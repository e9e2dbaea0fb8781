"""Decodes the attachments of a message one at a time and hands each on. Only their descriptions stay in memory."""

import hashlib
import mimetypes
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial

from mailstep import keys
from mailstep.budget import Budget
from mailstep.contracts import Attachment, EnclosedMessage
from mailstep.file_signatures import detected
from mailstep.filenames import safe_filename
from mailstep.mime.defects import Defect
from mailstep.mime.fields import parse_unstructured, unfold
from mailstep.mime.options import DEFAULTS
from mailstep.mime.structure import Part, header
from mailstep.mime.tnef import Body, Unpacked, Unpacker
from mailstep.mime.transfer_encoding import content
from mailstep.parse.attached import Added, is_picture, shown_in

Keep = Callable[[str, bytes], None]
"""Stores an attachment, given its key and decoded content."""

NESTED = {"message/rfc822", "message/global"}
"""Media types of attached messages (RFC 2046 section 5.2.1, RFC 6532 section 3.7)."""

_TNEF = {"application/ms-tnef", "application/vnd.ms-tnef"}


class Attachments:
    """The attachments of one message, in order."""

    def __init__(self, email_id: str, keep: Keep, defects: set[Defect], budget: Budget) -> None:
        """Add what is wrong with attachments to `defects`."""
        self._added: Added | None = None
        self._enclosed_in: str | None = None
        self.wants_body = False
        self.body: Body | None = None
        self._email_id, self._keep, self._defects, self._budget = email_id, keep, defects, budget
        self._unpacker = Unpacker()
        self.described: list[Attachment] = []

    def shown_in(self, root: Part, html: str) -> None:
        """Judge the parts that are added next: by their place below the root, and by whether the HTML shows them."""
        self._added = Added(root, html)

    @contextmanager
    def within(self, number: int) -> Generator[None]:
        """A context in which each added part belongs to the attached message of that number."""
        before = self._enclosed_in, self._added, self.wants_body
        self._enclosed_in, self.wants_body = self.described[number - 1].key, False
        try:
            yield
        finally:
            self._enclosed_in, self._added, self.wants_body = before

    def describe(self, number: int, enclosed: EnclosedMessage) -> None:
        """Say what the attached message of that number holds."""
        self.described[number - 1] = self.described[number - 1].model_copy(update={"enclosed": enclosed})

    def add_part(self, part: Part) -> bytes:
        """Add a part; or the files in it, if it is a winmail.dat that holds only files. Return its decoded content."""
        kind, name = part.disposition
        octets = decoded_content(part, self._defects, self._budget)
        if (part.media_type in _TNEF or (name or "").lower() == "winmail.dat") and self._add_unpacked(octets):
            return octets
        content_id = unfold(part.first("content-id") or b"").strip("<> ") or None
        subject = None
        if part.media_type in NESTED:
            subject = self._attempt(partial(_nested_subject, octets), None, Defect.NESTED_SUBJECT_UNREADABLE)
        # RFC 2183 section 2.10: Gmail gives a Content-ID to files that are attached, too.
        shown = self._added is not None and self._added.shows(content_id)
        inline = kind == "inline" or (not kind and shown)
        charset = part.parameters.get("charset")
        self.add(octets, name, part.media_type, content_id, subject, charset, inline=inline)
        if self._added and self._added.has(part, self.described[-1]):
            self._is_not_attached()
        return octets

    def _is_not_attached(self) -> None:
        self.described[-1] = self.described[-1].model_copy(update={"attached": False})

    def add(
        self,
        octets: bytes,
        name: str | None,
        media_type: str,
        content_id: str | None = None,
        subject: str | None = None,
        charset: str | None = None,
        *,
        inline: bool = False,
        attached: bool = True,
    ) -> None:
        """Hand on decoded content, and describe it."""
        number = len(self.described) + 1
        key = keys.attachment(self._email_id, number)
        with self._budget.paused():
            self._keep(key, octets)
        guess = partial(detected, octets)
        self.described.append(
            Attachment(
                filename=safe_filename(name or (subject and f"{subject}.eml"), media_type, number),
                media_type=media_type,
                charset=charset or None,
                media_type_detected=self._attempt(guess, None, Defect.MEDIA_TYPE_NOT_DETECTED),
                size_octets=len(octets),
                sha256=hashlib.sha256(octets).hexdigest(),
                content_id=content_id,
                inline=inline,
                attached=attached,
                subject=subject,
                enclosed_in=self._enclosed_in,
                key=key,
            )
        )

    def _add_unpacked(self, octets: bytes) -> bool:
        """Add the files in a winmail.dat. Return whether nothing else is in it."""
        unpack = partial(self._unpacker.unpack, octets, self._defects)
        packed = self._attempt(unpack, Unpacked(), Defect.TNEF_UNREADABLE)
        if len(self.described) + len(packed.files) > DEFAULTS.parts:
            self._defects.add(Defect.TNEF_TOO_MANY_FILES)
            return False
        takes_body = self.wants_body and packed.body is not None
        if takes_body:
            self.body, self.wants_body = packed.body, False
        elif self.wants_body and packed.has_body:
            self._defects.add(Defect.TNEF_BODY_NOT_READ)
        shown = shown_in(packed.body.html) if packed.body else set()
        for file in packed.files:
            in_html = file.content_id in shown or (self._added is not None and self._added.shows(file.content_id))
            media_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            inline = in_html or file.is_rendered
            self.add(bytes(file.content), file.name, media_type, file.content_id, inline=inline)
            if inline and is_picture(self.described[-1]):
                self._is_not_attached()
        return packed.is_read and (takes_body or (bool(packed.files) and not packed.has_body))

    def _attempt[T](self, step: Callable[[], T], otherwise: T, defect: Defect) -> T:
        return self._budget.attempt(step, otherwise, self._defects, defect)


def decoded_content(part: Part, defects: set[Defect], budget: Budget) -> bytes:
    """The decoded content of a part; the undecoded octets if decoding fails."""
    octets = budget.attempt(partial(content, part, defects), None, defects, Defect.PART_NOT_DECODED)
    return part.raw[part.start : part.end] if octets is None else octets


def _nested_subject(octets: bytes) -> str | None:
    fields, _ = header(octets, 0, min(len(octets), DEFAULTS.field_value), set(), top=True)
    value = next((value for name, value in fields if name.lower() == "subject"), None)
    return " ".join(parse_unstructured(value).split()) if value is not None else None
