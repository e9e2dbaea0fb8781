"""The command that serves the page: `web`."""

from typing import Annotated

import typer

from mailstep_cli.commands.shared import Stack, out
from mailstep_cli.home_stack import find

app = typer.Typer()


@app.command()
def web(
    stack: Stack = "",
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, metavar="PORT", help="Port of the page. Default: any free port.")
    ] = None,
) -> None:
    """Serve a page on 127.0.0.1 that lists messages, shows what happened to each, and repeats it; until Ctrl-C.

    It asks AWS with the credentials of this shell. Open the address that it prints: it has the token of this run.
    """
    from mailstep_cli.web.server import bind  # noqa: PLC0415 - the other commands start without a server

    server = bind(find(stack), port)
    out.print(server.url, soft_wrap=True, highlight=False)
    server.run()
