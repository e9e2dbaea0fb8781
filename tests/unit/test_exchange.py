"""What an application's server may do with its octets: each ends as docs/applications.md, "The answer", says."""

import gzip
import json
from collections.abc import Callable, Iterable, Iterator
from itertools import repeat

import pytest

from mailstep.contracts import Answer, ApplicationRequest, Message, ReplyPlan
from mailstep.errors import MalformedAnswer, TransientError
from mailstep.process.application import ANSWER_BOUND, ask
from mailstep.routes import Route
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


def test_no_answer_is_asked_for_in_a_coding() -> None:
    """RFC 9110 section 12.5.3: `identity` alone."""
    with octet_server(lambda: [http_response(b"", status="204 No Content")]) as (url, said):
        ask(Route(url=url), REQUEST, "key")
    [request] = said.requests
    fields = [line.lower() for line in request.split(b"\r\n")]
    assert [line for line in fields if line.startswith(b"accept-encoding")] == [b"accept-encoding: identity"]


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


def test_a_refusal_of_many_megabytes_is_read_to_the_limit_only() -> None:
    body = json.dumps({"reason": "No.", "trace": "x" * 2 * ANSWER_BOUND}).encode()
    with pytest.raises(MalformedAnswer):
        asked(http_response(body, status="422 Refused"))
