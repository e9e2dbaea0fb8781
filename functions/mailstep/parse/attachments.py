"""Attachments: decoded one at a time and handed on, so that what stays in memory is their description."""

import hashlib
import mimetypes
from collections.abc import Callable
from functools import partial

import filetype

from mailstep import keys
from mailstep.contracts import Attachment
from mailstep.filenames import safe_filename
from mailstep.mime.bodies import disposition
from mailstep.mime.defects import Defect
from mailstep.mime.fields import parse_unstructured, unfold
from mailstep.mime.options import DEFAULTS
from mailstep.mime.structure import Part, header
from mailstep.mime.tnef import Unpacker
from mailstep.mime.transfer_encoding import content
from mailstep.parse.budget import Budget

Keep = Callable[[str, bytes], None]
"""Takes an attachment's key and content, as soon as it is decoded."""

_TNEF = {"application/ms-tnef", "application/vnd.ms-tnef"}
_FIRST_OCTETS = 8_192  # the library tells a type from them


class Attachments:
    """The attachments of one message, in order."""

    def __init__(self, raw: bytes, email_id: str, keep: Keep, defects: set[Defect], budget: Budget) -> None:
        """Those of a raw message; `defects` takes what is wrong with them."""
        self._raw, self._email_id, self._keep, self._defects, self._budget = raw, email_id, keep, defects, budget
        self._unpacker = Unpacker()
        self.described: list[Attachment] = []

    def add_part(self, part: Part) -> None:
        """Add a part, or the files in it where it is a winmail.dat that holds nothing else."""
        kind, name = disposition(part)
        octets = decoded_content(self._raw, part, self._defects, self._budget)
        if (part.media_type in _TNEF or (name or "").lower() == "winmail.dat") and self._add_unpacked(octets):
            return
        content_id = unfold(part.first("content-id") or b"").strip("<> ") or None
        subject = None
        if part.media_type == "message/rfc822":
            subject = self._attempt(partial(_nested_subject, octets), None, Defect.NESTED_SUBJECT_UNREADABLE)
        self.add(octets, name, part.media_type, content_id, subject, inline=kind == "inline" or content_id is not None)

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
        """Hand on decoded content, and describe it."""
        number = len(self.described) + 1
        key = keys.attachment(self._email_id, number)
        with self._budget.paused():
            self._keep(key, octets)
        guess = partial(filetype.guess, octets[:_FIRST_OCTETS])
        kind = self._attempt(guess, None, Defect.MEDIA_TYPE_NOT_DETECTED)
        self.described.append(
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

    def _add_unpacked(self, octets: bytes) -> bool:
        """Add the files in a winmail.dat; whether that is all that is in it."""
        nothing: tuple[list[tuple[str, memoryview]], bool] = ([], False)
        unpack = partial(self._unpacker.unpack, octets, self._defects)
        packed, is_all = self._attempt(unpack, nothing, Defect.TNEF_UNREADABLE)
        if len(self.described) + len(packed) > DEFAULTS.parts:
            self._defects.add(Defect.TNEF_TOO_MANY_FILES)
            return False
        for name, inner in packed:
            self.add(bytes(inner), name, mimetypes.guess_type(name)[0] or "application/octet-stream")
        return is_all

    def _attempt[T](self, step: Callable[[], T], otherwise: T, defect: Defect) -> T:
        return self._budget.attempt(step, otherwise, self._defects, defect)


def decoded_content(raw: bytes, part: Part, defects: set[Defect], budget: Budget) -> bytes:
    """A part's content, or the part as it is where it cannot be decoded."""
    octets = budget.attempt(partial(content, raw, part, defects), None, defects, Defect.PART_NOT_DECODED)
    return raw[part.start : part.end] if octets is None else octets


def _nested_subject(octets: bytes) -> str | None:
    fields, _ = header(octets, 0, min(len(octets), DEFAULTS.field_value), set(), top=True)
    value = next((value for name, value in fields if name.lower() == "subject"), None)
    return " ".join(parse_unstructured(value).split()) if value is not None else None
