"""The whole command: the commands of every subject, in the order of the help."""

import importlib.metadata
from typing import Annotated, Any

import typer

from mailstep_cli.commands import (
    answers,
    deployment,
    files,
    finding,
    local,
    mailing,
    messages,
    personal_data,
    quarantine,
    queues,
    suppressed,
)
from mailstep_cli.commands.shared import out

app = typer.Typer(
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    epilog="Completion in your shell: mailstep --install-completion",
)
for _commands in (
    local,
    mailing,
    finding,
    messages,
    answers,
    queues,
    quarantine,
    suppressed,
    personal_data,
    files,
    deployment,
):
    app.add_typer(_commands.app)


def command() -> Any:
    """The whole command. Only the epilog names the completion options."""
    whole = typer.main.get_command(app)
    for option in whole.params:
        option.hidden = option.name in {"install_completion", "show_completion"}  # type: ignore[attr-defined]
    return whole


def _show_version(wanted: bool) -> None:
    if wanted:
        out.print(f"mailstep {importlib.metadata.version('mailstep')}", highlight=False)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Try Mailstep on this machine, check a deployment, and see what happened to every message."""
