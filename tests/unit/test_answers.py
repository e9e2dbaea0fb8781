"""Answers as frameworks write them, over HTTP: what differs between them is read, and what matters is checked."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from flask import Flask, Response, jsonify
from werkzeug.serving import make_server

from mailstep.answers import read_answer
from mailstep.contracts import Answer, AnswerAttachment, ApplicationRequest, Message, ReplyPlan
from mailstep.errors import ApplicationBusy, ApplicationRefused, MalformedAnswer, TransientError
from mailstep.process.application import ask
from mailstep.routes import Route
from tests.support.servers import http_response, octet_server

REQUEST = ApplicationRequest(
    message=Message(email_id="m", route="r", size_octets=1), attachment_urls={}, reply=ReplyPlan(will_be_sent=True)
)
TABLE = AnswerAttachment(filename="a.csv", media_type="text/csv", content=b"a,b\n")
TEXT = "Thank you, J\N{LATIN SMALL LETTER U WITH DIAERESIS}rgen <3 \N{GRINNING FACE}."
WANTED = Answer(text=TEXT, attachments=(TABLE,))
REASON = "Please attach your order."


@pytest.fixture(autouse=True)
def _timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPLICATION_TIMEOUT_SECONDS", "20")


def asked(response: bytes) -> Answer | None:
    """What Mailstep makes of a whole response, from its status line on."""
    with octet_server(lambda: [response]) as (url, _):
        return ask(Route(url=url), REQUEST, "key")


def in_json(body: str, *fields: str) -> bytes:
    return http_response(body.encode(), *(fields or ("Content-Type: application/json",)))


# ---- Frameworks ----

# Express 5.1 on Node 20, as it wrote them for `response.json(...)`, `.status(422).json(...)` and `.sendStatus(204)`.
EXPRESS = "X-Powered-By: Express\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5"
EXPRESS_JSON = f"{EXPRESS}\r\nContent-Type: application/json; charset=utf-8"
FILE_OF_EXPRESS = (
    '{"filename":"a.csv","media_type":"text/csv; charset=utf-8","content_base64":"YSxiCg==","content_id":null}'
)
# encoding/json of Go: nil slices and pointers are null, <, > and & are escaped, a line end follows, and net/http
# guesses the type of the body, because it was not set.
FILE_OF_GO = '{"filename":"a.csv","media_type":"text/csv","content_base64":"YSxiCg==","content_id":null}'
GO_TEXT = TEXT.replace("<", "\\u003c")
GO = "Content-Type: text/plain; charset=utf-8"
# System.Text.Json of ASP.NET Core: names in camel case, all but US-ASCII escaped; Kestrel writes in chunks.
DOTNET_TEXT = json.dumps(TEXT).replace("<", "\\u003C").strip('"')
DOTNET_JSON = (
    f'{{"subject":null,"text":"{DOTNET_TEXT}","html":null,'
    '"attachments":[{"filename":"a.csv","mediaType":"Text/CSV","contentBase64":"YSxiCg==","contentId":null}]}'
)
# Newtonsoft.Json, or System.Text.Json with its own defaults: names as in C#. A StreamWriter puts a byte order mark
# first.
PASCAL_CASE = (
    f'\N{ZERO WIDTH NO-BREAK SPACE}{{"Subject":null,"Text":"{DOTNET_TEXT}","Html":null,'
    '"Attachments":[{"Filename":"a.csv","MediaType":"text/csv","ContentBase64":"YSxiCg==","ContentId":null}]}'
)


def in_chunks(body: str, status: str = "200 OK") -> bytes:
    octets = body.encode()
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json; charset=utf-8\r\nServer: Kestrel\r\n"
        f"Transfer-Encoding: chunked\r\n\r\n{len(octets):x}\r\n".encode()
        + octets
        + b"\r\n0\r\n\r\n"
    )


def lambda_proxy(status: object, body: object, **more: object) -> bytes:
    """What a function returns for a proxy integration, handed on as the body of a 200."""
    return in_json(json.dumps({"statusCode": status, "body": body, **more}))


FILES = f'"attachments":[{FILE_OF_EXPRESS}]'
ANSWERS: dict[str, bytes] = {
    "Express": in_json(f'{{"text":"{TEXT}","html":null,{FILES}}}', EXPRESS_JSON),
    "Go": in_json(f'{{"subject":null,"text":"{GO_TEXT}","html":null,"attachments":[{FILE_OF_GO}]}}\n', GO),
    "ASP.NET Core": in_chunks(DOTNET_JSON),
    "names of C#, with a byte order mark": in_chunks(PASCAL_CASE),
    "Lambda proxy": lambda_proxy(
        200, f'{{"text":"{TEXT}",{FILES}}}', headers={"Content-Type": "application/json"}, isBase64Encoded=False
    ),
    "Lambda proxy, in Base64": lambda_proxy(
        200, base64.b64encode(f'{{"text":"{TEXT}",{FILES}}}'.encode()).decode(), isBase64Encoded=True
    ),
    "Lambda proxy, the body not in JSON once more": lambda_proxy(
        "200", {"text": TEXT, "attachments": [json.loads(FILE_OF_GO)]}
    ),
}
REFUSALS: dict[str, bytes] = {
    "Express": http_response(f'{{"reason":"{REASON}"}}'.encode(), EXPRESS_JSON, status="422 Unprocessable Entity"),
    "Go": http_response(f'{{"reason":"{REASON}"}}\n'.encode(), GO, status="422 Unprocessable Entity"),
    "ASP.NET Core": in_chunks(f'{{"reason":"{REASON}"}}', "422 Unprocessable Entity"),
    "names of C#, with a byte order mark": in_chunks(
        f'\N{ZERO WIDTH NO-BREAK SPACE}{{"Reason":"{REASON}"}}', "422 Unprocessable Entity"
    ),
    "Lambda proxy": lambda_proxy(422, f'{{"reason":"{REASON}"}}'),
}
SILENCES: dict[str, bytes] = {
    "Express": http_response(b"", EXPRESS, status="204 No Content"),
    "ASP.NET Core": b"HTTP/1.1 204 No Content\r\nServer: Kestrel\r\n\r\n",
    "Lambda proxy": lambda_proxy(204, ""),
    "Lambda proxy without a body": in_json('{"statusCode": 204}'),
}


@pytest.mark.parametrize("framework", ANSWERS)
def test_the_answer_of_a_framework_is_read(framework: str) -> None:
    assert asked(ANSWERS[framework]) == WANTED


@pytest.mark.parametrize("framework", REFUSALS)
def test_the_refusal_of_a_framework_is_read(framework: str) -> None:
    with pytest.raises(ApplicationRefused) as caught:
        asked(REFUSALS[framework])
    assert caught.value.explanation == REASON


@pytest.mark.parametrize("framework", SILENCES)
def test_the_silence_of_a_framework_is_no_reply(framework: str) -> None:
    assert asked(SILENCES[framework]) is None


def fastapi_server() -> tuple[Callable[[], object], Callable[[], object], int]:
    app = FastAPI()

    @app.post("/mail")
    def answer() -> Answer:
        return WANTED

    @app.post("/refuse")
    def refuse() -> JSONResponse:
        return JSONResponse({"reason": REASON}, status_code=422)

    @app.post("/silence", status_code=204)
    def silence() -> None:
        pass

    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off")
    server, listener = uvicorn.Server(config), config.bind_socket()
    listener.listen()
    return lambda: server.run([listener]), lambda: setattr(server, "should_exit", True), listener.getsockname()[1]


def flask_server() -> tuple[Callable[[], object], Callable[[], object], int]:
    app = Flask("answers")

    @app.post("/mail")
    def answer() -> dict[str, Any]:
        return {"text": TEXT, "html": None, "attachments": [json.loads(FILE_OF_GO)]}

    @app.post("/refuse")
    def refuse() -> tuple[Response, int]:
        return jsonify(reason=REASON), 422

    @app.post("/silence")
    def silence() -> tuple[str, int]:
        return "", 204

    server = make_server("127.0.0.1", 0, app, threaded=True)
    return server.serve_forever, server.shutdown, server.server_port


@contextmanager
def running(make: Callable[[], tuple[Callable[[], object], Callable[[], object], int]]) -> Iterator[str]:
    run, stop, port = make()
    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        stop()
        thread.join()


@pytest.mark.parametrize("framework", [fastapi_server, flask_server])
def test_a_service_of_a_framework_answers_refuses_and_stays_silent(
    framework: Callable[[], tuple[Callable[[], object], Callable[[], object], int]],
) -> None:
    with running(framework) as url:
        assert ask(Route(url=f"{url}/mail"), REQUEST, "key") == WANTED
        assert ask(Route(url=f"{url}/silence"), REQUEST, "key") is None
        with pytest.raises(ApplicationRefused) as caught:
            ask(Route(url=f"{url}/refuse"), REQUEST, "key")
        # Their pages for what there is not are no refusal of the message.
        with pytest.raises(MalformedAnswer, match="404"):
            ask(Route(url=f"{url}/elsewhere"), REQUEST, "key")
    assert caught.value.explanation == REASON


# ---- What the response of a Lambda function means ----


def test_a_lambda_that_is_busy_or_fails_is_so_within_a_200_too() -> None:
    with pytest.raises(ApplicationBusy, match="30"):
        asked(lambda_proxy(503, "", headers={"retry-after": "30"}))
    with pytest.raises(TransientError, match="500"):
        asked(lambda_proxy(500, '{"message": "Internal"}'))


@pytest.mark.parametrize(
    ("response", "wrong"),
    [
        (lambda_proxy(200, "not%Base64", isBase64Encoded=True), "isBase64Encoded"),
        (lambda_proxy(200, '{"statusCode": 200, "body": "{}"}'), "text"),
        (lambda_proxy(200, ""), "204"),
        (lambda_proxy(302, ""), "302"),
        (lambda_proxy("200 OK", '{"text": "x"}'), "text"),
    ],
)
def test_a_response_of_a_lambda_that_says_nothing_useful_is_no_answer(response: bytes, wrong: str) -> None:
    with pytest.raises(MalformedAnswer, match=wrong):
        asked(response)


def test_an_answer_may_speak_of_a_status_code() -> None:
    assert asked(in_json('{"text": "The field \\"statusCode\\" is missing."}')) == Answer(
        text='The field "statusCode" is missing.'
    )


# ---- Lenient ----

FILE = {"filename": "a.csv", "media_type": "text/csv", "content_base64": "YSxiCg=="}


def read(*, file: dict[str, Any] | None = None, **fields: Any) -> Answer:
    whole = {"text": "x", **fields} | ({"attachments": [FILE | file]} if file is not None else {})
    return read_answer(json.dumps(whole).encode())


@pytest.mark.parametrize("media_type", ["Text/CSV", "text/csv; charset=utf-8", "TEXT/csv;header=present", " text/csv "])
def test_case_and_parameters_of_a_media_type_do_not_matter(media_type: str) -> None:
    """RFC 2045 section 5.1: matching is case-insensitive; parameters follow a semicolon."""
    assert read(file={"media_type": media_type}).attachments == (TABLE,)


@pytest.mark.parametrize("content", ["YSxi\r\nCg==", "YSxiCg==\n", "YSxiCg", " YSxiCg=="])
def test_base64_may_be_in_lines_and_without_padding(content: str) -> None:
    assert read(file={"content_base64": content}).attachments == (TABLE,)


@pytest.mark.parametrize("content", ["data:text/csv;base64,YSxiCg==", "_-_-", "Y", "not Base64!"])
def test_a_file_is_never_made_of_what_is_not_base64(content: str) -> None:
    """RFC 4648 section 3.3: characters outside the alphabet are rejected, not skipped."""
    with pytest.raises(MalformedAnswer, match=r"attachments\.0\.content_base64: not Base64"):
        read(file={"content_base64": content})


@pytest.mark.parametrize("name", ["subject", "html", "attachments"])
def test_null_stands_for_a_field_that_is_not_there(name: str) -> None:
    assert read(**{name: None}) == Answer(text="x")


def test_half_a_surrogate_pair_is_replaced() -> None:
    """JSON.stringify writes the first half of an emoji, where a text was cut, as an escape; UTF-8 cannot hold it."""
    assert read_answer(b'{"text": "Hi \\ud83d", "html": "\\ude00 \\ud83d\\ude00"}') == Answer(
        text="Hi \N{REPLACEMENT CHARACTER}", html="\N{REPLACEMENT CHARACTER} \N{GRINNING FACE}"
    )


def test_unknown_fields_are_logged_by_name_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    strange = "ann@shop.example wrote this"
    answer = read(traceId="secret-value", file={"size": 4}, **{strange: "secret-value"})
    assert answer == Answer(text="x", attachments=(TABLE,))
    [record] = caplog.records
    assert record.levelname == "WARNING"
    assert record.__dict__["fields"] == ["?", "size", "traceId"]
    assert "secret-value" not in repr(record.__dict__)


def test_ten_thousand_unknown_fields_make_a_short_line(caplog: pytest.LogCaptureFixture) -> None:
    read_answer(json.dumps({"text": "x"} | {f"f{number}": 1 for number in range(10_000)}).encode())
    assert len(caplog.records[0].__dict__["fields"]) == 10


def test_a_name_that_is_spelled_exactly_comes_before_another_spelling() -> None:
    assert read_answer(b'{"Text": "other", "text": "exact", "TEXT": "third"}').text == "exact"


# ---- Strict ----


@pytest.mark.parametrize(
    "octets",
    [b"", b" \r\n", b"null", b"\xef\xbb\xbf", b'{"text": ""}', b'{"text": " \\n\\t"}', b'{"text": "", "html": " "}'],
)
def test_an_answer_without_a_text_says_to_answer_204(octets: bytes) -> None:
    with pytest.raises(MalformedAnswer, match="204"):
        read_answer(octets)


def test_a_text_may_be_empty_beside_html() -> None:
    assert read_answer(b'{"text": "", "html": "<p>Done."}') == Answer(text="", html="<p>Done.")


@pytest.mark.parametrize(
    ("octets", "wrong"),
    [
        (b"OK", "not JSON"),
        (b"{'text': 'x'}", "not JSON"),
        (b'{"text": "x"', "not JSON"),
        (b'{"text": "x"}{"text": "y"}', "not JSON"),
        (b'{"text": "\xff\xfe"}', "not JSON"),
        (b'{"text": ' + b"[" * 200_000, "not JSON"),
        (b'{"text": ' + b"1" * 10_000 + b"}", "not JSON"),
        (b"[]", "not a JSON object"),
        (b'"Done."', "not a JSON object"),
        (b"true", "not a JSON object"),
        (b"{}", "text: Field required"),
        (b'{"text": null}', "text: Field required"),
        (b'{"html": "<p>Done."}', "text: Field required"),
        (b'{"text": 1}', "text: "),
        (b'{"text": "x", "attachments": {}}', "attachments: "),
        (b'{"text": "x", "attachments": [null]}', r"attachments\.0: "),
        (b'{"text": "x", "attachments": ["a"]}', r"attachments\.0: "),
        (b'{"text": "x", "attachments": [{}]}', r"attachments\.0\.filename: Field required"),
    ],
)
def test_what_is_wrong_is_said_with_the_name_of_the_field(octets: bytes, wrong: str) -> None:
    with pytest.raises(MalformedAnswer, match=wrong):
        read_answer(octets)


@pytest.mark.parametrize("media_type", ["csv", "text/", "multipart/mixed", "message/rfc822", "a/b\r\nX: y", "", "*/*"])
def test_a_media_type_that_no_attachment_can_have_is_refused(media_type: str) -> None:
    with pytest.raises(MalformedAnswer, match=r"attachments\.0\.media_type"):
        read(file={"media_type": media_type})


def test_the_error_repeats_nothing_of_the_answer() -> None:
    with pytest.raises(MalformedAnswer) as caught:
        read(text=["ann@shop.example"], file={"media_type": "ann@shop.example", "content_base64": "ann@shop.example"})
    assert "ann" not in str(caught.value)
    assert caught.value.__cause__ is None
