"""Serves the page on loopback, from the main thread (`mailstep web`) or beside other work (`mailstep up`)."""

import socket
import threading
from dataclasses import dataclass

import uvicorn

from mailstep_cli.errors import UserError
from mailstep_cli.home_stack import HomeStack
from mailstep_cli.web.guard import Secrets
from mailstep_cli.web.sending import LocalMail
from mailstep_cli.web.views import Web


@dataclass(frozen=True)
class Server:
    """A page that is bound to its port. `url` has the token of this run."""

    url: str
    _server: uvicorn.Server
    _socket: socket.socket

    def run(self) -> None:
        """Answer requests until Ctrl-C."""
        self._server.run(sockets=[self._socket])

    def run_beside(self) -> None:
        """Answer requests in a thread, which ends with the process."""
        threading.Thread(target=self.run, daemon=True).start()


def bind(home: HomeStack, port: int | None = None, local: LocalMail | None = None) -> Server:
    """Take a port of loopback, by default any free one, for the page of a stack.

    Raises:
        UserError: the port is in use.
    """
    taken = socket.socket()
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind(("127.0.0.1", port or 0))
        # A browser that opens the address at once waits, and is not refused.
        taken.listen()
    except OSError as error:
        taken.close()
        raise UserError(f"port {port} cannot be used ({error.strerror}): give another one") from error
    number: int = taken.getsockname()[1]
    own = Secrets()
    app = Web(home, own, local).app(number)
    config = uvicorn.Config(app, access_log=False, log_level="warning", server_header=False, lifespan="off")
    return Server(f"http://127.0.0.1:{number}/?token={own.token}", uvicorn.Server(config), taken)
