"""Commands for messages that could not be read: `quarantine list`, `show`, `release` and `delete`."""

from pathlib import Path
from typing import Annotated

import typer

from mailstep_cli import batches, listings
from mailstep_cli.commands.shared import AsJson, Rate, Since, Stack, Yes, confirm, ended, out, progress
from mailstep_cli.errors import UserError
from mailstep_cli.home_stack import find
from mailstep_cli.outputs import print_output
from mailstep_cli.quarantine import Quarantine, Quarantined, ShownQuarantined
from mailstep_cli.terminal import counted, visible
from mailstep_cli.times import moment_given

app = typer.Typer(
    name="quarantine", no_args_is_help=True, help="See, release or delete messages that could not be read."
)

Emails = Annotated[
    list[str] | None, typer.Argument(help="Short references or ids of emails, or the first characters of ids.")
]
All = Annotated[bool, typer.Option("--all", help="Every message in quarantine.")]
Reason = Annotated[str | None, typer.Option(help="Only those whose reason has these words.")]
_SHOWN_OCTETS = 4000


@app.command(name="list")
def list_quarantined(stack: Stack = "", reason: Reason = None, since: Since = None, as_json: AsJson = False) -> None:
    """List the messages in quarantine: since when, how large, and why they could not be read."""
    home = find(stack)
    start = moment_given(since, now=home.asked)
    found = [one for one in Quarantine(home).all() if _is_meant(one, reason) and (not start or one.since >= start)]
    if as_json:
        print_output(found)
    else:
        out.print(listings.quarantine_view(found), soft_wrap=True)


@app.command(name="show")
def show_quarantined(
    email: Annotated[str, typer.Argument(help="Short reference or id of an email, or the first characters of the id.")],
    stack: Stack = "",
    raw: Annotated[Path | None, typer.Option(help="Also write the message to this new file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show why a message could not be read, and how it begins. Control characters are shown as escapes."""
    quarantine = Quarantine(find(stack))
    one = quarantine.find(email)
    content = quarantine.raw(one)
    if raw:
        try:
            with raw.open("xb") as file:
                file.write(content)
        except OSError as error:
            raise UserError(f"{raw}: {error.strerror}") from error
    begins = visible(content[:_SHOWN_OCTETS].decode("utf-8", "backslashreplace"))
    if as_json:
        print_output(ShownQuarantined(one, begins))
    else:
        out.print(listings.quarantined_view(one, begins))


@app.command(name="release")
def release_quarantined(
    emails: Emails = None,
    stack: Stack = "",
    all_: All = False,
    reason: Reason = None,
    rate: Rate = 5,
    yes: Yes = False,
    as_json: AsJson = False,
) -> int:
    """Process messages in quarantine again, from the original objects, and take them out of quarantine.

    Do so after a fix. What cannot be read this time either is quarantined again. After Ctrl-C, repeat the command.
    """
    home = find(stack)
    quarantine = Quarantine(home)
    chosen = _chosen(quarantine, emails, reason, all_=all_)
    confirm(f"Process {counted(len(chosen), 'message')} again?", yes=yes)
    code = _act(chosen, lambda one: quarantine.release(one, began=home.asked).done, "Releasing", rate, as_json=as_json)
    if chosen and not as_json:
        out.print("What cannot be read this time either comes back: mailstep quarantine list shows it", soft_wrap=True)
    return code


@app.command(name="delete")
def delete_quarantined(
    emails: Emails = None,
    stack: Stack = "",
    all_: All = False,
    reason: Reason = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> int:
    """Delete the copies in quarantine for good. The original messages stay: `mailstep erase` deletes everything."""
    quarantine = Quarantine(find(stack))
    chosen = _chosen(quarantine, emails, reason, all_=all_)
    confirm(f"Delete {counted(len(chosen), 'message')} from quarantine for good?", yes=yes)
    return _act(chosen, quarantine.delete, "Deleting", None, as_json=as_json)


def _chosen(quarantine: Quarantine, emails: list[str] | None, reason: str | None, *, all_: bool) -> list[Quarantined]:
    if bool(emails) == (all_ or bool(reason)):
        raise UserError("name emails, or choose with --all or --reason")
    if emails:
        return [quarantine.find(email) for email in emails]
    return [one for one in quarantine.all() if _is_meant(one, reason)]


def _is_meant(one: Quarantined, reason: str | None) -> bool:
    return not reason or reason.lower() in one.reason.lower()


def _act(
    chosen: list[Quarantined],
    act: "batches.Act[Quarantined]",
    what: str,
    rate: float | None,
    *,
    as_json: bool,
) -> int:
    with progress(what) as tell:
        tally = batches.each(
            chosen,
            act,
            total=len(chosen),
            name=lambda one: one.email_id,
            rate=rate,
            progress=lambda so_far: tell(so_far.done, so_far.total),
        )
    if as_json:
        print_output(tally)
    else:
        out.print(listings.tally_view(tally), soft_wrap=True)
    return ended(tally)
