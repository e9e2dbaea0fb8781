"""Cells of a workbook as Excel shows them: number formats for dates, times, durations, shares, money and numbers.

ECMA-376 part 1, 18.8.30 and 18.8.31. Names of months are English, the decimal mark is a point.
"""

import calendar
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from mailstep.process.processors.tables.model import Number, Stored

GENERAL = "General"
# Dates of the built-in formats are shown as ISO 8601 has them: Excel shows them as the reader's own country does.
BUILT_IN = dict(enumerate([GENERAL, "0", "0.00", "#,##0", "#,##0.00"])) | {
    9: "0%",
    10: "0.00%",
    11: "0.00E+00",
    14: "yyyy-mm-dd",
    15: "d-mmm-yy",
    16: "d-mmm",
    17: "mmm-yy",
    18: "h:mm AM/PM",
    19: "h:mm:ss AM/PM",
    20: "h:mm",
    21: "h:mm:ss",
    22: "yyyy-mm-dd hh:mm",
    37: "#,##0;(#,##0)",
    38: "#,##0;(#,##0)",
    39: "#,##0.00;(#,##0.00)",
    40: "#,##0.00;(#,##0.00)",
    41: "#,##0",
    42: "$#,##0",
    43: "#,##0.00",
    44: "$#,##0.00",
    45: "mm:ss",
    46: "[h]:mm:ss",
    47: "mm:ss.0",
    48: "0.0E+0",
}
"""Number formats that a workbook names by number only."""
CODE_BOUND = 255
"""Characters of a number format (Microsoft, "Excel specifications and limits")."""

EPOCH, EPOCH_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)
"""Day 0 of a workbook's dates (ECMA-376 part 1, 18.17.4.1), for days from 1 March 1900 on."""

_MONTHS = list(calendar.month_name)[1:]
_DAYS = list(calendar.day_name)
_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|[_*].|\[\$(?P<currency>[^\]\-]*)[^\]]*\]|\[(?P<elapsed>h+|m+|s+)\]|\[[^\]]*\]?|'
    r"(?P<half>AM/PM|A/P)|(?P<date>y+|m+|d+|h+|s+|b+|e+(?![+\-]))|(?P<fraction>\.0+(?=[^0-9]*$|\s|;))|"
    r"(?P<exponent>E[+\-]0+)|(?P<digits>[0#?][0#?.,]*)|(?P<percent>%)|(?P<general>General)|(?P<text>@)|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True)
class _Part:
    kind: str
    text: str


@lru_cache(maxsize=1024)
def _sections(code: str) -> tuple[tuple[_Part, ...], ...]:
    sections: list[list[_Part]] = [[]]
    for token in _TOKEN.finditer(code[:CODE_BOUND]):
        kind = token.lastgroup
        if kind is None:
            continue
        text = token[kind]
        if kind == "other" and text == ";":
            sections.append([])
        else:
            sections[-1].append(_Part("literal" if kind in ("quoted", "escaped", "currency", "other") else kind, text))
    return tuple(tuple(section) for section in sections[:3])


@lru_cache(maxsize=1024)
def kind(code: str) -> str:
    """What a format shows: `duration`, `date`, `text`, `general`, or `number`."""
    parts = _sections(code)[0]
    kinds = {part.kind for part in parts}
    if "elapsed" in kinds:
        return "duration"
    if "date" in kinds and "digits" not in kinds:
        return "date"
    if "text" in kinds:
        return "text"
    return "number" if kinds & {"digits", "percent", "exponent"} else "general"


def cell(value: Number, code: str, epoch: datetime) -> str:
    """A number of a workbook as its format shows it, with its value where the text does not say it in full."""
    match kind(code):
        case "duration":
            with suppress(OverflowError, ValueError):
                duration = timedelta(milliseconds=round(value * 86_400_000))
                return Stored(_elapsed(duration, _sections(code)[0]), duration)
        case "date":
            # A value outside the calendar stays a number.
            with suppress(OverflowError, ValueError):
                moment = _moment(value, epoch)
                stored = moment.time() if 0 <= value < 1 else moment.date() if float(value).is_integer() else moment
                return Stored(_dated(moment, _sections(code)[0]), stored)
        case "number":
            with suppress(ArithmeticError, ValueError):
                return _formatted(value, code)
    return general(value)


def whole(number: float) -> Number:
    """A number of a workbook, which stores floats: an int if a float holds it exactly."""
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def general(value: Number) -> str:
    """A number with all its digits: whole numbers without an exponent."""
    if isinstance(value, int):
        return str(value)
    if value.is_integer() and abs(value) < 1e21:
        return str(int(Decimal(repr(value))))
    # With an exponent of three digits, the text alone would not be read as a number.
    return Stored(repr(value), value) if "e" in repr(value) else repr(value)


def _moment(days: Number, epoch: datetime) -> datetime:
    """A date and time (18.17.4.1). The 1900 calendar has a day 60 that never was."""
    if days < 0:
        raise ValueError("before the calendar")
    shifted = days + 1 if days < 60 and epoch.year < 1900 else days
    moment = epoch + timedelta(milliseconds=round(shifted * 86_400_000))
    # Excel counts in parts of a day: what it shows as a full second is one.
    rounded = moment + timedelta(milliseconds=500) if moment.microsecond >= 999_000 else moment
    return rounded.replace(microsecond=0) if rounded != moment else moment


def _elapsed(duration: timedelta, parts: tuple[_Part, ...]) -> str:
    seconds = abs(duration) // timedelta(seconds=1) if not _shows_fraction(parts) else abs(duration).total_seconds()
    shown = []
    for part in parts:
        letter = part.text[:1].lower()
        if part.kind == "elapsed":
            amount = int(seconds // {"h": 3600, "m": 60, "s": 1}[letter])
        elif part.kind == "date" and letter in "ms":
            amount = int(seconds // {"m": 60, "s": 1}[letter]) % 60
        else:
            shown.append(f"{seconds % 1:.{len(part.text) - 1}f}"[1:] if part.kind == "fraction" else _plain(part))
            continue
        shown.append(str(amount).zfill(len(part.text)))
    return ("-" if duration < timedelta(0) else "") + "".join(shown).strip()


def _shows_fraction(parts: tuple[_Part, ...]) -> bool:
    return any(part.kind == "fraction" for part in parts)


def _plain(part: _Part) -> str:
    return part.text if part.kind == "literal" else ""


def _dated(moment: datetime, parts: tuple[_Part, ...]) -> str:
    if not _shows_fraction(parts) and moment.microsecond:
        moment = (moment + timedelta(milliseconds=500)).replace(microsecond=0)
    half = any(part.kind == "half" for part in parts)
    minutes = _minutes(parts)
    shown = []
    for place, part in enumerate(parts):
        match part.kind:
            case "date":
                shown.append(_date_part(moment, part.text.lower(), half=half, minutes=place in minutes))
            case "half":
                letters = "AM" if moment.hour < 12 else "PM"
                shown.append(letters[0] if len(part.text) == 3 else letters)
            case "fraction":
                shown.append(f"{moment.microsecond / 1e6:.{len(part.text) - 1}f}"[1:])
            case _:
                shown.append(_plain(part))
    return "".join(shown).strip()


def _minutes(parts: tuple[_Part, ...]) -> set[int]:
    """The places where `m` is for minutes: behind hours, or before seconds."""
    dated = [(place, part.text[:1].lower()) for place, part in enumerate(parts) if part.kind in ("date", "elapsed")]
    letters = "".join(letter for _, letter in dated)
    return {
        place for at, (place, _) in enumerate(dated) if letters[at - 1 : at] == "h" or letters[at + 1 : at + 2] == "s"
    }


def _date_part(moment: datetime, letters: str, *, half: bool, minutes: bool) -> str:
    letter, count = letters[0], len(letters)
    if letter in "ye":
        return f"{moment.year:04}" if count > 2 or letter == "e" else f"{moment.year % 100:02}"
    if letter in "md" and count > 2 and not minutes:
        name = _MONTHS[moment.month - 1] if letter == "m" else _DAYS[moment.weekday()]
        return {3: name[:3], 5: name[:1] if letter == "m" else name}.get(count, name)
    number = {
        "m": moment.minute if minutes else moment.month,
        "d": moment.day,
        "h": (moment.hour + 11) % 12 + 1 if half else moment.hour,
        "s": moment.second,
    }.get(letter)
    return "" if number is None else str(number).zfill(min(count, 2))


def _formatted(value: Number, code: str) -> str:
    sections = _sections(code)
    amount = Decimal(repr(value))
    parts, sign = sections[0], "-" if amount < 0 else ""
    if amount < 0 and len(sections) > 1 and sections[1]:
        parts, sign = sections[1], ""
    elif amount == 0 and len(sections) > 2 and sections[2]:
        parts = sections[2]
    amount = abs(amount) * 100 ** sum(part.kind == "percent" for part in parts)
    patterns = [part.text for part in parts if part.kind == "digits"]
    if not patterns:
        shown = "".join("%" if part.kind == "percent" else _plain(part) for part in parts).strip()
        return Stored(shown, value) if shown else general(value)
    exponent = next((part.text for part in parts if part.kind == "exponent"), None)
    if exponent or len(patterns) > 1:
        return _exceptional(value, parts, patterns, exponent)
    digits = _digits(amount, patterns[0])
    # Nothing but digits, with zeros in front, is an identifier.
    if re.fullmatch(r"0[0-9]+", digits) and len(parts) == 1:
        return digits
    pieces = [digits if part.kind == "digits" else "%" if part.kind == "percent" else _plain(part) for part in parts]
    shown = (sign if amount else "") + "".join(pieces).strip()
    return shown if shown == general(value) else Stored(shown, value)


def _exceptional(value: Number, parts: tuple[_Part, ...], patterns: list[str], exponent: str | None) -> str:
    """A number with an exponent, or with literals between its digits, such as a telephone number."""
    if exponent:
        decimals = len(patterns[0].partition(".")[2])
        return Stored(f"{value:.{decimals}E}", value)
    if not float(value).is_integer() or value < 0:
        return Stored(general(value), value)
    digits = general(value).zfill(sum(map(len, patterns)))
    # The first group takes the digits that are too many.
    extra = len(digits) - sum(map(len, patterns))
    shown = []
    for part in parts:
        if part.kind == "digits":
            taken, extra = len(part.text) + extra, 0
            shown.append(digits[:taken])
            digits = digits[taken:]
        else:
            shown.append(_plain(part))
    return "".join(shown)


def _digits(amount: Decimal, pattern: str) -> str:
    before, _, after = pattern.partition(".")
    scaled = before.rstrip(",") if not after else before
    if not after:
        amount = amount.scaleb(-3 * (len(before) - len(scaled)))
    else:
        scale = len(after) - len(after.rstrip(","))
        amount, after = amount.scaleb(-3 * scale), after.rstrip(",")
    rounded = amount.quantize(Decimal(1).scaleb(-len(after)), ROUND_HALF_UP)
    whole, _, decimals = f"{rounded:f}".partition(".")
    if after:
        needed = len(after.rstrip("#?"))
        decimals = decimals[:needed] + decimals[needed:].rstrip("0")
    zeros = sum(character == "0" for character in scaled)
    whole = whole.lstrip("0").zfill(zeros) if zeros or whole.strip("0") else ""
    if "," in scaled.strip(","):
        whole = f"{int(whole or 0):,}".zfill(len(whole)) if whole else ""
    return f"{whole}.{decimals}" if decimals or (after and not after.strip("0")) else whole or "0"


def iso_moment(text: str) -> str:
    """A cell of type `d`, whose value is a date and time of ISO 8601."""
    with suppress(ValueError):
        moment = datetime.fromisoformat(text)
        return Stored(text, moment.date() if len(text) <= 10 else moment)
    return text
