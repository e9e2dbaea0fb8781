"""Commands about what is stored of a person: `erase` and `export`."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from mailstep_cli import access_request, listings, outputs
from mailstep_cli.commands.shared import INTERRUPTED, AsJson, Stack, Yes, confirm, err, out, progress
from mailstep_cli.erasure import Erasure
from mailstep_cli.errors import UserError
from mailstep_cli.home_stack import find
from mailstep_cli.outputs import print_output
from mailstep_cli.terminal import Text, counted

app = typer.Typer()


@app.command()
def erase(
    whose: Annotated[str, typer.Argument(metavar="ADDRESS|ID", help="An address, or one email's id or reference.")],
    stack: Stack = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be erased, and erase nothing.")] = False,
    keep_suppression: Annotated[
        bool, typer.Option("--keep-suppression", help="Keep the record that the address gets no mail, a hash.")
    ] = False,
    report: Annotated[Path | None, typer.Option(help="Also write the report to this new file, as JSON.")] = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> int:
    """Erase everything that is stored of a person, or of one email: all versions, and all records.

    It reads the header of every stored message, because only they know all. The report has no address, so that it can
    be kept. Exits with 1 if a message was not erased because it is being processed.
    """
    _must_be_new(report)
    erasure = Erasure(find(stack), dry_run=dry_run)
    if "@" in whose:
        with progress("Reading headers") as tell:
            erasure.find_person(whose, lambda read: tell(read, None), keep_suppression=keep_suppression)
    else:
        erasure.find_email(whose)
    if not dry_run:
        confirm(f"Erase {counted(erasure.count, 'message')} for good?", yes=yes)
    with progress("Erasing") as tell:
        found = erasure.erase(lambda done: tell(done, erasure.count))
    if report:
        report.write_text(json.dumps(outputs.as_json(found), indent=2) + "\n")
    if as_json:
        print_output(found)
    else:
        out.print(listings.erasure_view(found), soft_wrap=True)
    if found.interrupted:
        return INTERRUPTED
    return 1 if found.running else 0


@app.command()
def export(
    address: Annotated[str, typer.Argument(help="The address of a person.")],
    stack: Stack = "",
    output: Annotated[
        Path | None, typer.Option(help="New file. Default: mailstep-export-<time>.zip in this directory.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write everything that is stored of a person into a ZIP file, for a request for access.

    It reads the header of every stored message. Only you can read the file.
    """
    if "@" not in address:
        raise UserError(f"{address!r} is not an address")
    file = output or Path(f"mailstep-export-{datetime.now(UTC):%Y%m%d-%H%M%S}.zip")
    home = find(stack)
    with progress("Reading headers") as tell:
        written = access_request.write(home, address, file, progress=lambda read: tell(read, None))
    if as_json:
        print_output(written)
        return
    written_out = f"{counted(written.messages, 'message')}, {counted(written.objects, 'file')}"
    out.print(Text(f"{file}: {written_out}."), soft_wrap=True)
    if written.expired:
        err.print(f"Only what the index has is left of {counted(written.expired, 'message')}: the mail has expired.")
    if written.mentioned:
        err.print(
            f"Not in the file: {counted(written.mentioned, 'message')} of other senders that only name the address."
        )


def _must_be_new(file: Path | None) -> None:
    if file and file.exists():
        raise UserError(f"{file} exists: name a new file with --report")
