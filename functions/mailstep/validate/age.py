"""How old a message is by what its author signed: a copy passes DKIM for ever, from wherever somebody sends it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from mailstep.contracts import Message
from mailstep.mime.fields import parse_date

_SIGNED_AT = re.compile(r"(?:^|;)\s*t\s*=\s*(\d{9,10})\s*(?:;|$)")


def written(message: Message) -> datetime | None:
    """The earliest time that a Date field or a signature states (RFC 6376 section 3.5, `t=`), or None without one.

    Somebody who sends a copy can put a Date in front of the signed one, which is the last (RFC 6376 section 5.4.2), or
    replace one that is not signed.
    """
    return min(_times(message), default=None)


def _times(message: Message) -> Iterator[datetime]:
    last = message.header("Date")[-1:]
    yield from filter(None, (message.date, *map(parse_date, last)))
    for value in message.header("DKIM-Signature"):
        if found := _SIGNED_AT.search(value):
            yield datetime.fromtimestamp(int(found[1]), UTC)
