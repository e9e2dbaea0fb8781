"""Calls the company's application over HTTPS: one POST for each message. Checks its answer against the contract."""

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
"""Largest answer that is read, in octets, attachments included; below SES's limit for a message."""
RETRY_AFTER_BOUND = 3600
"""Longest Retry-After that is honoured, in seconds (RFC 9110 section 10.2.3)."""
_EXPLANATION_BOUND = 500
_CONNECT_SECONDS = 3
_RETRY_LATER = {408, 425, 429}
_DENIED = {401, 403}

_pool = urllib3.PoolManager(retries=False)


def ask(route: Route, request: ApplicationRequest, idempotency_key: str) -> Answer | None:
    """Have the application process the message. Returns None if it answers 204, which asks for no reply.

    Raises:
        ApplicationBusy: the status was 408, 425, 429 or 5xx, with Retry-After.
        TransientError: the same without Retry-After, or no answer.
        ApplicationRefused: another 4xx with a `reason`, which goes to the sender.
        ApplicationDenied: 401 or 403 without a reason: the application's gateway rejected our credentials.
        MalformedAnswer: anything else that is not a valid answer. Redirects are not followed.
        ConfigurationError: the URL is invalid, or the secret cannot be read.
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
        # The next try reads the secret again, in case it was rotated.
        forget_secrets()
        raise ApplicationDenied(
            f"the application rejected our credentials with {status} (routes.toml, auth and secret)"
        )
    if status == 204:
        return None
    if not 200 <= status < 300:
        raise MalformedAnswer(f"the application answered {status}, not 2xx with an answer or 4xx with a reason")
    if len(answer) > ANSWER_BOUND:
        raise MalformedAnswer(f"the application's answer is larger than {ANSWER_BOUND} octets")
    try:
        return Answer.from_json(answer)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
        raise MalformedAnswer(f"the application's answer is invalid: {faults[:_EXPLANATION_BOUND]}") from error


def _post(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, urllib3.HTTPHeaderDict, bytes]:
    # Below the function's own timeout (template.yaml, ProcessFunction), so that the error can name a hang.
    timeout = urllib3.Timeout(connect=_CONNECT_SECONDS, total=settings.Application.read().timeout_seconds)
    try:
        answer = _pool.request(
            "POST", url, body=body, headers=headers, timeout=timeout, redirect=False, preload_content=False
        )
        # One octet over the limit shows that the answer is too large. Its connection is then closed, not reused.
        content = answer.read(ANSWER_BOUND + 1)
        (answer.close if len(content) > ANSWER_BOUND else answer.release_conn)()
    except urllib3.exceptions.LocationValueError as error:
        raise ConfigurationError("the application's URL is invalid") from error
    except urllib3.exceptions.HTTPError as error:
        # A TLS error says what is wrong with the certificate, and contains nothing of the sender's.
        why = f": {error}"[:_EXPLANATION_BOUND] if isinstance(error, urllib3.exceptions.SSLError) else ""
        raise TransientError(f"the application did not answer: {type(error).__name__}{why}") from error
    return answer.status, answer.headers, content


def _retry_after(value: str) -> int:
    """Seconds of a Retry-After, at most RETRY_AFTER_BOUND; 0 if it cannot be read (RFC 9110 section 10.2.3)."""
    if value.strip().isdecimal():
        seconds = int(value[:10])
    else:
        try:
            seconds = round((parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
        except (ValueError, TypeError):
            return 0
    return max(0, min(seconds, RETRY_AFTER_BOUND))


def _reason(body: bytes) -> str:
    """The `reason` of a refusal as one short line; empty without one, and then it is not a refusal."""
    try:
        answer = json.loads(body)
    except ValueError:
        return ""
    match answer:
        case {"reason": str(reason)}:
            return " ".join(reason.split())[:_EXPLANATION_BOUND]
        case _:
            return ""
