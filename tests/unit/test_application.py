"""Asking the application: every kind of answer becomes the error, or the digest, that the workflow acts on."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mailstep.application import ANSWER_BOUND, MalformedAnswer, ask
from mailstep.contracts import ApplicationRequest, Message
from mailstep.errors import ApplicationRefused, ConfigurationError, TransientError

REQUEST = ApplicationRequest(message=Message(id="m", route="r", size_octets=1), attachment_urls={})
Serve = Callable[[int, bytes], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A real server that gives one answer to everything; the paths asked for are in `asked`."""
    servers = []

    def start(status: int, body: bytes) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(status)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}/"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_digest_comes_back(serve: Serve) -> None:
    assert ask(serve(200, b'{"text": "Done."}'), REQUEST, "key").text == "Done."


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
def test_what_may_pass_is_transient(serve: Serve, status: int) -> None:
    with pytest.raises(TransientError, match=str(status)):
        ask(serve(status, b""), REQUEST, "key")


def test_no_answer_is_transient(serve: Serve) -> None:
    with pytest.raises(TransientError, match="did not answer"):
        ask("http://127.0.0.1:1/", REQUEST, "key")


def test_a_refusal_carries_its_reason_as_one_bounded_line(serve: Serve) -> None:
    with pytest.raises(ApplicationRefused) as caught:
        ask(serve(422, json.dumps({"reason": "No\r\nsuch order. " + "x" * 1000}).encode()), REQUEST, "key")
    assert caught.value.explanation.startswith("No such order.")
    assert len(caught.value.explanation) == 500


def test_a_refusal_without_a_reason_has_one_all_the_same(serve: Serve) -> None:
    with pytest.raises(ApplicationRefused) as caught:
        ask(serve(404, b"<html>"), REQUEST, "key")
    assert caught.value.explanation == "It could not be accepted."


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (302, b""),
        (200, b"<html>"),
        (200, b'{"text": 1}'),
        (200, b'{"text": "x", "unknown": 1}'),
        (200, b" " * (ANSWER_BOUND + 1)),
    ],
)
def test_what_is_no_digest_is_a_defect_and_is_not_repeated_in_the_error(serve: Serve, status: int, body: bytes) -> None:
    with pytest.raises(MalformedAnswer):
        ask(serve(status, body), REQUEST, "key")


def test_a_url_that_is_none_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError):
        ask("http://", REQUEST, "key")
