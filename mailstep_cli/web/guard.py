"""Decides which requests the page answers: from this machine's browser, with the token of this run."""

import secrets
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, RedirectResponse, Response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""What a page may load (Content Security Policy Level 3): nothing but its own script, style sheet and frames."""
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    # A form's POST has its Origin with this policy, and no other site learns an address of this page.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "X-DNS-Prefetch-Control": "off",
}


@dataclass(frozen=True)
class Secrets:
    """What a run knows alone. Each is new: `token` is in the address that is printed, the others never are."""

    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    session: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    form: str = field(default_factory=lambda: secrets.token_urlsafe(32))


class Guard:
    """Answers for the application where a request is not one of the operator's own.

    A page of another site cannot make one: it lacks the cookie (SameSite=Strict), the Host is compared against DNS
    rebinding, and each POST has to have our Origin and the token of our forms (views.py).
    """

    def __init__(self, app: "ASGIApp", port: int, own: Secrets) -> None:
        self._app, self._own = app, own
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        # Cookies are shared by all ports of a host (RFC 6265 section 8.5).
        self._cookie = f"mailstep-{port}"

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answer a request (ASGI 3.0)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refused = self._refused(scope)

        async def guarded(message: "Message") -> None:
            if message["type"] == "http.response.start":
                named = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *((name.encode(), value.encode()) for name, value in _HEADERS.items()
                      if name.lower().encode() not in named),
                ]  # fmt: skip
            await send(message)

        await (refused or self._app)(scope, receive, guarded)

    def _refused(self, scope: "Scope") -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if host not in self._hosts:
            return PlainTextResponse("This page answers on 127.0.0.1 and localhost only.", 421)
        if scope["method"] not in {"GET", "HEAD"} and headers.get("origin") != f"http://{host}":
            return PlainTextResponse("This request comes from another page.", 403)
        if _same(_token(scope["query_string"]), self._own.token):
            response = RedirectResponse("/", 303)
            response.set_cookie(self._cookie, self._own.session, httponly=True, samesite="strict")
            return response
        if not _same(_cookie(headers, self._cookie), self._own.session):
            return PlainTextResponse("Open the address that mailstep printed: it has the token of this run.", 403)
        return None


def _token(query: bytes) -> str:
    try:
        return parse_qs(query.decode("latin-1"), max_num_fields=50).get("token", [""])[0]
    except ValueError:  # too many fields
        return ""


def _same(given: str, own: str) -> bool:
    return secrets.compare_digest(given.encode(), own.encode())


def _cookie(headers: Headers, name: str) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return found.value if found else ""
