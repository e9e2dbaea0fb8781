"""Replays and redrives of many messages: which are meant, what is done with each, and how a batch goes on."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from mailstep.contracts import StoredEmail
from mailstep.index_entry import IndexEntry
from mailstep.outcomes import RUNNING
from mailstep_cli import batches, failures, replay
from mailstep_cli.errors import UserError
from mailstep_cli.failures import Failure
from mailstep_cli.home_stack import CLOCK, HomeStack
from mailstep_cli.messages import Filter, emails
from mailstep_cli.times import moment, moment_given

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


@dataclass(frozen=True)
class Repeat:
    """A replay or redrive of all messages that failed in a time, as it was asked for."""

    command: Literal["replay", "redrive"]
    stack: HomeStack
    since: str | None
    until: str | None
    began: str | None
    reply_again: bool = False
    wanted: Filter | None = None
    """Which messages are meant, by the index; None for those whose latest execution failed."""
    options: list[str] = field(default_factory=lambda: ["--failed"])
    """The options that said which messages are meant."""

    def times(self) -> tuple[datetime, datetime, datetime]:
        """From when, until when, and when the batch began.

        Until now, with all that ended in the second that AWS's clock names.

        Raises:
            UserError: there is no `--since`, or one of them is not a time.
        """
        if self.since is None:
            raise UserError("many messages need --since: say from which time on, such as --since 2h")
        now = self.stack.asked
        began = moment_given(self.began, now=now) or now
        return moment(self.since, now=now), moment_given(self.until, now=now) or began + CLOCK, began

    def meant(self, sfn: "SFNClient") -> "Iterator[Failure | IndexEntry]":
        """The messages to act on."""
        since, until, _ = self.times()
        if self.wanted is None:
            return failures.failures(sfn, self.stack, since, until)
        return emails(self.stack.index, replace(self.wanted, since=since, until=until), page=1000)

    def act(self, sfn: "SFNClient", began: datetime) -> "batches.Act[Failure | IndexEntry]":
        """What is done with each message."""

        def redrive(found: Failure | IndexEntry) -> str:
            return failures.redrive(sfn, found, began=began) if isinstance(found, Failure) else "not redriven"

        def process_again(found: Failure | IndexEntry) -> str:
            email = found.email if isinstance(found, Failure) else stored_email_of(found)
            if email is None:
                return replay.STILL_RUNNING
            again = replay.replay_once(sfn, self.stack.workflow_alias, email, began=began, reply_again=self.reply_again)
            return again.done

        return redrive if self.command == "redrive" else process_again

    def goes_on(self) -> str:
        """The command that does the rest of a batch that was interrupted."""
        since, until, began = (time.isoformat() for time in self.times())
        options = [*self.options, "--since", since, "--until", until, "--began", began, "--stack", self.stack.name]
        return shlex.join(["mailstep", self.command, *options, *(["--reply-again"] if self.reply_again else [])])


def stored_email_of(entry: IndexEntry) -> StoredEmail | None:
    """The raw message of an email in the index; None while an execution of it runs, or if the index lacks its key."""
    if entry.outcome == RUNNING or not (entry.bucket and entry.key and entry.route):
        return None
    return StoredEmail(
        email_id=entry.email_id,
        route=entry.route,
        bucket=entry.bucket,
        key=entry.key,
        version_id=entry.version_id,
        stored=entry.stored,
    )
