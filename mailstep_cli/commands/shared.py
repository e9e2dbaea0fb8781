"""What the commands share: the two consoles, and the option that names the stack."""

from typing import Annotated

import typer

from mailstep_cli.samconfig import stack_name
from mailstep_cli.terminal import Console

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
