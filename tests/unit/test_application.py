"""Asking the application: every kind of answer becomes the error, or the answer, that the workflow acts on."""

import base64
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from standardwebhooks import Webhook

from mailstep import routes
from mailstep.contracts import Answer, ApplicationRequest, Message, ReplyPlan
from mailstep.errors import (
    ApplicationBusy,
    ApplicationDenied,
    ApplicationRefused,
    ConfigurationError,
    MalformedAnswer,
    TransientError,
)
from mailstep.parse import handler as parse_handler
from mailstep.process import application
from mailstep.process import handler as process_handler
from mailstep.process.application import ANSWER_BOUND, ask
from mailstep.process.signing import forget_secrets
from mailstep.route import Route
from tests.support.events import CONTEXT, event
from tests.support.project import FUNCTIONS, PROJECT
from tests.support.servers import http_response, octet_server

MESSAGE = Message(email_id="m", route="r", size_octets=1)
REQUEST = ApplicationRequest(message=MESSAGE, attachment_urls={}, reply=ReplyPlan(will_be_sent=True))
Serve = Callable[..., str]
ANSWERED = b'{"text": "Done."}'
HOUR = 3600
"""docs/applications.md, "The answer": how long a Retry-After is honoured."""


@pytest.fixture(autouse=True)
def _timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPLICATION_TIMEOUT_SECONDS", "5")


@pytest.mark.parametrize("withheld", [None, "automatic_mail"])
def test_the_application_is_told_whether_its_answer_will_be_sent(
    account: None, serve: Serve, received: list[bytes], monkeypatch: pytest.MonkeyPatch, withheld: str | None
) -> None:
    parse_handler.handler(event("parse"), CONTEXT)
    url = serve(200, ANSWERED)
    monkeypatch.setattr("mailstep.process.dispatch.routes", lambda: {"orders": Route(url=url)})
    request = event("process")
    request["claim"]["withheld"] = withheld
    assert process_handler.handler(request, CONTEXT)["answer_key"], "the answer is kept, whether it is sent or not"
    assert json.loads(received[0])["reply"] == {"will_be_sent": withheld is None, "withheld": withheld}


def asked(url: str) -> Answer | None:
    return ask(Route(url=url) if url else Route.model_construct(url=""), REQUEST, "key")


@pytest.fixture
def received() -> list[bytes]:
    """The body of each request to a server of `serve`."""
    return []


@pytest.fixture
def serve(received: list[bytes]) -> Iterator[Serve]:
    """A real server that gives one answer to everything."""
    servers = []

    def start(status: int, body: bytes, fields: dict[str, str] | None = None) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                received.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(status)
                for name, value in {"Location": "/elsewhere", **(fields or {})}.items():
                    self.send_header(name, value)
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


def test_an_answer_comes_back(serve: Serve) -> None:
    assert asked(serve(200, ANSWERED)) == Answer(text="Done.")


def test_no_content_means_no_reply(serve: Serve) -> None:
    assert asked(serve(204, b"")) is None


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        ("7", 7),
        ("86400", HOUR),
        pytest.param(format_datetime(datetime.now(UTC) + timedelta(hours=9)), HOUR, id="in nine hours"),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_an_application_that_says_when_is_busy_until_then(
    serve: Serve, status: int, retry_after: str, seconds: int
) -> None:
    with pytest.raises(ApplicationBusy, match=f'{{"retry_after_seconds": {seconds}}}'):
        asked(serve(status, b"", {"Retry-After": retry_after}))


def test_a_time_to_try_again_is_counted_from_now(serve: Serve) -> None:
    """RFC 9110 section 10.2.3: Retry-After may be a date."""
    at = format_datetime(datetime.now(UTC) + timedelta(minutes=20), usegmt=False)
    with pytest.raises(ApplicationBusy) as caught:
        asked(serve(503, b"", {"Retry-After": at}))
    assert 600 < json.loads(str(caught.value))["retry_after_seconds"] <= 1_200


PAST = format_datetime(datetime.now(UTC) - timedelta(hours=1))


@pytest.mark.parametrize(
    "nonsense", ["", "0", "-5", "soon", "Mon, 99 Foo", "\u0661", pytest.param(PAST, id="an hour ago")]
)
def test_a_retry_after_that_says_nothing_is_left_to_the_declared_retries(serve: Serve, nonsense: str) -> None:
    with pytest.raises(TransientError):
        asked(serve(503, b"", {"Retry-After": nonsense.encode().decode("latin-1")}))


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503, 599])
def test_a_status_that_may_pass_is_a_transient_error(serve: Serve, status: int) -> None:
    with pytest.raises(TransientError, match=str(status)):
        asked(serve(status, b""))


def test_no_answer_is_transient() -> None:
    # Bound, so that no other program listens there.
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        with pytest.raises(TransientError, match="did not answer"):
            asked(f"http://127.0.0.1:{silent.getsockname()[1]}/")


def test_what_is_wrong_with_a_certificate_is_said(serve: Serve) -> None:
    with pytest.raises(TransientError, match=r"SSLError: .*(record|version|wrong)"):
        asked(serve(200, b"").replace("http:", "https:"))


def test_a_refusal_carries_its_reason_as_one_bounded_line(serve: Serve) -> None:
    with pytest.raises(ApplicationRefused) as caught:
        asked(serve(422, json.dumps({"reason": "No\r\nsuch order. " + "x" * 1000}).encode()))
    assert caught.value.explanation.startswith("No such order.")
    assert len(caught.value.explanation) == 500


@pytest.mark.parametrize("status", [400, 404, 422, 499])
def test_a_reason_in_any_other_4xx_is_a_refusal(serve: Serve, status: int) -> None:
    with pytest.raises(ApplicationRefused) as caught:
        asked(serve(status, b'{"reason": "No such order."}'))
    assert caught.value.explanation == "No such order."


@pytest.mark.parametrize(("status", "is_read"), [(200, True), (201, True), (299, True), (300, False), (399, False)])
def test_an_answer_has_a_2xx(serve: Serve, status: int, is_read: bool) -> None:
    with nullcontext() if is_read else pytest.raises(MalformedAnswer, match=str(status)):
        assert asked(serve(status, ANSWERED)) == Answer(text="Done.")


@pytest.mark.parametrize("more", [0, 1])
def test_an_answer_of_the_largest_size_is_read_and_a_larger_one_is_not(serve: Serve, more: int) -> None:
    """docs/applications.md, "The answer": 10 MB, as API Gateway's own limit (its quotas, "Payload size")."""
    body = ANSWERED + b" " * (10 * 1024 * 1024 - len(ANSWERED) + more)
    with pytest.raises(MalformedAnswer, match="larger than") if more else nullcontext():
        assert asked(serve(200, body)) == Answer(text="Done.")


@pytest.mark.parametrize(
    "body", [b"<html>", b'{"message": "Not Found"}', b'{"reason": null}', b'{"reason": ""}', b"[]"]
)
def test_only_the_application_refuses_and_not_a_proxy_in_front_of_it(serve: Serve, body: bytes) -> None:
    with pytest.raises(MalformedAnswer, match="404"):
        asked(serve(404, body))


@pytest.mark.parametrize("status", [401, 403])
def test_who_does_not_take_our_proof_is_asked_again_with_the_secret_read_anew(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    forgotten: list[bool] = []
    monkeypatch.setattr(application, "forget_secrets", lambda: forgotten.append(True))
    with pytest.raises(ApplicationDenied):
        asked(serve(status, b'{"message": "Forbidden"}'))
    assert forgotten
    with pytest.raises(ApplicationRefused):
        asked(serve(status, b'{"reason": "Only members may write here."}'))


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (302, b""),
        (200, b"<html>"),
        (200, b'{"text": 1}'),
        (200, b'{"text": "x", "attachments": 1}'),
        (200, b" " * (ANSWER_BOUND + 1)),
    ],
)
def test_an_invalid_answer_is_not_repeated_in_the_error(serve: Serve, status: int, body: bytes) -> None:
    with pytest.raises(MalformedAnswer):
        asked(serve(status, body))


def test_an_answer_without_end_is_read_up_to_the_limit() -> None:
    """docs/applications.md: an answer over 10 MB is invalid. The server counts what it could send."""
    octets, sent, done = b" " * 65_536, [0], threading.Event()

    class Endless(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(10**12))
            self.end_headers()
            with suppress(OSError):
                while sent[0] < 10 * ANSWER_BOUND:
                    self.wfile.write(octets)
                    sent[0] += len(octets)
            done.set()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Endless) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(MalformedAnswer, match="larger than"):
            asked(f"http://127.0.0.1:{server.server_address[1]}/")
        assert done.wait(60), "the connection is not closed"
        server.shutdown()
    assert 10_000_000 < sent[0] < 5 * ANSWER_BOUND, "what the buffers of two sockets hold may come on top"


@pytest.mark.usefixtures("account")
def test_a_link_to_an_attachment_is_valid_for_as_long_as_the_docs_say_and_the_function_runs(
    serve: Serve, received: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "routes.toml"
    file.write_text(f'[routes.orders]\nurl = "{serve(200, ANSWERED)}"\n')
    monkeypatch.setattr(routes, "ROUTES_FILE", file)
    parse_handler.handler(event("parse"), CONTEXT)
    process_handler.handler(event("process"), CONTEXT)
    [link] = json.loads(received[0])["attachment_urls"].values()
    [seconds] = parse_qs(urlsplit(link).query)["X-Amz-Expires"]
    for page in ("applications.md", "security.md"):
        assert set(re.findall(r"valid for (\d+) seconds", (PROJECT / "docs" / page).read_text())) == {seconds}
    assert int(seconds) >= FUNCTIONS["ProcessFunction"]["Timeout"]


@pytest.mark.usefixtures("account")
def test_the_signature_covers_the_body_that_arrives() -> None:
    """docs/applications.md, "Standard Webhooks"; checked by their library."""
    key = f"whsec_{base64.b64encode(b'k' * 32).decode()}"
    arn = boto3.client("secretsmanager").create_secret(Name="app", SecretString=key)["ARN"]
    forget_secrets()
    with octet_server(lambda: [http_response(ANSWERED)]) as (url, said):
        ask(Route(url=url, auth="standard_webhooks", secret=arn), REQUEST, "key")
    forget_secrets()
    [header], [body] = said.requests, said.bodies
    fields = {name: said_of(header, name) for name in ("webhook-id", "webhook-timestamp", "webhook-signature")}
    assert json.loads(body)["message"]["email_id"] == "m"
    Webhook(key).verify(body, fields)


def said_of(header: bytes, name: str) -> str:
    """The value of a field, as it was written."""
    found = re.search(rf"(?im)^{name}: (.*)\r$", header.decode())
    assert found
    return found[1]


def test_an_invalid_url_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError):
        asked("")
