"""Dates and times in their common orders: which order a column has, by evidence from all its values."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import partial

from mailstep.process.processors.tables.model import Moment

# By their first letters: English, German, French, Spanish, Portuguese, Italian, Dutch, Nordic, Polish, Russian.
_MONTHS = {
    1: "jan ene gen sty \u044f\u043d\u0432",
    2: "feb fév fev lut \u0444\u0435\u0432",
    3: "mar mär mrz maa mrt \u043c\u0430\u0440",
    4: "apr avr abr kwi \u0430\u043f\u0440",
    5: "may mai mag mei maj \u043c\u0430\u044f \u043c\u0430\u0439",
    6: "jun juin giu cze \u0438\u044e\u043d",
    7: "jul juil lug lip \u0438\u044e\u043b",
    8: "aug aoû aou ago sie \u0430\u0432\u0433",
    9: "sep set wrz \u0441\u0435\u043d",
    10: "oct okt out ott paź \u043e\u043a\u0442",
    11: "nov lis \u043d\u043e\u044f",
    12: "dec dez déc dic des gru \u0434\u0435\u043a",
}
_MONTH_OF = {letters: month for month, names in _MONTHS.items() for letters in names.split()}
_TIME = (
    r"(?P<hour>[01]?[0-9]|2[0-3]):(?P<minute>[0-5][0-9])(?::(?P<second>[0-5][0-9])(?:[.,](?P<fraction>[0-9]{1,9}))?)?"
    r"(?:\s?(?P<half>[AaPp])\.?[Mm]\.?)?(?:\s?(?P<zone>Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2}))?"
)
_WEEKDAY = r"(?:[A-Za-zäéáíçñ]{2,12}\.?,?\s+)?"
_AFTER = rf"(?:(?:[Tt]|,?\s+){_TIME})?"
_YEAR_FIRST = re.compile(
    rf"(?P<year>[0-9]{{4}})(?P<mark>[-/.] ?)(?P<month>[0-9]{{1,2}})(?P=mark)(?P<day>[0-9]{{1,2}})\.?{_AFTER}"
)
_ASIAN = re.compile(rf"(?P<year>[0-9]{{4}})[年년] ?(?P<month>[0-9]{{1,2}})[月월] ?(?P<day>[0-9]{{1,2}})[日일]{_AFTER}")
# The basic format of ISO 8601. Without a time, only a whole column of such numbers is dates.
_BASIC = re.compile(
    r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})T(?P<hour>[01][0-9]|2[0-3])(?P<minute>[0-5][0-9])"
    r"(?P<second>[0-5][0-9])?(?P<fraction>(?!))?(?P<half>(?!))?(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_YEAR_LAST = re.compile(
    rf"{_WEEKDAY}(?P<one>[0-9]{{1,2}})(?P<mark>[-/.])(?P<two>[0-9]{{1,2}})(?P=mark)(?P<year>[0-9]{{4}}|[0-9]{{2}}){_AFTER}"
)
_NAMED = re.compile(
    rf"{_WEEKDAY}(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th|\.)?[\s-]+(?:de\s+)?(?P<name>[^\W\d_]{{3,12}})\.?,?[\s-]+(?:de\s+)?"
    rf"(?P<year>[0-9]{{4}}|[0-9]{{2}}){_AFTER}"
)
_NAMED_FIRST = re.compile(
    rf"{_WEEKDAY}(?P<name>[^\W\d_]{{3,12}})\.?\s+(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>[0-9]{{4}}){_AFTER}"
)
_CLOCK = re.compile(_TIME)
CHARACTERS = 60
"""Characters of the longest date that is read."""


@dataclass(frozen=True)
class Order:
    """How a column writes its dates. `certain` is False if days and months could be swapped.

    `told` is the order that the column's own values tell; None if they tell none.
    """

    day_first: bool
    certain: bool
    told: bool | None
    value: Callable[[str], Moment | None]


def either_order(text: str) -> Moment | None:
    """The date or time that a text says in either order of day and month."""
    return moment_in(text, day_first=True) or moment_in(text, day_first=False)


def order(texts: Iterable[str], *, day_first: bool | None = None) -> tuple[dict[str, Moment], Order] | None:
    """The dates and times among the texts, and their common order; None if there are none.

    `day_first` decides where no value tells: in `03/04/2024` in a column without a day above 12.
    """
    texts = list(texts)
    if plain := _plain(texts):
        first = day_first is not False
        return plain, Order(first, True, None, partial(moment_in, day_first=first))
    days, months, either, unpadded = 0, 0, 0, 0
    for text in texts:
        if parts := _YEAR_LAST.fullmatch(text[:CHARACTERS]):
            one, two = int(parts["one"]), int(parts["two"])
            days += one > 12
            months += two > 12
            either += one != two and one <= 12 and two <= 12
            if parts["mark"] == ".":
                days += 1
            # Without zeros in front, between strokes: so programs write dates in the United States.
            unpadded += parts["mark"] == "/" and min(len(parts["one"]), len(parts["two"])) == 1
    first = days > months or (days == months and (not unpadded if day_first is None else day_first))
    read = {text: moment for text in texts if (moment := moment_in(text, day_first=first)) is not None}
    if not read:
        return None
    told = first if days != months else None
    certain = bool(days or months) or not either or day_first is not None
    return read, Order(first, certain, told, partial(moment_in, day_first=first))


def _plain(texts: list[str]) -> dict[str, Moment] | None:
    """The dates of a column in the form of ISO 8601 with hyphens: the common case, and the fast one."""
    if {text[4:5] + text[7:8] for text in texts} != {"--"}:
        return None
    read = date.fromisoformat if set(map(len, texts)) == {10} else datetime.fromisoformat
    if read is datetime.fromisoformat and min(map(len, texts)) < 16:
        return None
    try:
        return dict(zip(texts, map(read, texts), strict=True))
    except ValueError:
        return None


def basic(text: str) -> date | None:
    """The date that eight digits say, in the basic format of ISO 8601, from 1900 to 2099."""
    try:
        return date.fromisoformat(text) if re.fullmatch("(?:19|20)[0-9]{6}", text) else None
    except ValueError:
        return None


def moment_in(text: str, *, day_first: bool) -> Moment | None:
    """The date, the date with its time, or the time of day that a cell says; with UTC's offset where it names one."""
    if len(text) > CHARACTERS or not any(map(str.isdigit, text[:24])):
        return None
    try:
        if parts := _CLOCK.fullmatch(text):
            return _time(parts)
        if parts := _YEAR_LAST.fullmatch(text):
            one, two = int(parts["one"]), int(parts["two"])
            return _with_time(parts, *((two, one) if day_first else (one, two)))
        if parts := _YEAR_FIRST.fullmatch(text) or _ASIAN.fullmatch(text) or _BASIC.fullmatch(text):
            return _with_time(parts, int(parts["month"]), int(parts["day"]))
        parts = _NAMED.fullmatch(text) or _NAMED_FIRST.fullmatch(text)
        month = _month(parts["name"]) if parts else None
        return _with_time(parts, month, int(parts["day"])) if parts and month else None
    except ValueError:
        return None


def _month(name: str) -> int | None:
    name = name.lower()
    return _MONTH_OF.get(name[:4]) or _MONTH_OF.get(name[:3])


def _year(digits: str) -> int:
    """Two digits are a year from 1930 to 2029, as in Excel."""
    number = int(digits)
    return number if len(digits) > 2 else number + (2000 if number < 30 else 1900)


def _with_time(parts: re.Match[str], month: int, day: int) -> date | datetime:
    found = date(_year(parts["year"]), month, day)
    return found if parts["hour"] is None else datetime.combine(found, _time(parts))


def _time(parts: re.Match[str]) -> time:
    hour, half = int(parts["hour"]), (parts["half"] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            raise ValueError("twelve hours")
        hour = hour % 12 + 12 * (half == "p")
    fraction = int((parts["fraction"] or "0").ljust(6, "0")[:6])
    return time(hour, int(parts["minute"]), int(parts["second"] or 0), fraction, tzinfo=_zone(parts["zone"]))


def _zone(name: str | None) -> timezone | None:
    if not name:
        return None
    if name in {"Z", "UTC", "GMT"}:
        return UTC
    digits = name[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if name[0] == "-" else offset)


def comparable(moment: Moment) -> tuple[int, float]:
    """A key that orders dates, times and durations of one column, with an offset from UTC or without."""
    match moment:
        case datetime():
            return 1, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        case date():
            return 1, datetime(moment.year, moment.month, moment.day, tzinfo=UTC).timestamp()
        case time():
            return 0, moment.hour * 3600 + moment.minute * 60 + moment.second + moment.microsecond / 1e6
        case timedelta():
            return 0, moment.total_seconds()
