"""What the commands share: the two consoles, the options that many have, the question before something is done."""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated

import typer

from mailstep_cli.batches import Tally
from mailstep_cli.errors import UserError
from mailstep_cli.samconfig import stack_name
from mailstep_cli.terminal import Console
from mailstep_cli.times import moment

out = Console()
err = Console(stderr=True)

Stack = Annotated[
    str,
    typer.Option(
        envvar="MAILSTEP_STACK",
        callback=lambda named: named or stack_name(),
        show_default="the one in samconfig.toml",
        help="The home stack.",
    ),
]

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask first.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print only JSON (docs/schemas).")]
Rate = Annotated[float, typer.Option(min=0.01, max=1000, metavar="NUMBER", help="Messages a second, at most.")]


def a_time(text: str | None) -> str | None:
    """The text as it is.

    Raises:
        UserError: it is not a time. AWS's clock, which the time is counted from, is asked later.
    """
    if text is not None:
        moment(text, now=datetime.now(UTC))
    return text


Since = Annotated[
    str | None,
    typer.Option(metavar="TIME", callback=a_time, help="Only from this time on: 90m, 2h, 3d, 2026-11-26T12:00."),
]
Until = Annotated[str | None, typer.Option(metavar="TIME", callback=a_time, help="Only up to this time. Default: now.")]

Smtp = Annotated[
    str,
    typer.Option(envvar="MAILSTEP_SMTP", metavar="HOST:PORT", help="SMTP of the local account, as it prints it."),
]

INTERRUPTED = 130
"""The exit code after Ctrl-C (main.py)."""


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something is done, unless the user said `--yes`.

    Raises:
        UserError: nobody can answer, because the input is no terminal.
        typer.Abort: the user does not want it.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise UserError(f"{question} Nothing was done: repeat the command with --yes")
    typer.confirm(question, abort=True, err=True)


def smtp_port(smtp: str) -> int:
    """The port in HOST:PORT of a local account's SMTP.

    Raises:
        UserError: it is no port of loopback.
    """
    host, _, port = smtp.rpartition(":")
    if host not in {"127.0.0.1", "localhost"} or not port.isdigit():
        raise UserError("name the SMTP of a local account with --smtp 127.0.0.1:PORT, or the variable MAILSTEP_SMTP")
    return int(port)


@contextmanager
def progress(what: str) -> Generator[Callable[[int, int | None], None]]:
    """Show how far a command is, on a terminal: `what`, a number, and a total if it is known."""
    with err.status(f"{what} …") as status:

        def tell(done: int, total: int | None) -> None:
            status.update(f"{what}: {done:,}{'' if total is None else f' of {total:,}'} …")

        yield tell


def ended(tally: Tally) -> int:
    """The exit code of a batch: 0 if all went well, 1 if something failed, 130 after an interrupt."""
    if tally.interrupted:
        return INTERRUPTED
    return 1 if tally.failed else 0
