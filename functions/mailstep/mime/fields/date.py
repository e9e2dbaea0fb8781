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
_AS_SPECIFIED = re.compile(
    r"(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:[0-5]\d (?:[+-]\d{4}|GMT)(?: \([A-Z]{1,5}\))?"
)
_HOURS_OF_OFFSET = re.compile(r"(?<=:\d\d )((?:GMT|UTC?) ?)?([+-])(\d{1,2})$", re.IGNORECASE)
_HALF_OF_DAY = re.compile(r"\d ?[AP]\.?M\b", re.IGNORECASE)  # which parsedate_to_datetime leaves out
_THREE_DIGITS = re.compile(r"(?<=[A-Za-z] )1(\d\d)(?= \d?\d:)")  # RFC 5322 section 4.3: years since 1900
_DAY_OR_MONTH = re.compile(r"(?<!\d)(\d{1,2})([/.-])(\d{1,2})\2(?:\d{4}|\d{2})(?!\d)")
_LEAP_SECOND = re.compile(r"(?<=\d:\d\d):60(?!\d)")  # RFC 5322 section 3.3 allows it; datetime does not
_TWO_DEFAULTS = (datetime(2001, 2, 3, 4, 5), datetime(2002, 3, 4, 5, 6))


def parse_date(value: str, options: Options = DEFAULTS) -> datetime | None:
    """A date with its offset, or with UTC if it has no offset. It is lenient with broken dates.

    None where day, month, year or hour is not said, or could be another: nothing is filled in or guessed.
    """
    if len(value) > options.date:
        return None
    # Nearly all dates are as RFC 5322 has them, which takes a third of the time.
    if _AS_SPECIFIED.fullmatch(value):
        with suppress(Exception):
            return _with_offset(parsedate_to_datetime(value))
    plain = _AROUND_COLON.sub(":", without_comments(value)[0]).strip()
    plain = _HOURS_OF_OFFSET.sub(lambda offset: f"{offset[2]}{offset[3]:0>2}00", plain)
    plain = _THREE_DIGITS.sub(lambda year: f"20{year[1]}", _LEAP_SECOND.sub(":59", _OFFSET.sub(r"\1\2", plain)))
    if (numbers := _DAY_OR_MONTH.search(plain)) and numbers[1] != numbers[3] and int(numbers[1]) < 13 > int(numbers[3]):
        return None
    # On a strange date both may raise anything. An offset of a day or more fails only when it is read.
    if not _HALF_OF_DAY.search(plain):
        with suppress(Exception):
            return _with_offset(parsedate_to_datetime(plain))
    with suppress(Exception):
        read = [dateutil_parser.parse(plain, default=default) for default in _TWO_DEFAULTS]
        return _with_offset(read[0]) if read[0] == read[1] else None
    return None


def _with_offset(found: datetime) -> datetime:
    found.isoformat()
    return found if found.tzinfo else found.replace(tzinfo=UTC)
