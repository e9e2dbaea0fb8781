"""Commands that look at messages in an account, or process them again: `history`, `replay` and `redrive`."""

from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from mailstep_cli import display, email_views, failures, history, related, replay, stored_mail
from mailstep_cli.commands import repeating
from mailstep_cli.commands.finding import Outcomes, Reason, Recipient, Route, Sender, Subject, filter_of, options_of
from mailstep_cli.commands.shared import AsJson, Rate, Since, Stack, Until, Yes, err, out
from mailstep_cli.errors import UserError
from mailstep_cli.executions import find_execution, find_failed, stack_of
from mailstep_cli.home_stack import find
from mailstep_cli.messages import Filter, emails
from mailstep_cli.repeating import Repeat
from mailstep_cli.routing import check_route
from mailstep_cli.terminal import print_json
from mailstep_cli.timeline_view import aws_links, related_view, timeline_table
from mailstep_cli.web.files import write_page

app = typer.Typer()

_LATEST = 10
"""Emails that `mailstep history` lists without a name."""

Failed = Annotated[bool, typer.Option("--failed", help="Every message whose latest execution failed; needs --since.")]
Began = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Go on after an interrupt: leave out what was done since this time."),
]


@app.command(name="history")
def show_history(
    execution: Annotated[
        str | None,
        typer.Argument(
            help="An execution's name or ARN, or any name of its email (docs/finding.md): an email_id or its first "
            "characters, a Message-ID, a reference. Default: list the latest emails."
        ),
    ] = None,
    stack: Stack = "",
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Also show inputs, outputs, and causes in full.")
    ] = False,
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write the page of the message to a file that loads nothing (docs/local.md)."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what happened to a message: each attempt at each state, errors with their causes, and what caught them.

    It asks the account and the endpoint that this shell's AWS variables name.
    """
    if execution is None:
        out.print(email_views.emails_view(list(islice(emails(find(stack).index, Filter(), page=_LATEST), _LATEST))))
        return
    arn, sfn = find_execution(execution, stack)
    line = history.fetch(sfn, arn)
    home = stack_of(arn, stack)
    if html:
        write_page(html, home or find(stack), sfn, arn, line)
    if as_json:
        of_email = related.related(home, arn, line) if home else None
        told = related.History(execution_arn=arn, timeline=line, related=of_email)
        print_json(told.model_dump(mode="json"), indent=2)
        return
    out.print(timeline_table(line, title=arn.rpartition(":")[2], verbose=verbose))
    if home and (of_email := related.related(home, arn, line)):
        out.print(related_view(of_email, arn), soft_wrap=True)
    if links := aws_links(arn, sfn.meta.endpoint_url, stack):
        out.print(links, soft_wrap=True, style="dim")


@app.command(name="replay")
def replay_execution(
    executions: Annotated[
        list[str] | None,
        typer.Argument(help="Names or ARNs of executions, or any names of their emails (docs/finding.md)."),
    ] = None,
    stack: Stack = "",
    reply_again: Annotated[
        bool,
        typer.Option("--reply-again", help="Reply even if the sender already has a reply. The policy still applies."),
    ] = False,
    override: Annotated[
        str | None,
        typer.Option(
            metavar="CODE",
            help="Process the messages past this rule of the policy (docs/policy.md). Your identity goes on record. "
            "Nothing sends a reply to a sender who is not authenticated.",
        ),
    ] = None,
    stored: Annotated[
        str | None,
        typer.Option(
            metavar="ROUTE",
            help="Instead, process the stored messages of ROUTE that have no execution, such as those that arrived "
            "while routes.toml did not have the route.",
        ),
    ] = None,
    failed: Failed = False,
    route: Route = None,
    sender: Sender = None,
    recipient: Recipient = None,
    subject: Subject = None,
    outcome: Outcomes = None,
    reason: Reason = None,
    since: Since = None,
    until: Until = None,
    began: Began = None,
    distributed: Annotated[
        bool,
        typer.Option("--distributed", help="For very many: the stack's own workflow replays them, ten a second."),
    ] = False,
    rate: Rate = 5,
    yes: Yes = False,
    as_json: AsJson = False,
) -> int:
    """Process messages again, each in a new execution. A second reply is sent only with --reply-again.

    With --failed, or with options that `mailstep list` has too, it says first how many messages that are, and asks.
    After Ctrl-C it prints the command that goes on: each message has one new execution.
    """
    wanted = filter_of(route, sender, recipient, subject, outcome, reason)
    if bool(executions) + bool(stored) + failed + (wanted != Filter()) != 1:
        raise UserError(
            "name executions to replay, or a route with --stored, or choose with --failed, or with options such as "
            "--route and --outcome, and --since TIME"
        )
    if override and not executions:
        raise UserError("name executions to override a rule for: other messages are processed by all rules")
    overridden = replay.override(override) if override else None
    if failed or wanted != Filter():
        asked = Repeat("replay", find(stack), since, until, began, reply_again=reply_again)
        if not failed:
            asked = replace(asked, wanted=wanted, options=options_of(wanted))
        if distributed:
            return repeating.distribute(asked, yes=yes, as_json=as_json)
        return repeating.repeat(asked, rate=rate, yes=yes, as_json=as_json)
    if distributed:
        raise UserError("--distributed is for many messages: choose with --failed, or with options such as --route")
    if stored:
        check_route(stored)
        out.print(display.started_view(stored_mail.start_stored(find(stack), stored)), soft_wrap=True)
    for execution in executions or []:
        arn, sfn = find_execution(execution, stack)
        again = replay.replay(sfn, arn, reply_again=reply_again, overridden=overridden)
        name = again.rpartition(":")[2]
        out.print(f"Replaying as {escape(name)}. Follow it with: mailstep history {escape(name)}", soft_wrap=True)
    return 0


@app.command()
def redrive(
    executions: Annotated[
        list[str] | None,
        typer.Argument(help="Names or ARNs of executions, or any names of their emails (docs/finding.md)."),
    ] = None,
    stack: Stack = "",
    failed: Failed = False,
    since: Since = None,
    until: Until = None,
    began: Began = None,
    rate: Rate = 5,
    yes: Yes = False,
    as_json: AsJson = False,
) -> int:
    """Repeat only the failed task of executions, with the functions that are deployed now.

    A redrive goes on where the execution failed, within 14 days. An ARN, or the name of a replay, is that execution;
    any other name is the newest execution of its email. With --failed, it says first how many executions that are, and
    asks. After Ctrl-C it prints the command that goes on: each execution is redriven once.
    """
    if bool(executions) == failed:
        raise UserError("name executions to redrive, or choose with --failed --since TIME")
    if failed:
        return repeating.repeat(
            Repeat("redrive", find(stack), since, until, began), rate=rate, yes=yes, as_json=as_json
        )
    code, faults = 0, list[str]()
    for execution in executions or []:
        try:
            failure, sfn = find_failed(execution, stack)
        except UserError as error:
            faults += map(str, error.args)
            continue
        done = failures.redrive(sfn, failure)
        name = escape(failure.name)
        if done == failures.REDRIVEN:
            out.print(f"Redriving {name}. Follow it with: mailstep history {name}", soft_wrap=True)
        else:
            err.print(f"{name}: {escape(done)}.", soft_wrap=True)
            code = 1
    if faults:
        raise UserError(*faults)
    return code
