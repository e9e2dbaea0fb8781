"""Dates (RFC 5322 section 3.3): Date, and the end of Received."""

import re
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from dateutil import parser as dateutil_parser

from mailstep.mime.fields.comments import without_comments
from mailstep.mime.options import DEFAULTS, Options

_AROUND_COLON = re.compile(r"[ \t]++:[ \t]*+|:[ \t]++")  # RFC 5322 section 4.3, obs-hour
# Offsets as ISO 8601 and JavaScript write them: the libraries take "+02:00" and "GMT+0200" for UTC.
_OFFSET = re.compile(r"(?:\b(?:GMT|UTC?|Z) ?)?([+-]\d{2}):?(\d{2})$", re.IGNORECASE)
_LEAP_SECOND = re.compile(r"(?<=\d:\d\d):60(?!\d)")  # RFC 5322 section 3.3 allows it; datetime does not
_TWO_DEFAULTS = (datetime(2001, 2, 3, 4, 5), datetime(2002, 3, 4, 5, 6))


def parse_date(value: str, options: Options = DEFAULTS) -> datetime | None:
    """A date with its offset, or with UTC if it has no offset. It is lenient with broken dates.

    None where day, month, year or hour is not said: nothing is filled in from today.
    """
    if len(value) > options.date:
        return None
    plain = _AROUND_COLON.sub(":", without_comments(value)[0]).strip()
    plain = _LEAP_SECOND.sub(":59", _OFFSET.sub(r"\1\2", plain))
    # On a strange date both may raise anything. An offset of a day or more fails only when it is read.
    with suppress(Exception):
        return _with_offset(parsedate_to_datetime(plain))
    with suppress(Exception):
        read = [dateutil_parser.parse(plain, default=default) for default in _TWO_DEFAULTS]
        return _with_offset(read[0]) if read[0] == read[1] else None
    return None


def _with_offset(found: datetime) -> datetime:
    found.isoformat()
    return found if found.tzinfo else found.replace(tzinfo=UTC)
