"""What `replay --failed` and `redrive --failed` share: the count, the question, the batch, and how it goes on."""

import shlex
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from mailstep_cli import batches, failures, listings
from mailstep_cli.commands.shared import confirm, counted, ended, err, out, progress
from mailstep_cli.errors import UserError
from mailstep_cli.failures import Failure
from mailstep_cli.home_stack import HomeStack
from mailstep_cli.outputs import print_output
from mailstep_cli.times import moment

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

    def times(self) -> tuple[datetime, datetime, datetime]:
        """From when, until when, and when the batch began.

        Raises:
            UserError: there is no `--since`, or one of them is not a time.
        """
        if self.since is None:
            raise UserError("--failed needs --since: say from which time on, such as --since 2h")
        now = self.stack.asked
        began = moment(self.began, now=now) if self.began else now
        return moment(self.since, now=now), moment(self.until, now=now) if self.until else began, began

    def act(self, sfn: "SFNClient", began: datetime) -> batches.Act[Failure]:
        """What is done with each message."""
        if self.command == "redrive":
            return lambda failure: failures.redrive(sfn, failure, began=began)
        return lambda failure: failures.replay_once(
            sfn, self.stack, failure.email, began=began, reply_again=self.reply_again
        )

    def goes_on(self) -> str:
        """The command that does the rest of a batch that was interrupted."""
        since, until, began = (time.isoformat() for time in self.times())
        options = ["--failed", "--since", since, "--until", until, "--began", began, "--stack", self.stack.name]
        return shlex.join(["mailstep", self.command, *options, *(["--reply-again"] if self.reply_again else [])])


def repeat(asked: Repeat, *, rate: float, yes: bool, as_json: bool) -> int:
    """Repeat each of the messages; return the exit code."""
    since, until, began = asked.times()
    sfn = failures.client()
    with err.status("Looking for failed executions …"):
        found = list(failures.failures(sfn, asked.stack, since, until))
    what = (
        "Process {} again, each in a new execution?" if asked.command == "replay" else "Redrive the executions of {}?"
    )
    if found:
        confirm(what.format(counted(len(found), "message")), yes=yes)
    with progress("Replaying" if asked.command == "replay" else "Redriving") as tell:
        tally = batches.each(
            found,
            asked.act(sfn, began),
            total=len(found),
            name=lambda failure: failure.name,
            rate=rate,
            progress=lambda so_far: tell(so_far.done, so_far.total),
        )
    tally.goes_on = asked.goes_on() if tally.interrupted else None
    if as_json:
        print_output(tally)
    else:
        out.print(listings.tally_view(tally), soft_wrap=True)
    return ended(tally)
