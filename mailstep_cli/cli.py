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
    web,
)
from mailstep_cli.commands.shared import out

_HELP = {"help_option_names": ["-h", "--help"]}
app = typer.Typer(
    context_settings=_HELP,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    epilog="Completion in your shell: mailstep --install-completion",
)
_SUBJECTS = {
    "On this machine": (local, mailing, files),
    "Find messages": (finding, messages, web),
    "Act on messages": (answers, queues, quarantine),
    "People": (suppressed, personal_data),
    "Deployment": (deployment,),
}
for _panel, _modules in _SUBJECTS.items():
    for _module in _modules:
        # Some modules are one command with commands of its own.
        for _shown in (_module.app.info, *_module.app.registered_commands):
            _shown.rich_help_panel = _panel
        app.add_typer(_module.app)


_VALUES = {"bool": "", "int": "NUMBER", "float": "NUMBER", "Path": "PATH"}
"""What the help calls a value of a type; any other is a text."""


def _name_values(of: Any) -> None:
    """Give the values of all options names for people: the library names the types of Python.

    An argument needs none beside its own name.
    """
    for value in (*of.params, of.get_help_option(of.context_class(of, **_HELP))):
        if value.param_type_name == "argument":
            value.display_type_rich = lambda ctx: None
        elif value.metavar is None:
            value.metavar = _VALUES.get(value.bare_type(), "TEXT")
    for inner in getattr(of, "commands", {}).values():
        _name_values(inner)


def command() -> Any:
    """The whole command. Only the epilog names the completion options."""
    whole = typer.main.get_command(app)
    _name_values(whole)
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
