"""Calendar parts (RFC 5545, RFC 6047): what a message with one asks or answers."""

import re
from collections.abc import Iterable

from mailstep.mime.options import DEFAULTS
from mailstep.mime.structure import Part
from mailstep.mime.transfer_encoding import content

_TYPES = {"text/calendar", "application/ics"}
_METHOD = re.compile(rb"^METHOD[^:\r\n]*:[ \t]*([A-Za-z]{1,20})[ \t]*\r?$", re.MULTILINE | re.IGNORECASE)


def calendar_method(parts: Iterable[Part]) -> str | None:
    """The method of the first calendar part that has one, in upper case; None if no part has one.

    It is a parameter of the part (RFC 6047 section 2.4), or else a property of the calendar (RFC 5545 section 3.7.2).
    """
    return next(filter(None, (_method(part) for part in parts if part.media_type in _TYPES)), None)


def _method(part: Part) -> str | None:
    if declared := part.parameters.get("method", "").strip():
        return declared[: DEFAULTS.date].upper()
    found = _METHOD.search(content(part, set())[: DEFAULTS.field_value])
    return found[1].decode("ascii").upper() if found else None
