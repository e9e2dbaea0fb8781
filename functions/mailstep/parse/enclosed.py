"""Attached messages (message/rfc822): read one level deep, their files kept as attachments of the message itself."""

from dataclasses import replace
from functools import partial

from mailstep import limits
from mailstep.budget import Budget
from mailstep.contracts import EnclosedMessage
from mailstep.mime.bodies import bodies
from mailstep.mime.defects import Defect, in_order
from mailstep.mime.options import DEFAULTS
from mailstep.mime.signed import Protection, open_signed
from mailstep.mime.structure import structure
from mailstep.parse.attachment_parts import Attachments
from mailstep.parse.fields import addresses, date, message_id, subject
from mailstep.parse.texts import read_texts


class EnclosedMessages:
    """The attached messages of one message. Their number and their text are bounded for all of them together."""

    def __init__(self, attachments: Attachments, budget: Budget) -> None:
        """They add their files to the attachments of the message that encloses them."""
        self._attachments, self._budget = attachments, budget
        self._room, self._left = limits.ENCLOSED_TEXT, DEFAULTS.enclosed

    def read(self, octets: bytes, defects: set[Defect]) -> None:
        """Read the message that was described last among the attachments."""
        number = len(self._attachments.described)
        parts = DEFAULTS.parts - number
        self._left -= 1
        if self._left < 0 or parts <= 0:
            defects.add(Defect.ENCLOSED_NOT_READ)
            return
        step = partial(self._read, octets, number, parts)
        self._budget.attempt(step, None, defects, Defect.ENCLOSED_NOT_READ)

    def _read(self, octets: bytes, number: int, parts: int) -> None:
        defects: set[Defect] = set()
        root = structure(octets, defects, replace(DEFAULTS, parts=parts))
        self._budget.attempt(partial(open_signed, root, defects), Protection(), defects, Defect.SIGNED_NOT_READ)
        found = bodies(root)
        with self._attachments.within(number):
            texts = read_texts(root, found, self._attachments, defects, self._budget, self._room)
            text, html = texts.body.text, texts.html
            self._room -= min(self._room, max(len(text.encode()), len(html.encode())))
            for part in found.files:
                self._attachments.add_part(part)
        when, _ = date(root, defects, self._budget)
        self._attachments.describe(
            number,
            EnclosedMessage(
                from_=addresses(root, "from", defects),
                subject=subject(root),
                date=when,
                message_id=message_id(root, defects),
                text=text,
                html=html or None,
                defects=in_order(defects),
            ),
        )
