"""Dates and times in their common orders: which order a column has, by evidence from all its values.

Over 300 lines, a third of which are patterns and names of months.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import partial

from mailstep.process.processors.tables.model import Moment

# By their first letters: English, German, French, Spanish, Portuguese, Italian, Dutch, Nordic, Polish, Czech,
# Hungarian, Romanian, Turkish, Finnish, Greek, Russian, Ukrainian, Bulgarian.
_MONTHS = {
    1: "jan ene gen sty leden ledna ian ocak tammi ιαν янв січн яну",  # noqa: RUF001 - Greek and Cyrillic
    2: "feb fév fev lut úno şub helmik φεβ фев лют",
    3: "mar mär mrz maa már bře μαρ μάρ мар берез",
    4: "apr avr abr kwi ápr duben dubna nisan huhti απρ апр кві",
    5: "may mai mag mei maj máj kvě touko μαΐ μάι май мая трав",
    6: "jun juin giu cze jún červ iun haz kesä ιουν июн черв юни",  # noqa: RUF001 - Greek and Cyrillic
    7: "jul juil lug lip júl červenec července iul temm heinäk ιουλ июл лип юли",
    8: "aug aoû aou ago sie srp ağu elok αυγ авг серп",  # noqa: RUF001 - Greek and Cyrillic
    9: "sep set wrz sze zář eyl syys σεπ сен верес",
    10: "oct okt out ott paź říj eki lokak οκτ окт жовт",
    11: "nov lis noiem kas\u0131m kasim marras νοε ноя листоп ное",
    12: "dec dez déc dic des gru prosin aral joulu δεκ дек груд",
}
_MONTH_OF = {letters: month for month, names in _MONTHS.items() for letters in names.split()}
# Other words begin with these: Project 5 2024, Temp 3 2024, версия 2 2024.
_ABBREVIATIONS = {
    1: "led oca tam січ",
    2: "helmi",
    3: "бер",  # noqa: RUF001 - Cyrillic
    4: "dub nis huh",
    5: "tou тра",
    6: "чер",
    7: "tem heinä",
    8: "elo сер",  # noqa: RUF001 - Cyrillic
    9: "вер",
    10: "loka жов",
    11: "noi kas лис",
    12: "pro ara гру",  # noqa: RUF001 - Cyrillic
}
_MONTH_OF_WHOLE = {name: month for month, names in _ABBREVIATIONS.items() for name in names.split()}
_PRODUCTS = {"led", "pro"}
"""Abbreviations that are the names of products unless they are in lower case, as Czech writes its months."""
_LONGEST, _SHORTEST = max(map(len, _MONTH_OF)), min(map(len, _MONTH_OF))
# Hours from UTC, as RFC 5322 4.3 and Europe's systems name them.
_ZONES = dict.fromkeys(("Z", "UTC", "GMT", "WET"), 0) | {
    **dict.fromkeys(("BST", "WEST", "CET", "MEZ"), 1),
    **dict.fromkeys(("CEST", "MESZ", "EET"), 2),
    **dict.fromkeys(("EEST", "MSK"), 3),
    "JST": 9,
    "EDT": -4,
    "EST": -5,
    "CDT": -5,
    "CST": -6,
    "MDT": -6,
    "MST": -7,
    "PDT": -7,
    "PST": -8,
}
_ZONE = (
    rf"(?:\s?\(?(?P<zone>{'|'.join(_ZONES)}|(?:UTC|GMT)[+-][0-9]{{1,2}}(?::?[0-9]{{2}})?|"
    r"[+-][0-9]{2}(?::?[0-9]{2})?)\)?(?:\s\([^()]{1,40}\))?)?"
)
_HALF = r"\s?(?P<half>[AaPp])\.?\s?[Mm]\.?"
# Hours and minutes, with points also (`10.11`), which alone are a number.
_TIME = (
    r"(?:(?:(?P<early>오전|上午|午前)|(?P<late>오후|下午|午後))\s?)?"
    r"(?P<hour>[01]?[0-9]|2[0-3])(?P<colon>[:.h])(?P<minute>[0-5][0-9])"
    rf"(?:(?P=colon)(?P<second>[0-5][0-9])(?:[.,](?P<fraction>[0-9]{{1,9}}))?)?(?:{_HALF})?(?:\s?Uhr)?{_ZONE}"
)
_AT = r"(?:(?:-|klo|um|at|kl\.?|à|às|a las|alle|ore|om|godz\.?|\u0432)\s+)?"
_WEEKDAY = r"(?:[^\W\d_]{2,12}(?:-feira)?\.?,?\s+)?"
_AFTER = rf"(?:(?:[Tt:]|,?\s+{_AT}){_TIME})?"
_NAME = r"(?P<name>[^\W\d_]{3,12})"
_YEAR_FIRST = re.compile(
    rf"(?P<year>[0-9]{{4}})(?P<mark>[-/.] ?)(?P<month>[0-9]{{1,2}})(?P=mark)(?P<day>[0-9]{{1,2}})\.?{_AFTER}"
)
_ASIAN = re.compile(rf"(?P<year>[0-9]{{4}})[年년] ?(?P<month>[0-9]{{1,2}})[月월] ?(?P<day>[0-9]{{1,2}})[日일]{_AFTER}")
# The basic format of ISO 8601. Without a time, only a whole column of such numbers is dates.
_BASIC = re.compile(
    r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})[T ](?P<hour>[01][0-9]|2[0-3])(?P<minute>[0-5][0-9])"
    r"(?P<second>[0-5][0-9])?(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_YEAR_LAST = re.compile(
    rf"{_WEEKDAY}(?P<one>[0-9]{{1,2}})(?P<mark>[-/]|\. ?)(?P<two>[0-9]{{1,2}})(?P=mark)(?P<year>[0-9]{{4}}|[0-9]{{2}})"
    rf"\.?(?:\s?[\u0433\u0440]\.?)?{_AFTER}"
)
_NAMED = [
    re.compile(pattern + _AFTER)
    for pattern in (
        rf"{_WEEKDAY}(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th|er|\.?º|\.)?[\s/-]+(?:de\s+)?{_NAME}\.?,?[\s/-]+(?:de\s+)?"
        r"(?P<year>[0-9]{4}|[0-9]{2})(?:\s?[\u0433\u0440]\.?)?",
        rf"{_WEEKDAY}{_NAME}\.?\s+(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>[0-9]{{4}})",
        rf"{_NAME}-(?P<day>[0-9]{{1,2}})-(?P<year>[0-9]{{4}}|[0-9]{{2}})",
        rf"(?P<year>[0-9]{{4}})(?:\.?\s+|-|/){_NAME}\.?(?:\s+|-|/)(?P<day>[0-9]{{1,2}})\.?",
        # As SAS writes it: 31JAN2024.
        r"(?P<day>[0-9]{2})(?P<name>[A-Za-z]{3})(?P<year>[0-9]{4})",
    )
]
# As C's asctime writes it: Wed Jan 31 10:11:12 2024.
_YEAR_AT_END = re.compile(rf"{_WEEKDAY}{_NAME}\s+(?P<day>[0-9]{{1,2}})\s+{_TIME}\s+(?P<year>[0-9]{{4}})")
_MARKED = re.compile(r"[0-9][-/.:h年년] ?[0-9]|[0-9]{8}[T ][0-9]{4}")
_WORD = re.compile(r"[^\W\d_]{3,12}")
_CLOCK = re.compile(_TIME)
_HOUR = re.compile(rf"(?P<hour>1[0-2]|0?[1-9]){_HALF}")
_ELAPSED = re.compile(
    r"(?P<sign>[-+\u2212])?(?:(?P<days>[0-9]{1,5}) days?,? )?(?P<hours>[0-9]{1,5}):(?P<minutes>[0-5][0-9])"
    r"(?::(?P<seconds>[0-5][0-9])(?:[.,](?P<fraction>[0-9]{1,6}))?)?"
)
# `25:23` is more often a result of a match; working hours are said to five minutes, or with seconds.
_SCORE = re.compile(r"[0-9]{1,3}:[0-9][1-46-9]")
_LAP = re.compile(r"(?P<minutes>[0-9]{1,3}):(?P<seconds>[0-5][0-9])[.,](?P<fraction>[0-9]{1,6})")
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
    found = moment_in(text, day_first=True)
    return found if found is not None or not _YEAR_LAST.fullmatch(text) else moment_in(text, day_first=False)


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
            if parts["mark"].startswith("."):
                days += 1
            # Without zeros in front, between strokes: so programs write dates in the United States.
            unpadded += parts["mark"] == "/" and min(len(parts["one"]), len(parts["two"])) == 1
    first = days > months or (days == months and (not unpadded if day_first is None else day_first))
    value: Callable[[str], Moment | None] = partial(moment_in, day_first=first)
    read = {text: moment for text in texts if (moment := value(text)) is not None}
    if not read:
        return None
    # A duration of a day or more is not a time of day. Then all values of the column are durations.
    if timedelta in set(map(type, read.values())):
        if any(map(_SCORE.fullmatch, texts)):
            return None
        value = elapsed_in
        read = {text: moment for text in texts if (moment := value(text)) is not None}
    told = first if days != months else None
    certain = bool(days or months) or not either or day_first is not None
    return read, Order(first, certain, told, value)


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
    """The date that eight digits say, or 14 with the time, in the basic format of ISO 8601, from 1900 to 2099."""
    if not re.fullmatch("(?:19|20)[0-9]{6}(?:[0-9]{6})?", text):
        return None
    try:
        return date.fromisoformat(text) if len(text) == 8 else datetime.fromisoformat(f"{text[:8]}T{text[8:]}")
    except ValueError:
        return None


def moment_in(text: str, *, day_first: bool) -> Moment | None:
    """The moment that a cell says: a date, with its time or without, a time of day, or a duration of a day or more.

    It has an offset from UTC where the cell names one.
    """
    if len(text) > CHARACTERS or not _may_be_moment(text):
        return None
    # Logs of web servers put the moment in brackets.
    if text[0] == "[" and text[-1] == "]":
        text = text[1:-1]
    try:
        if (parts := _CLOCK.fullmatch(text)) and _stands_alone(parts):
            return _time(parts)
        return _in_digits(text, day_first=day_first) or _in_hours(text) or _named(text)
    except ValueError:
        return None


def _may_be_moment(text: str) -> bool:
    """Whether the text has digits with a mark between them, or the name of a month; other texts are not searched."""
    if not any(map(str.isdigit, text[:24])):
        return False
    return bool(_MARKED.search(text) or _HOUR.fullmatch(text)) or any(map(_month, _WORD.findall(text)))


def _in_digits(text: str, *, day_first: bool) -> date | datetime | None:
    """The date that a text says in digits."""
    if parts := _YEAR_LAST.fullmatch(text):
        one, two = int(parts["one"]), int(parts["two"])
        return _with_time(parts, *((two, one) if day_first else (one, two)))
    parts = _YEAR_FIRST.fullmatch(text) or _ASIAN.fullmatch(text) or _BASIC.fullmatch(text)
    return _with_time(parts, int(parts["month"]), int(parts["day"])) if parts else None


def _in_hours(text: str) -> time | timedelta | None:
    """The time of day that a text says by its hour alone, or the duration."""
    parts = _HOUR.fullmatch(text)
    return time(_hour(parts.groupdict())) if parts else elapsed_in(text)


def _named(text: str) -> date | datetime | None:
    """The date that a text says with the month's name."""
    for pattern in (*_NAMED, _YEAR_AT_END):
        if (parts := pattern.fullmatch(text)) and (month := _month(parts["name"])):
            return _with_time(parts, month, int(parts["day"]))
    return None


def elapsed_in(text: str) -> timedelta | None:
    """The duration that a cell says: `37:30` are hours and minutes, `1:02.5` minutes and seconds."""
    if parts := _LAP.fullmatch(text):
        return timedelta(minutes=int(parts["minutes"]), seconds=float(f"{parts['seconds']}.{parts['fraction']}"))
    if not (parts := _ELAPSED.fullmatch(text)):
        return None
    found = timedelta(
        days=int(parts["days"] or 0),
        hours=int(parts["hours"]),
        minutes=int(parts["minutes"]),
        seconds=float(f"{parts['seconds'] or 0}.{parts['fraction'] or 0}"),
    )
    return -found if parts["sign"] in ("-", "\u2212") else found


def _month(name: str) -> int | None:
    lower = name.lower()
    if lower in _PRODUCTS and name != lower:
        return None
    if whole := _MONTH_OF_WHOLE.get(lower):
        return whole
    found = (_MONTH_OF.get(lower[:letters]) for letters in range(_LONGEST, _SHORTEST - 1, -1))
    return next(filter(None, found), None)


def _year(digits: str) -> int:
    """Two digits are a year from 1930 to 2029, as in Excel."""
    number = int(digits)
    return number if len(digits) > 2 else number + (2000 if number < 30 else 1900)


def _with_time(parts: re.Match[str], month: int, day: int) -> date | datetime:
    found = date(_year(parts["year"]), month, day)
    return found if parts["hour"] is None else datetime.combine(found, _time(parts))


def _stands_alone(parts: re.Match[str]) -> bool:
    """Whether it is a time without a date: `10.11` is a number, and `09:00-17:00` says from when to when."""
    is_span = (parts["zone"] or "").startswith(("+", "-")) and not parts["second"]
    return parts["colon"] != "." and not is_span


def _time(parts: re.Match[str]) -> time:
    found = parts.groupdict()
    fraction = int((found.get("fraction") or "0").ljust(6, "0")[:6])
    minute, second, zone = int(found["minute"]), int(found.get("second") or 0), found.get("zone")
    if zone and re.fullmatch("-[0-9]{2}", zone) and not found.get("second"):
        raise ValueError("from an hour to another: 09:00-17")
    return time(_hour(found), minute, second, fraction, tzinfo=_zone(zone))


def _hour(found: Mapping[str, str | None]) -> int:
    """The hour of the day, 0 to 23."""
    hour = int(found["hour"] or 0)
    afternoon = bool(found.get("late")) or (found.get("half") or "").lower() == "p"
    if not (afternoon or found.get("early") or found.get("half")):
        return hour
    if not 1 <= hour <= 12:
        raise ValueError("twelve hours")
    return hour % 12 + 12 * afternoon


def _zone(name: str | None) -> timezone | None:
    if not name:
        return None
    if name in _ZONES:
        return timezone(timedelta(hours=_ZONES[name])) if _ZONES[name] else UTC
    digits = name.removeprefix("UTC").removeprefix("GMT")
    hours, minutes = digits[1:].replace(":", "")[:-2] if len(digits) > 3 else digits[1:], digits[-2:]
    offset = timedelta(hours=int(hours), minutes=int(minutes) if len(digits) > 3 else 0)
    return timezone(-offset if digits[0] == "-" else offset)


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
