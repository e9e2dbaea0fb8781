"""Commands that find emails and show what became of them: `list`, `show`, `stats` and `index`."""

from datetime import datetime, timedelta
from itertools import islice
from typing import Annotated

import typer

from mailstep_cli import email_views, messages, rebuilding, showing, statistics
from mailstep_cli.commands.shared import AsJson, Since, Stack, Until, a_time, out, progress
from mailstep_cli.home_stack import find
from mailstep_cli.messages import OUTCOMES, Filter, find_email
from mailstep_cli.outputs import print_output
from mailstep_cli.terminal import counted, print_json
from mailstep_cli.times import moment, moment_given

app = typer.Typer()

Route = Annotated[str | None, typer.Option(metavar="NAME", help="Only mail to this route.")]
Sender = Annotated[
    str | None, typer.Option("--from", help="Only from this address, @domain, or a part of the address or the name.")
]
Recipient = Annotated[str | None, typer.Option("--to", help="Only to this address, or a part of it.")]
Subject = Annotated[str | None, typer.Option(help="Only if the subject has these words.")]


def _outcomes(named: list[str] | None) -> list[str] | None:
    Filter(outcomes=tuple(named or ()))
    return named


Outcomes = Annotated[
    list[str] | None,
    typer.Option("--outcome", callback=_outcomes, help=f"Only {', '.join(OUTCOMES)}. Repeatable."),
]
Reason = Annotated[
    str | None, typer.Option(metavar="CODE", help="Only with this code of the policy (docs/policy.md), or this error.")
]


def filter_of(
    route: str | None,
    sender: str | None,
    recipient: str | None,
    subject: str | None,
    outcomes: list[str] | None,
    reason: str | None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Filter:
    """The filter that the options ask for.

    Raises:
        UserError: there is no such outcome.
    """
    return Filter(route, sender, recipient, subject, tuple(outcomes or ()), reason, since, until)


def options_of(wanted: Filter) -> list[str]:
    """The options that ask for the same messages, without the times."""
    given = {
        "--route": wanted.route,
        "--from": wanted.sender,
        "--to": wanted.recipient,
        "--subject": wanted.subject,
        "--reason": wanted.reason,
    }
    options = [word for name, value in given.items() if value is not None for word in (name, value)]
    return options + [word for outcome in wanted.outcomes for word in ("--outcome", outcome)]


@app.command(name="list")
def list_emails(
    stack: Stack = "",
    route: Route = None,
    sender: Sender = None,
    recipient: Recipient = None,
    subject: Subject = None,
    outcome: Outcomes = None,
    reason: Reason = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, help="Emails to list, at most.")] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Then show each email as it comes and ends.")] = False,
    as_json: AsJson = False,
) -> None:
    """List emails, the newest first: how each ended, the time to reply, its sender and subject.

    With --follow, --json prints one line for each email and each change.
    """
    home = find(stack)
    times = (moment_given(since, now=home.asked), moment_given(until, now=home.asked))
    wanted = filter_of(route, sender, recipient, subject, outcome, reason, *times)
    found = list(islice(messages.emails(home.index, wanted, page=max(limit, 25)), limit))
    if as_json:
        listed = [entry.model_dump(mode="json") for entry in found]
        for entry in reversed(listed) if follow else ():
            print_json(entry)
        if not follow:
            print_json(listed, indent=2)
    else:
        out.print(email_views.emails_view(found))
    if follow:
        for entry in messages.follow(home.index, wanted, home.asked):
            if as_json:
                print_json(entry.model_dump(mode="json"))
            else:
                out.print(email_views.email_line(entry))


Email = Annotated[
    str,
    typer.Argument(
        metavar="EMAIL",
        help="An email_id or its first characters, an execution's ARN, a Message-ID, an id of SES, or a reference.",
    ),
]


@app.command(name="show")
def show_email(email: Email, stack: Stack = "", as_json: AsJson = False) -> None:
    """Show an email: the message, SES's verdicts, what each rule says of it, the answer, and its replies.

    The rules are asked again, with the routes of this checkout. Nothing is written, and no reply is counted.
    """
    home = find(stack)
    shown = showing.gather(home, find_email(home, email))
    if as_json:
        print_json(shown.model_dump(mode="json"), indent=2)
    else:
        out.print(email_views.shown_view(shown))


@app.command()
def stats(stack: Stack = "", since: Since = "24h", until: Until = None, as_json: AsJson = False) -> None:
    """Count outcomes and reasons, and show times to reply, the slowest states, and the mail of each route over time."""
    home = find(stack)
    end = moment_given(until, now=home.asked) or home.asked
    start = moment_given(since, now=home.asked) or end - timedelta(days=1)
    with progress("Reading the index"):
        wanted = Filter(since=start, until=end, copies=True)
        found = statistics.count(messages.emails(home.index, wanted, page=1000), start, end)
    if as_json:
        print_json(found.model_dump(mode="json"), indent=2)
    else:
        out.print(email_views.statistics_view(found))


@app.command(name="index")
def rebuild_index(
    since: Annotated[
        str, typer.Option(metavar="TIME", callback=a_time, help="From this time on: 3d, 2026-11-26, 2026-11-26T12:00.")
    ],
    stack: Stack = "",
    as_json: AsJson = False,
) -> None:
    """Add what the index lacks, from the executions and the stored mail. Run it once on an account with older mail.

    It changes no entry that is right, so it can be interrupted and repeated.
    """
    home = find(stack)
    with progress("Comparing with the index") as tell:
        done = rebuilding.rebuild(home, moment(since, now=home.asked), tell)
    if as_json:
        print_output(done)
    else:
        compared = f"{counted(done.executions, 'execution')} and {counted(done.stored_emails, 'stored email')}"
        out.print(f"Compared {compared}: {counted(done.filled, 'entry', 'entries')} filled.")
