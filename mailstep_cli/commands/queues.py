"""The command `queues`: what waits in the stack's queues, and how what was set aside is taken up again."""

from typing import Annotated

import typer

from mailstep_cli import listings
from mailstep_cli.commands.shared import AsJson, Stack, Yes, confirm, out, progress
from mailstep_cli.home_stack import find
from mailstep_cli.outputs import print_output
from mailstep_cli.queues import Queues, TakenUp
from mailstep_cli.terminal import counted

app = typer.Typer()


@app.command(name="queues")
def show_queues(
    stack: Stack = "",
    redrive: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Take up again what is in a dead-letter queue: inbound, subscription, …"),
    ] = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Show every queue and dead-letter queue: how many messages wait, how old the oldest is, what was set aside.

    --redrive moves the records of a dead-letter queue back, or calls the function that failed on them. After Ctrl-C,
    repeat the command: a record that is taken up twice does no harm.
    """
    queues = Queues(find(stack))
    if redrive is None:
        found = queues.all()
        if as_json:
            print_output(found)
        else:
            out.print(listings.queues_view(found))
        return
    logical, url = queues.dead_letters(redrive)
    waiting = queues.count(url)
    confirm(f"Take up {counted(waiting, 'record')} of {logical} again?", yes=yes)
    with progress("Taking up") as tell:
        taken = queues.take_up(logical, url, lambda done: tell(done, waiting))
    if as_json:
        print_output(TakenUp(logical.removesuffix("Queue"), taken))
    else:
        out.print(f"{counted(taken, 'record')} of {logical} taken up again.", soft_wrap=True)
