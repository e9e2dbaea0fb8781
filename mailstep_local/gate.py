"""The gate of the local account: it accepts only requests signed with the account's credentials, and no web page.

A web page that is open on the developer's machine can send requests to loopback, and MiniStack runs the code it gets.
Behind the signature, a request must also keep AWS's own rules (mailstep_local/rules/).
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

from ministack import app
from ministack.core.iam_evaluator import AuthError
from ministack.core.router import detect_service

from mailstep_local.ministack_names import Names
from mailstep_local.rules import layer, wire
from mailstep_local.signatures import NotAuthenticated, Request, check_service, claim

MINISTACK = Names(
    {
        "app:_credential_failure": "service, iam_action, request_id, denied, headers",
        "app:_extract_s3_vhost_bucket": "host",
        "app:_routing_params": "method, path, headers, body, query_params",
        "app:_send_response": "send, status, headers, body, head",
        "app:decode_header_value": "value",
        "core.iam_evaluator:AuthError": None,
        "core.router:detect_service": "method, path, headers, query_params",
    }
)

OWN_HOSTS = ("127.0.0.1", "localhost")
HEALTH = "/_ministack/health"
_OWN_PAGES = "/_ministack/"
_READING = {"GET", "HEAD"}
_FORM = "application/x-www-form-urlencoded"

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]


class NotOurOwn(Exception):
    """A request from a web page, or to another host's name."""


def check_sender(request: Request, hosts: Iterable[str]) -> None:
    """Refuse requests from a web page, and requests to a foreign host name (DNS rebinding).

    A page's own requests have Origin, or if a browser leaves that out, Referer or Sec-Fetch-Site (Fetch Standard; W3C
    Fetch Metadata). No AWS client sends these. A link that a person follows may have the latter two.

    Raises:
        NotOurOwn: the request is one of these.
    """
    host = request.field("host") or ""
    name = host.rpartition(":")[0] or host
    if not any(name.lower() == own or name.lower().endswith(f".{own}") for own in hosts):
        raise NotOurOwn(f"This account is not at {host!r}: see --allow-host of `mailstep up`")
    here = f"http://{host}"
    foreign = request.field("origin") not in {None, here}
    if request.method not in _READING:
        foreign |= not f"{request.field('referer') or here}/".startswith(f"{here}/")
        foreign |= request.field("sec-fetch-site") in {"cross-site", "same-site"}
    if foreign:
        raise NotOurOwn("A web page may not use this account")


def guarded(application: Application, root: str, hosts: Iterable[str], *, rules: bool) -> Application:
    """An ASGI application behind the gate.

    Args:
        application: The application.
        root: The id of root's access key.
        hosts: The application's host names.
        rules: Whether requests must also keep AWS's own rules.
    """
    own = frozenset(host.lower() for host in hosts)

    async def gate(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await application(scope, receive, send)
        elif scope["type"] == "http":
            await _let_in(application, scope, receive, _without_cors(send), root, own, rules)
        else:
            # Mailstep does not use WebSockets, and a browser may open one to any host.
            await send({"type": "websocket.close", "code": 1008})

    return gate


async def _let_in(
    application: Application,
    scope: Message,
    receive: Receive,
    send: Send,
    root: str,
    hosts: Iterable[str],
    rules: bool,
) -> None:
    request = _request(scope)
    broken = None
    try:
        check_sender(request, hosts)
        if request.path != HEALTH:
            # The signature is checked first: the body of an unsigned request is not read.
            claimed = claim(request, root)
            body = await _body(receive)
            if body is None:
                return
            receive = _again(body, receive)
            if claimed:
                claimed.verify(body)
            if not request.path.startswith(_OWN_PAGES):
                service = _service(request, body)
                # A link by Signature Version 2 is for S3.
                check_service(claimed.signature.service if claimed else "s3", wire.signing_name(service))
                if rules:
                    bucket = app._extract_s3_vhost_bucket(request.field("host") or "")
                    broken = layer.refusal(service, request, body, bucket)
    except NotOurOwn as refusal:
        await _refuse(request, receive, send, "AccessDenied", str(refusal))
    except NotAuthenticated as refusal:
        await _refuse(request, receive, send, refusal.code, str(refusal))
    else:
        if broken:
            await app._send_response(send, *broken, head=request.method == "HEAD")
        else:
            await application(scope, receive, send)


def _request(scope: Message) -> Request:
    return Request(
        scope["method"],
        scope["raw_path"].decode("latin-1"),
        scope["query_string"].decode("latin-1"),
        [(name.decode("latin-1").lower(), app.decode_header_value(value)) for name, value in scope["headers"]],
    )


async def _body(receive: Receive) -> bytes | None:
    """The whole body; None if the client has disconnected."""
    parts = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """A `receive` for the application: first the body that was read here, then further events."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> Message:
        return waiting.pop() if waiting else await receive()

    return next_message


def _without_cors(send: Send) -> Send:
    """A `send` without CORS headers: no response lets a web page read it or send more."""

    async def send_without(message: Message) -> None:
        fields = [field for field in message.get("headers", []) if not field[0].lower().startswith(b"access-control-")]
        await send({**message, "headers": fields} if "headers" in message else message)

    return send_without


async def _refuse(request: Request, receive: Receive, send: Send, code: str, text: str) -> None:
    """Answer in the protocol and with the names of the service that was asked."""
    start = b""
    if request.field("authorization") is None and (request.field("content-type") or "").startswith(_FORM):
        # Only the body of an unsigned Query API call names the service. Its first part is enough.
        start = (await receive()).get("body", b"")
    service = _service(request, start)
    headers = request.fields()
    status, fields, body = app._credential_failure(service, "", str(uuid4()), AuthError(code, text), headers)
    await app._send_response(send, status, fields, body, head=request.method == "HEAD")


def _service(request: Request, body: bytes) -> str:
    """The service that MiniStack routes the request to, or `sesv2`."""
    headers, query = request.fields(), parse_qs(request.query, keep_blank_values=True)
    params = app._routing_params(request.method, request.path, headers, body, query)
    service = str(detect_service(request.method, request.path, headers, params))
    return "sesv2" if service == "ses" and request.path.startswith("/v2/") else service
