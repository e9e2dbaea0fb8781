"""Reads a time as a user types it: how long ago, or a date."""

import re
from datetime import UTC, datetime, timedelta

from mailstep_cli.errors import UserError

_AGO = re.compile(r"(\d{1,6})\s*([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment(text: str, *, now: datetime) -> datetime:
    """The time that `90m`, `2h`, `3d`, `2026-11-26` or `2026-11-26T12:00` means. A time without a zone is local.

    Raises:
        UserError: it has another form.
    """
    if ago := _AGO.fullmatch(text.strip()):
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        return datetime.fromisoformat(text.strip()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UserError(f"{text!r} is not a time: write 90m, 2h, 3d, 2026-11-26 or 2026-11-26T12:00") from error


def moment_given(text: str | None, *, now: datetime) -> datetime | None:
    """The time that an option means; None if the option was not given.

    Raises:
        UserError: it is not a time.
    """
    return moment(text, now=now) if text else None
