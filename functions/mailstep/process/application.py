"""Calls the company's application over HTTPS: one POST for each message. Checks its answer against the contract."""

import base64
import json
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from urllib3 import HTTPHeaderDict

from mailstep import settings
from mailstep.answers import json_value, read_answer, reason
from mailstep.contracts import Answer, ApplicationRequest
from mailstep.errors import ApplicationBusy, ApplicationDenied, ApplicationRefused, MalformedAnswer, TransientError
from mailstep.process.exchange import Response, post
from mailstep.process.request import request_body
from mailstep.process.signing import WEBHOOK_ID, authenticate, forget_secrets
from mailstep.route import Route
from mailstep.telemetry import logger

ANSWER_BOUND = 10 * 1024 * 1024
"""Largest answer that is read, in octets, attachments included; below SES's limit for a message."""
RETRY_AFTER_BOUND = 3600
"""Longest Retry-After that is honoured, in seconds (RFC 9110 section 10.2.3)."""
_RETRY_LATER = {408, 425, 429}
_DENIED = {401, 403}
_STATUS = re.compile(r"[1-5]\d\d")


def ask(route: Route, request: ApplicationRequest, idempotency_key: str) -> Answer | None:
    """Have the application process the message. Returns None if it answers 204, which asks for no reply.

    Raises:
        ApplicationBusy: the status was 408, 425, 429 or 5xx, with Retry-After.
        TransientError: the same without Retry-After, or no whole answer in time.
        ApplicationRefused: another 4xx with a `reason`, which goes to the sender.
        ApplicationDenied: 401 or 403 without a reason: the application's gateway rejected our credentials.
        MalformedAnswer: anything else that is not a valid answer. Redirects are not followed.
        ConfigurationError: the URL is invalid, or the secret cannot be read or used.
    """
    body = request_body(request)
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json",
        WEBHOOK_ID: idempotency_key,
        "Idempotency-Key": idempotency_key,
        "Mailstep-Email-Id": request.message.email_id,
    }
    # Below the function's own timeout (template.yaml, ProcessFunction), so that the error can name a hang.
    seconds = settings.Application.read().timeout_seconds
    response = post(route.url, body, authenticate(route, body, headers), seconds=seconds, at_most=ANSWER_BOUND)
    return _meaning(_unwrapped(response))


def _meaning(response: Response) -> Answer | None:
    """What a response means (docs/applications.md, "The answer"); the errors are those of `ask`."""
    status = response.status
    if status in _RETRY_LATER or status >= 500:
        if seconds := _retry_after(response.fields.get("Retry-After", "")):
            raise ApplicationBusy(seconds)
        raise TransientError(f"the application answered {status}")
    if 400 <= status < 500 and (why := reason(response.body).strip()):
        raise ApplicationRefused(why)
    if status in _DENIED:
        # The next try reads the secret again, in case it was rotated.
        forget_secrets()
        raise ApplicationDenied(
            f"the application rejected our credentials with {status} (routes.toml, auth and secret)"
        )
    if status == 204:
        return None
    if response.is_encoded:
        raise MalformedAnswer(
            f"the application answered {status} with a compressed body, which is not read: send it without "
            "Content-Encoding"
        )
    if not 200 <= status < 300:
        raise MalformedAnswer(f"the application answered {status}, not 2xx with an answer or 4xx with a reason")
    if len(response.body) > ANSWER_BOUND:
        raise MalformedAnswer(f"the application's answer is larger than {ANSWER_BOUND} octets")
    return read_answer(response.body)


def _unwrapped(response: Response) -> Response:
    """The response that a Lambda function returned for its API, if that handed it on as the body of a 2xx.

    It has the format of a proxy integration (API Gateway Developer Guide, "Lambda proxy integrations").

    Raises:
        MalformedAnswer: it is in Base64, and that is wrong.
    """
    if not 200 <= response.status < 300 or response.is_encoded or b'"statusCode"' not in response.body:
        return response
    try:
        inner = json_value(response.body)
    except MalformedAnswer:
        return response
    if not isinstance(inner, dict) or not _STATUS.fullmatch(status := str(inner.get("statusCode"))):
        return response
    logger.warning("The answer is the response of a Lambda function in JSON: use a proxy integration")
    body = inner.get("body") or ""
    octets = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    if inner.get("isBase64Encoded"):
        try:
            octets = base64.b64decode(octets, validate=True)
        except ValueError:
            raise MalformedAnswer(
                "the body in the application's answer is not Base64, as isBase64Encoded says"
            ) from None
    fields = inner.get("headers")
    named = (
        {name: value for name, value in fields.items() if isinstance(value, str)} if isinstance(fields, dict) else {}
    )
    return Response(int(status), HTTPHeaderDict(named), octets)


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
