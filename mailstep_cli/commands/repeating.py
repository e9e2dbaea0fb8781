"""What replays and redrives of many messages share: the question, the progress, and the result."""

from mailstep_cli import batches, distributed, failures, listings
from mailstep_cli.commands.shared import INTERRUPTED, confirm, ended, err, out, progress
from mailstep_cli.errors import UserError
from mailstep_cli.failures import Failure
from mailstep_cli.outputs import print_output
from mailstep_cli.repeating import Repeat, stored_email_of
from mailstep_cli.terminal import counted


def distribute(asked: Repeat, *, yes: bool, as_json: bool) -> int:
    """Have the stack's own workflow replay the messages; return the exit code. Ctrl-C leaves it at its work."""
    _, _, began = asked.times()
    with err.status("Looking for the messages …"):
        found = [
            one.email if isinstance(one, Failure) else stored_email_of(one) for one in asked.meant(failures.client())
        ]
    emails = [email for email in found if email]
    if not emails:
        raise UserError("no message is meant, so nothing was started")
    confirm(f"Process {counted(len(emails), 'message')} again, ten a second, by the stack's own workflow?", yes=yes)
    execution, batch = distributed.start(asked.stack, emails, began=began, reply_again=asked.reply_again)
    try:
        with progress("Replaying") as tell:
            for run in distributed.follow(asked.stack, execution, batch, len(emails)):
                tell(run.ended, run.total)
    except KeyboardInterrupt:
        out.print(
            f"It goes on. To stop it: aws stepfunctions stop-execution --execution-arn {execution}", soft_wrap=True
        )
        return INTERRUPTED
    if as_json:
        print_output(run)
    else:
        done = f"{run.ended - run.failed:,} of {run.total:,} replayed, {run.failed:,} failed ({run.status.lower()})."
        out.print(f"{done} What became of each: {run.results}", soft_wrap=True)
    return 0 if run.status == "SUCCEEDED" and not run.failed else 1


def repeat(asked: Repeat, *, rate: float, yes: bool, as_json: bool) -> int:
    """Repeat each of the messages; return the exit code."""
    _, _, began = asked.times()
    sfn = failures.client()
    with err.status("Looking for the messages …"):
        found = list(asked.meant(sfn))
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
            name=lambda one: one.name if isinstance(one, Failure) else one.email_id,
            rate=rate,
            progress=lambda so_far: tell(so_far.done, so_far.total),
        )
    tally.goes_on = asked.goes_on() if tally.interrupted else None
    if as_json:
        print_output(tally)
    else:
        out.print(listings.tally_view(tally), soft_wrap=True)
    return ended(tally)
