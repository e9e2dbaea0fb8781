"""A server of octets: it says what a test wrote, in the test's own time."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

Say = Callable[[], Iterable[bytes]]


class Said:
    """The octets that the server has sent, the headers and bodies of the requests, and whether the client has gone."""

    def __init__(self) -> None:
        self.octets = 0
        self.requests: list[bytes] = []
        self.bodies: list[bytes] = []
        self.hung_up = threading.Event()


@contextmanager
def octet_server(say: Say, *, pause: float = 0, tls: ssl.SSLContext | None = None) -> Iterator[tuple[str, Said]]:
    """A URL of this machine that gives `say`'s pieces for each request, `pause` seconds apart, and then hangs up."""
    said = Said()

    def answer(accepted: socket.socket) -> None:
        with suppress(OSError), tls.wrap_socket(accepted, server_side=True) if tls else accepted as connection:
            header, body = _request(connection)
            said.requests.append(header)
            said.bodies.append(body)
            for piece in say():
                connection.sendall(piece)
                said.octets += len(piece)
                time.sleep(pause)
        said.hung_up.set()

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield f"{'https' if tls else 'http'}://127.0.0.1:{listener.getsockname()[1]}/", said
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def _request(connection: socket.socket) -> tuple[bytes, bytes]:
    """Read a request to its end; return its header and its body."""
    header, length = b"", 0
    with connection.makefile("rb") as request:
        while line := request.readline().rstrip(b"\r\n"):
            header += line + b"\r\n"
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return header, request.read(length)


def http_response(body: bytes, *fields: str, status: str = "200 OK") -> bytes:
    """A response with these fields and the length of the body."""
    head = [f"HTTP/1.1 {status}", *fields, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(head).encode() + body
