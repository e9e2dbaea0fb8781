"""Finds emails in the index of a stack: by filters, and by any name that an email has."""

import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from botocore.exceptions import ClientError

from mailstep import reference
from mailstep.addresses import canonical
from mailstep.aws import executions, threads
from mailstep.aws.message_index import PREFIX, By, MessageIndex
from mailstep.errors import TransientError
from mailstep.index.status_events import of_description
from mailstep.index_entry import IndexEntry, email_id_of
from mailstep.outcomes import RUNNING, UNKNOWN, Outcome
from mailstep.validate.policy import OTHER_ROUTE
from mailstep_cli.errors import UserError
from mailstep_cli.home_stack import HomeStack

OUTCOMES = (*Outcome, RUNNING, UNKNOWN)
"""What a filter can ask for."""
_SHOWN = 10
# SES's id of a message, or the Message-ID that SES gives it (Amazon SES Developer Guide, "Header fields").
_SES_ID = re.compile(r"<?([0-9a-f][0-9a-f-]{30,99})(@([a-z0-9-]+\.)?amazonses\.com)?>?")
_FOLLOWED = timedelta(minutes=15)
"""How long before it began a live view still looks: an email is listed by the time at which SES received it."""
_FOLLOWED_MOST = 1000
"""Emails that a live view compares each time: a person reads no more, and a burst may be longer."""


@dataclass(frozen=True)
class Filter:
    """Which emails are meant. An empty field says nothing.

    `sender` and `recipient` are an address, a domain (`@shop.example`) or a part of either, or of the sender's name.
    `reason` is a code of the policy, of a withheld reply, or the name of an error. `subject` is a part of the subject.
    Case does not matter. Copies for the catch-all route are not meant, because the email is
    listed with its own route, unless `copies` or their `reason` asks for them.
    """

    route: str | None = None
    sender: str | None = None
    recipient: str | None = None
    subject: str | None = None
    outcomes: tuple[str, ...] = ()
    reason: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    copies: bool = False

    def __post_init__(self) -> None:
        """Check the outcomes.

        Raises:
            UserError: there is no such outcome.
        """
        for outcome in self.outcomes:
            if outcome not in OUTCOMES:
                raise UserError(f"there is no outcome {outcome!r}: {', '.join(OUTCOMES)}")

    def matches(self, entry: IndexEntry) -> bool:
        """Whether the email is meant; its time is not looked at."""
        return (
            (self.copies or self.reason is not None or not is_copy(entry))
            and self.route in (None, entry.route)
            and (not self.outcomes or entry.outcome in self.outcomes)
            and _is_or_has(self.sender, entry.sender, entry.sender_name)
            and _is_or_has(self.recipient, entry.recipient, entry.route)
            and _has(self.subject, entry.subject)
            and self.reason in (None, entry.reason, entry.withheld, entry.error)
        )


def is_copy(entry: IndexEntry) -> bool:
    """Whether it is what the rule of the catch-all route stored of an email that another route has (receiving.yaml)."""
    return entry.reason == OTHER_ROUTE


def emails(index: MessageIndex, wanted: Filter, *, page: int = 100) -> Iterator[IndexEntry]:
    """The emails that a filter means, the newest first, read in pages as they are asked for.

    The narrowest index that a field of the filter has is read; the other fields are compared here.
    """
    by, value = By.TIME, ""
    if wanted.sender and "@" in wanted.sender[1:]:
        by, value = By.SENDER, canonical(wanted.sender)
    elif len(wanted.outcomes) == 1:
        by, value = By.OUTCOME, wanted.outcomes[0]
    elif wanted.route:
        by, value = By.ROUTE, wanted.route
    found = index.newest(by, value, since=wanted.since, until=wanted.until, page=page)
    return (entry for entry in found if wanted.matches(entry))


def follow(index: MessageIndex, wanted: Filter, start: datetime, *, seconds: float = 1) -> Iterator[IndexEntry]:
    """Each email that comes, or whose outcome or feedback changes, from `start` on; for ever.

    Copies for a catch-all route are among them: the policy has not looked at an email that has just come.
    """
    wanted = replace(wanted, copies=True)
    told: dict[str, tuple[str, int]] = {}
    while True:
        try:
            latest = list(islice(index.newest(since=start - _FOLLOWED), _FOLLOWED_MOST))
            latest += index.get_many(told.keys() - {entry.email_id for entry in latest}).values()
        except TransientError:
            time.sleep(seconds)
            continue
        for entry in sorted(latest, key=_time):
            now = (entry.outcome, len(entry.feedback))
            if told.get(entry.email_id) != now:
                told[entry.email_id] = now
                if wanted.matches(entry) and max(_times(entry), default=start) >= start:
                    yield entry
        listed = {entry.email_id for entry in latest}
        told = {name: how for name, how in told.items() if how[0] == RUNNING or name in listed}
        time.sleep(seconds)


def find_email(home: HomeStack, name: str) -> IndexEntry:
    """The one email that a name belongs to.

    A name is an email_id or its first characters, SES's id of the email or of a reply, the name or ARN of an
    execution, a Message-ID, or a short reference. No name makes it read more than a few items. If an email and its copy
    for the catch-all route have the name, the email is meant.

    Raises:
        UserError: no email, or more than one, has the name.
    """
    found = _found(home, name.strip())
    found = [entry for entry in found if not is_copy(entry)] or found
    if len(found) == 1:
        return found[0]
    if not found:
        raise UserError(f"no email of {home.name!r} has the name {name!r}. mailstep list shows the latest ones")
    names = ", ".join(
        f"{entry.email_id} ({entry.reference}, {entry.route or 'unknown route'}, {entry.reason or entry.outcome})"
        for entry in found[:_SHOWN]
    )
    raise UserError(f"{len(found)} emails of {home.name!r} have the name {name!r}: {names}")


def _found(home: HomeStack, name: str) -> list[IndexEntry]:
    index = home.index
    if name.startswith("arn:") or email_id_of(name):
        arn = name if name.startswith("arn:") else home.execution(name)
        entry = index.get(email_id_of(arn.rpartition(":")[2]) or "-") or _of_execution(index, arn)
        return [entry] if entry else []
    if (ses := _SES_ID.fullmatch(name)) and (email_id := threads.email_of_reply(ses[1], home.ledger)):
        entry = index.get(email_id)
        return [entry] if entry else []
    if "@" in name:
        return index.named(By.MESSAGE_ID, name if name.startswith("<") else f"<{name}>")
    if (short := reference.read(name)) and (meant := index.named(By.REFERENCE, short)):
        return meant
    if len(name) < PREFIX:
        raise UserError(f"{name!r} is too short: give at least {PREFIX} characters of an email_id")
    return index.named(By.PREFIX, name)


def _of_execution(index: MessageIndex, arn: str) -> IndexEntry | None:
    """The email of an execution that the index does not know by its name, or does not know yet."""
    try:
        described = executions.describe(arn)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"InvalidArn", "ValidationException"}:
            raise UserError(f"{arn} is not the ARN of an execution") from error
        raise
    seen = of_description(described) if described else None
    if seen is None:
        return None
    fresh = IndexEntry.empty(seen.email.email_id).with_email(seen.email).with_execution(seen.execution)
    return index.get(seen.email.email_id) or fresh


def _times(entry: IndexEntry) -> Iterable[datetime]:
    feedback = (one.at for one in entry.feedback)
    return (moment for moment in (entry.received, entry.started, entry.ended, *feedback) if moment)


def _time(entry: IndexEntry) -> float:
    return entry.received.timestamp() if entry.received else 0


def _has(part: str | None, text: str | None) -> bool:
    return part is None or part.casefold() in (text or "").casefold()


def _is_or_has(wanted: str | None, *texts: str | None) -> bool:
    """Whether a whole address is meant and is one of the texts, or a part is in one of them."""
    if wanted is None:
        return True
    if "@" in wanted[1:]:
        return canonical(wanted) in texts
    return any(_has(wanted, text) for text in texts)
