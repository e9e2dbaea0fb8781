"""Answers as frameworks write them, over HTTP: the octets of six, and what the response of a Lambda function means."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from flask import Flask, Response, jsonify
from werkzeug.serving import make_server

from mailstep.contracts import Answer, AnswerAttachment, ApplicationRequest, Message, ReplyPlan
from mailstep.errors import ApplicationBusy, ApplicationRefused, MalformedAnswer, TransientError
from mailstep.process.application import ask
from mailstep.route import Route
from mailstep.telemetry import logger
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


def test_the_response_of_a_lambda_within_a_200_leaves_a_warning_that_says_what_to_change() -> None:
    with patch.object(logger, "warning") as warned:
        asked(ANSWERS["Lambda proxy"])
    assert "use a proxy integration" in str(warned.call_args.args[0])
    with patch.object(logger, "warning") as warned:
        asked(in_json('{"text": "Done."}'))
    warned.assert_not_called()


@pytest.mark.parametrize("headers", [None, [], ["retry-after: 30"], {"retry-after": 30}, {"retry-after": None}])
def test_headers_that_a_lambda_writes_wrongly_are_left_out(headers: object) -> None:
    with pytest.raises(TransientError, match="503"):
        asked(lambda_proxy(503, "", headers=headers))
    assert asked(lambda_proxy(200, '{"text": "Done."}', headers=headers)) == Answer(text="Done.")


def test_a_compressed_body_in_the_response_of_a_lambda_is_refused_too() -> None:
    with pytest.raises(MalformedAnswer, match="send it without Content-Encoding"):
        asked(lambda_proxy(200, '{"text": "Done."}', headers={"content-encoding": "gzip"}))
    with pytest.raises(MalformedAnswer, match="send it without Content-Encoding"):
        asked(in_json('{"statusCode": 200, "body": "{}"}', "Content-Encoding: gzip"))


def test_the_status_of_http_comes_before_the_one_within_the_body() -> None:
    inner = json.dumps({"statusCode": 200, "body": '{"text": "Done."}'}).encode()
    for status in ("300 Multiple Choices", "404 Not Found"):
        with pytest.raises(MalformedAnswer, match=status[:3]):
            asked(http_response(inner, "Content-Type: application/json", status=status))
    assert asked(http_response(inner, status="299 Done")) == Answer(text="Done.")


def test_an_answer_of_a_lambda_that_is_not_json_is_not_repeated_in_the_error() -> None:
    for written in (b'"statusCode" of ann@shop.example', b'["statusCode"]', b'{"statusCode": "1000"}'):
        with pytest.raises(MalformedAnswer) as caught:
            asked(http_response(written))
        assert "ann" not in str(caught.value)


@pytest.mark.parametrize(
    ("response", "wrong"),
    [
        (lambda_proxy(200, "not%Base64", isBase64Encoded=True), "isBase64Encoded"),
        # Base64 of a good answer, but for a character that is not in the alphabet.
        (lambda_proxy(200, "eyJ0ZXh0Ijog%IngifQ==", isBase64Encoded=True), "isBase64Encoded"),
        (lambda_proxy(200, '{"statusCode": 200, "body": "{}"}'), "text"),
        (lambda_proxy(200, ""), "is empty"),
        (lambda_proxy(200, None), "is empty"),
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
