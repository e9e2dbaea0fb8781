"""The company's application behind HTTPS: one POST a message, its answer checked against the contract."""

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import urllib3
from pydantic import ValidationError

from mailstep import settings
from mailstep.contracts import Answer, ApplicationRequest
from mailstep.errors import (
    ApplicationBusy,
    ApplicationDenied,
    ApplicationRefused,
    ConfigurationError,
    MalformedAnswer,
    TransientError,
)
from mailstep.process.signing import authenticate, forget_secrets
from mailstep.routes import Route

ANSWER_BOUND = 10 * 1024 * 1024
"""Octets of an answer that are read: an answer and its attachments, under SES's bound for a message."""
RETRY_AFTER_BOUND = 3600
"""Seconds that Retry-After is honoured up to (RFC 9110 section 10.2.3)."""
_EXPLANATION_BOUND = 500
_CONNECT_SECONDS = 3
_RETRY_LATER = {408, 425, 429}
_DENIED = {401, 403}

_pool = urllib3.PoolManager(retries=False)


def ask(route: Route, request: ApplicationRequest, idempotency_key: str) -> Answer | None:
    """Have the application process the message; None where it answers 204, no reply wanted.

    Raises:
        ApplicationBusy: 408, 425, 429 or 5xx with Retry-After.
        TransientError: the same without, or no answer.
        ApplicationRefused: another 4xx with a `reason`, which goes to the sender.
        ApplicationDenied: 401 or 403 without: that is the answer of whoever guards the application.
        MalformedAnswer: anything else that is no answer. Redirects are not followed.
        ConfigurationError: the URL is none, or the secret cannot be read.
    """
    body = request.model_dump_json().encode()
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Idempotency-Key": idempotency_key,
        "Mailstep-Email-Id": request.message.email_id,
    }
    status, answered, answer = _post(route.url, body, authenticate(route, body, headers))
    if status in _RETRY_LATER or status >= 500:
        if seconds := _retry_after(answered.get("Retry-After", "")):
            raise ApplicationBusy(seconds)
        raise TransientError(f"the application answered {status}")
    if 400 <= status < 500 and (reason := _reason(answer)):
        raise ApplicationRefused(reason)
    if status in _DENIED:
        # A secret that was rotated is read anew in the next try.
        forget_secrets()
        raise ApplicationDenied(f"the application answered {status}: it does not take our proof (routes.toml, auth)")
    if status == 204:
        return None
    if not 200 <= status < 300:
        raise MalformedAnswer(f"the application answered {status}, not 2xx with an answer, nor 4xx with a reason")
    if len(answer) > ANSWER_BOUND:
        raise MalformedAnswer(f"the application's answer is over {ANSWER_BOUND} octets")
    try:
        return Answer.from_json(answer)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
        raise MalformedAnswer(f"the application's answer is no answer: {faults[:_EXPLANATION_BOUND]}") from error


def _post(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, urllib3.HTTPHeaderDict, bytes]:
    # Under the function's own timeout (template.yaml, ProcessFunction), so that a hang is ours to name.
    timeout = urllib3.Timeout(connect=_CONNECT_SECONDS, total=settings.Application.read().timeout_seconds)
    try:
        answer = _pool.request(
            "POST", url, body=body, headers=headers, timeout=timeout, redirect=False, preload_content=False
        )
        # As much as may be, and one octet more: what is larger is not read, and its connection not used again.
        content = answer.read(ANSWER_BOUND + 1)
        (answer.close if len(content) > ANSWER_BOUND else answer.release_conn)()
    except urllib3.exceptions.LocationValueError as error:
        raise ConfigurationError("the application's URL is not a URL") from error
    except urllib3.exceptions.HTTPError as error:
        # Of TLS it says what is wrong with the certificate; nothing in it is the sender's.
        why = f": {error}"[:_EXPLANATION_BOUND] if isinstance(error, urllib3.exceptions.SSLError) else ""
        raise TransientError(f"the application did not answer: {type(error).__name__}{why}") from error
    return answer.status, answer.headers, content


def _retry_after(value: str) -> int:
    """Seconds of a Retry-After, at most our bound; 0 where it says nothing (RFC 9110 section 10.2.3)."""
    if value.strip().isdecimal():
        seconds = int(value[:10])
    else:
        try:
            seconds = round((parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
        except (ValueError, TypeError):
            return 0
    return max(0, min(seconds, RETRY_AFTER_BOUND))


def _reason(body: bytes) -> str:
    """The `reason` of a refusal, one line of bounded length; empty where there is none: then nobody has refused."""
    try:
        answer = json.loads(body)
    except ValueError:
        return ""
    match answer:
        case {"reason": str(reason)}:
            return " ".join(reason.split())[:_EXPLANATION_BOUND]
        case _:
            return ""
