"""The command that serves the page: `web`."""

from typing import Annotated

import typer

from mailstep_cli import checkout
from mailstep_cli.commands.shared import Smtp, Stack, out, smtp_port
from mailstep_cli.home_stack import find

app = typer.Typer()


@app.command()
def web(
    stack: Stack = "",
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, metavar="PORT", help="Port of the page. Default: any free port.")
    ] = None,
    smtp: Smtp = "",
) -> None:
    """Serve a page on 127.0.0.1 that lists messages, shows what happened to each, and repeats it; until Ctrl-C.

    It asks AWS with the credentials of this shell. Open the address that it prints: it has the token of this run. With
    the SMTP of a local account, messages can be written on the page.
    """
    from mailstep_cli.web.sending import LocalMail  # noqa: PLC0415 - the other commands start without a server
    from mailstep_cli.web.server import bind  # noqa: PLC0415

    home, local = find(stack), None
    if smtp:
        routes = checkout.routes_toml().tables()
        local = LocalMail(smtp_port(smtp), tuple(f"{route}@{home.parameters['Domain']}" for route in routes))
    server = bind(home, port, local)
    out.print(server.url, soft_wrap=True, highlight=False)
    server.run()
