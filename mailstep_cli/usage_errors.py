"""Words for what is wrong with the options and arguments of a command, and where to read what it takes."""

from pydantic import ValidationError
from typer._click.exceptions import ClickException, UsageError

from mailstep.route_settings import remedy


def told(error: ClickException) -> str:
    """What is wrong, in one line that says what to do; empty if the help was printed instead."""
    if isinstance(error, UsageError) and isinstance(error.__cause__, ValidationError):
        fault = error.__cause__.errors()[0]
        error.message = f"{fault['input']!r} does not fit: {remedy(fault)}"
    said = error.format_message()
    context = getattr(error, "ctx", None)
    if said and context:
        return f"{said if said[-1] in '.?' else f'{said}.'} See: {context.command_path} -h"
    return said
