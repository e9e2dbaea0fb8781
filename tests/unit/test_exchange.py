"""What an application's server may do with its octets: each ends as docs/applications.md, "The answer", says.

Over 300 lines, because each fault of a server has its own few lines.
"""

import gzip
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from ipaddress import IPv4Address
from itertools import repeat
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from urllib3.exceptions import SSLError

from mailstep.contracts import Answer, ApplicationRequest, Message, ReplyPlan
from mailstep.errors import MalformedAnswer, TransientError
from mailstep.process import exchange
from mailstep.process.application import ANSWER_BOUND, ask
from mailstep.route import Route
from tests.support.servers import Said, http_response, octet_server

REQUEST = ApplicationRequest(
    message=Message(email_id="m", route="r", size_octets=1), attachment_urls={}, reply=ReplyPlan(will_be_sent=True)
)
Speak = Callable[..., tuple[str, Said]]


@pytest.fixture(autouse=True)
def _timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPLICATION_TIMEOUT_SECONDS", "1")


def asked(octets: bytes | Iterable[bytes]) -> Answer | None:
    with octet_server(lambda: [octets] if isinstance(octets, bytes) else octets) as (url, _):
        return ask(Route(url=url), REQUEST, "key")


def drops(head: bytes) -> Iterator[bytes]:
    """A beginning, and then spaces for half a minute."""
    yield head
    yield from repeat(b" ", 600)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Slow:",
        b"HTTP/1.1 200",
        b"HTTP/1.1 422 Refused\r\nContent-Length: 1000000\r\n\r\n",
    ],
    ids=["body", "body without length", "field", "status line", "refusal"],
)
def test_a_server_that_drips_is_an_outage_when_the_time_is_over(head: bytes) -> None:
    """One octet in a twentieth of a second restarts the limit of a socket: 1,000,000 of them would take half a day."""
    with octet_server(lambda: drops(head), pause=0.05) as (url, said):
        with pytest.raises(TransientError, match="did not answer within 1 seconds"):
            ask(Route(url=url), REQUEST, "key")
        assert said.hung_up.wait(60), "the connection is not closed"
    # In one second there are some twenty; a machine with much else to do may send fewer.
    assert said.octets < len(head) + 400


def test_a_server_that_says_nothing_is_an_outage() -> None:
    with octet_server(lambda: repeat(b"", 600), pause=0.05) as (url, _), pytest.raises(TransientError):
        ask(Route(url=url), REQUEST, "key")


@pytest.mark.parametrize(
    "octets",
    [
        b'HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{"text": "Done."}',
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n11\r\n{"text": "Done."}\r\n',
        b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Ty",
        b"HTTP/1.1 422 Refused\r\nContent-Type: text/plain\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Ty",
        b"",
        b"SSH-2.0-OpenSSH_9.9\r\n",
    ],
    ids=[
        "longer length",
        "no last chunk",
        "no body",
        "status line",
        "field",
        "within a field",
        "refusal",
        "continued",
        "nothing",
        "another protocol",
    ],
)
def test_an_answer_that_is_cut_off_is_an_outage_even_if_it_could_be_read(octets: bytes) -> None:
    with pytest.raises(TransientError):
        asked(octets)


def test_octets_that_are_no_http_are_not_repeated_in_the_error() -> None:
    """The history shows the text of an error: it has nothing of the octets, which may be anyone's."""
    with pytest.raises(TransientError) as caught:
        asked(b"Dear ann@shop.example, your order\r\n")
    assert "ann" not in str(caught.value)


def test_a_line_without_end_is_read_within_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 9112 section 3: a line may be limited. It is refused long before the time is over."""
    monkeypatch.setenv("APPLICATION_TIMEOUT_SECONDS", "30")
    endless = (b"HTTP/1.1 200 OK\r\nX-Long: ", *repeat(b"x" * 1_000, 30_000))
    with (
        octet_server(lambda: endless, pause=0.002) as (url, said),
        pytest.raises(TransientError, match="did not answer: ProtocolError"),
    ):
        ask(Route(url=url), REQUEST, "key")
    assert said.octets < 3_000_000


def test_in_a_thread_without_an_alarm_silence_is_an_outage_too() -> None:
    """Only the main thread has an alarm (setitimer(2)); elsewhere the socket's own limit ends the silence."""
    with octet_server(lambda: repeat(b"", 600), pause=0.05) as (url, _), ThreadPoolExecutor(1) as pool:
        outcome = pool.submit(ask, Route(url=url), REQUEST, "key").exception()
    assert str(outcome) == "the application did not answer: ReadTimeoutError"


def test_a_host_that_takes_no_connection_is_given_up_before_the_time_for_the_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(exchange, "_CONNECT_SECONDS", 0.1)
    monkeypatch.setenv("APPLICATION_TIMEOUT_SECONDS", "30")
    with ExitStack() as open_, socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        # A connection more than its queue holds is left without an answer (listen(2)).
        for _ in range(4):
            waiting = open_.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        with pytest.raises(TransientError, match="did not answer: ConnectTimeoutError"):
            ask(Route(url=f"http://127.0.0.1:{full.getsockname()[1]}/"), REQUEST, "key")


@contextmanager
def hanging_up() -> Iterator[tuple[int, list[object]]]:
    """The port of a server that ends each connection at once, and the connections that it had."""
    had: list[object] = []

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, peer = listener.accept()
                had.append(peer)
                connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1], had
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_request_is_tried_once_and_its_repetition_is_left_to_the_workflow(scheme: str) -> None:
    with hanging_up() as (port, had):
        with pytest.raises(TransientError):
            ask(Route.model_construct(url=f"{scheme}://127.0.0.1:{port}/"), REQUEST, "key")
        assert len(had) == 1


# Members of gzip one after the other are one file (RFC 1952 section 2.2).
BOMB = gzip.compress(b" " * 5_000_000) * 100


def test_a_compressed_answer_is_refused_and_never_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    """500 MB of spaces have half a megabyte in gzip; the limit is on what was sent."""
    assert len(BOMB) < ANSWER_BOUND
    unpacked: list[object] = []
    monkeypatch.setattr("urllib3.response.GzipDecoder.decompress", lambda *given: unpacked.extend(given))
    with pytest.raises(MalformedAnswer, match="send it without Content-Encoding"):
        asked(http_response(BOMB, "Content-Encoding: gzip"))
    with pytest.raises(MalformedAnswer, match="send it without Content-Encoding"):
        asked(http_response(BOMB, "Content-Encoding: gzip", status="422 Refused"))
    assert unpacked == []
    # As octets that say nothing of their coding, it is no JSON.
    with pytest.raises(MalformedAnswer, match="not JSON"):
        asked(http_response(BOMB))


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """The context of a server for 127.0.0.1 whose certificate this machine trusts (OpenSSL, SSL_CERT_FILE)."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "application")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    stored = tmp_path / "server.pem"
    encoding = serialization.Encoding.PEM
    secret = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    stored.write_bytes(secret + certificate.public_bytes(encoding))
    monkeypatch.setenv("SSL_CERT_FILE", str(stored))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(stored)
    return context


def test_an_answer_comes_over_tls_and_one_that_is_cut_off_there_is_an_outage_too(tls: ssl.SSLContext) -> None:
    def secure(octets: bytes) -> Answer | None:
        with octet_server(lambda: [octets], tls=tls) as (url, _):
            return ask(Route(url=url), REQUEST, "key")

    assert secure(http_response(b'{"text": "Done."}')) == Answer(text="Done.")
    for octets in (b"HTTP/1.1 200 OK\r\nContent-Ty", b"HTTP/1.1 204 No Content\r\n"):
        with pytest.raises(TransientError):
            secure(octets)


def test_a_certificate_that_this_machine_does_not_trust_is_an_outage_that_says_so(
    tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with (
        octet_server(lambda: [http_response(b'{"text": "Done."}')], tls=tls) as (url, said),
        pytest.raises(TransientError, match=r"did not answer: SSLError: .*certificate verify failed"),
    ):
        ask(Route(url=url), REQUEST, "key")
    assert said.requests == []


def test_the_request_is_one_post_of_the_body_and_of_the_fields_that_the_docs_name() -> None:
    """docs/applications.md, "The request". RFC 9110 section 12.5.3: no coding but `identity` is asked for."""
    with octet_server(lambda: [http_response(b"", status="204 No Content")]) as (url, said):
        ask(Route(url=f"{url}mail?of=orders"), REQUEST, "key")
    [request] = said.requests
    line, *fields = request.decode().rstrip().split("\r\n")
    assert line == "POST /mail?of=orders HTTP/1.1"
    found = sorted(tuple(field.lower().split(": ")) for field in fields)
    [body] = said.bodies
    assert found == [
        ("accept", "application/json"),
        ("accept-encoding", "identity"),
        ("content-length", str(len(body))),
        ("content-type", "application/json"),
        ("host", urlsplit(url).netloc),
        ("idempotency-key", "key"),
        ("mailstep-email-id", "m"),
        ("user-agent", f"python-urllib3/{version('urllib3')}"),
        ("webhook-id", "key"),
    ]
    assert ApplicationRequest.model_validate_json(body) == REQUEST


def test_what_is_said_of_a_certificate_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error stands in the state of the execution, and the certificate is the other system's."""

    def failing(*_: object) -> None:
        raise SSLError("x" * 100_000)

    monkeypatch.setattr(exchange, "_exchange", failing)
    with pytest.raises(TransientError) as said:
        exchange.post("https://app.example/", b"", {}, seconds=5, at_most=1)
    assert 500 <= len(str(said.value)) < 600


@pytest.mark.parametrize("coding", ["identity", "Identity", ""])
def test_an_answer_in_the_coding_that_was_asked_for_is_read(coding: str) -> None:
    assert asked(http_response(b'{"text": "Done."}', f"Content-Encoding: {coding}")) == Answer(text="Done.")


@pytest.mark.parametrize("end", [b"\r\n\r\n", b"\n\n", b"\r\nX: y\r\n\r\n"])
def test_an_empty_body_after_a_whole_header_is_no_outage(end: bytes) -> None:
    """RFC 9112 sections 2.1 and 6.3: an empty line ends the header, and the end of the connection such a body."""
    assert asked(b"HTTP/1.1 204 No Content" + end) is None
    with pytest.raises(MalformedAnswer, match="is empty"):
        asked(b"HTTP/1.1 200 OK" + end)


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    """RFC 9112 section 6.3."""
    assert asked(b'HTTP/1.0 200 OK\r\n\r\n{"text": "Done."}') == Answer(text="Done.")


def test_octets_behind_an_answer_are_not_taken_for_the_next_one() -> None:
    stray = http_response(b'{"text": "Of another."}')
    with octet_server(lambda: [http_response(b'{"text": "Done."}') + stray]) as (url, _):
        for _ in range(3):
            assert ask(Route(url=url), REQUEST, "key") == Answer(text="Done.")


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_no_redirect_is_followed(status: str) -> None:
    with octet_server(lambda: [http_response(b'{"text": "Elsewhere."}')]) as (elsewhere, said):
        with pytest.raises(MalformedAnswer, match=status[:3]):
            asked(http_response(b"", f"Location: {elsewhere}", status=status))
        assert said.octets == 0


def test_a_page_of_html_is_no_answer_and_not_repeated_in_the_error() -> None:
    page = b"<!doctype html><title>Internal</title><p>SELECT * FROM customers"
    for status in ("200 OK", "404 Not Found"):
        with pytest.raises(MalformedAnswer) as caught:
            asked(http_response(page, "Content-Type: text/html", status=status))
        assert "customers" not in str(caught.value)


def test_a_large_answer_is_read_whole() -> None:
    body = bytes(range(256)) * 1_000
    with octet_server(lambda: [http_response(body)]) as (url, _):
        assert exchange.post(url, b"", {}, seconds=5, at_most=1_000_000).body == body


@pytest.mark.parametrize(("octets", "read"), [(9, 9), (10, 10), (11, 11), (12, 11), (200_000, 11)])
def test_an_answer_over_the_limit_is_read_to_one_octet_more(octets: int, read: int) -> None:
    with octet_server(lambda: [http_response(b"x" * octets)]) as (url, _):
        assert exchange.post(url, b"", {}, seconds=5, at_most=10).body == b"x" * read


def test_an_answer_of_the_largest_size_that_is_cut_off_there_is_an_outage() -> None:
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + b"x" * 10
    with octet_server(lambda: [cut]) as (url, _), pytest.raises(TransientError):
        exchange.post(url, b"", {}, seconds=5, at_most=10)


def test_a_refusal_of_many_megabytes_is_read_to_the_limit_only() -> None:
    body = json.dumps({"reason": "No.", "trace": "x" * 2 * ANSWER_BOUND}).encode()
    with pytest.raises(MalformedAnswer):
        asked(http_response(body, status="422 Refused"))
