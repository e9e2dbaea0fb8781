"""Commands that mail a local account and read what it sent: `send` and `outbox`."""

from pathlib import Path
from typing import Annotated

import typer

from mailstep import keys, reference
from mailstep.start.identity import stored_email
from mailstep_cli import display, email_views, outbox
from mailstep_cli.commands.shared import AsJson, Smtp, Stack, out, smtp_port
from mailstep_cli.errors import UserError
from mailstep_cli.home_stack import find
from mailstep_cli.outputs import as_json as as_json_of
from mailstep_cli.smtp_client import read_message_file, send
from mailstep_cli.terminal import print_json

app = typer.Typer()


@app.command(name="send")
def send_files(
    files: Annotated[list[Path], typer.Argument(help="Message files.")],
    to: Annotated[str, typer.Option(metavar="ROUTE", help="Route, or an address of the stack's domain, to send to.")],
    smtp: Smtp = "",
    stack: Stack = "",
    as_json: AsJson = False,
) -> None:
    """Send message files to a local account (`mailstep up`), as their senders' mail servers would."""
    port = smtp_port(smtp)
    home = find(stack)
    address = to if "@" in to else f"{to}@{home.parameters['Domain']}"
    for file in files:
        ses_message_id = send(read_message_file(file), address, port=port)
        route = address.partition("@")[0].partition("+")[0]
        email = stored_email(home.bucket, f"{keys.inbound(route)}{ses_message_id}")
        email_id = email.email_id if email else ses_message_id
        if as_json:
            print_json(as_json_of(outbox.Delivery(str(file), address, email_id)))
        else:
            out.print(email_views.sent_line(file, address, email_id), soft_wrap=True)


@app.command(name="outbox")
def show_outbox(
    message: Annotated[
        str | None, typer.Argument(help="SES's id of a sent message, or the email that it replies to: show it.")
    ] = None,
    directory: Annotated[
        Path | None, typer.Option("--outbox", envvar="MAILSTEP_OUTBOX", help="The outbox, as `mailstep up` prints it.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Messages to list, at most.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List what a local account sent, the newest first, or show one message."""
    if directory is None:
        raise UserError("name the outbox with --outbox, or the variable MAILSTEP_OUTBOX: `mailstep up` prints both")
    found = list(outbox.sent(directory))
    if message:
        found = [one for one in found if _is_meant(one, message)]
        if not found:
            raise UserError(f"no message in {directory} has the id {message!r}, or replies to an email of that id")
    if as_json:
        print_json([as_json_of(one.entry) for one in found[:limit]], indent=2)
    elif message:
        for one in found:
            out.print(display.reply_view(one.message))
    else:
        out.print(email_views.outbox_view(found[:limit]))


def _is_meant(one: outbox.Sent, name: str) -> bool:
    email_id = one.email_id or ""
    return name == one.ses_message_id or email_id.startswith(name) or reference.short(email_id) == reference.read(name)
