"""Commands for addresses that get no mail after a bounce or complaint: `suppressed list` and `remove`."""

from typing import Annotated

import typer

from mailstep_cli import listings, suppressed
from mailstep_cli.commands.shared import AsJson, Stack, Yes, confirm, out
from mailstep_cli.errors import UserError
from mailstep_cli.home_stack import find
from mailstep_cli.outputs import print_output
from mailstep_cli.terminal import Text, visible

app = typer.Typer(name="suppressed", no_args_is_help=True, help="See or remove addresses that get no mail.")


@app.command(name="list")
def list_suppressed(
    address: Annotated[str | None, typer.Argument(help="Only this address, in any spelling.")] = None,
    stack: Stack = "",
    as_json: AsJson = False,
) -> None:
    """List the addresses that get no mail, by Mailstep's own record and by SES's list for the account.

    Mailstep keeps hashes only, so an address that SES's list does not have is shown by its hash.
    """
    home = find(stack)
    if address is None:
        found = suppressed.all_of(home)
    else:
        one = suppressed.find(home, address)
        found = [one] if one else []
    if as_json:
        print_output(found)
    else:
        out.print(listings.suppressed_view(found), soft_wrap=True)


@app.command(name="remove")
def remove_suppressed(
    address: Annotated[str, typer.Argument(help="The address, in any spelling.")],
    stack: Stack = "",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Let an address get mail again: take it off Mailstep's record and off SES's list for the account.

    SES's own global list is not reached: SES takes addresses off it by itself.
    """
    home = find(stack)
    if suppressed.find(home, address) is None:
        raise UserError(f"{address} is suppressed neither by Mailstep nor by SES")
    confirm(f"Let {visible(address)} get mail again?", yes=yes)
    removed = suppressed.remove(home, address)
    if as_json:
        print_output(suppressed.Removed(address, removed))
    else:
        out.print(Text(f"{address} was removed from the list of {' and of '.join(removed)}."), soft_wrap=True)
