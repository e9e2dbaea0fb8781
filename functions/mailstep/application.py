"""The company's application behind HTTPS: one POST a message, its answer checked against the contract."""

import json

import urllib3
from pydantic import ValidationError

from mailstep.contracts import ApplicationRequest, Digest
from mailstep.errors import ApplicationRefused, ConfigurationError, MailstepError, TransientError

ANSWER_BOUND = 10 * 1024 * 1024
"""Octets of an answer that are read: a digest and its attachments, under SES's bound for a message."""
_EXPLANATION_BOUND = 500
# Connect and read stay under the function's timeout, so that a hang is ours to name.
_TIMEOUT = urllib3.Timeout(connect=3, read=25, total=28)
_RETRY_LATER = {408, 425, 429}

_pool = urllib3.PoolManager(timeout=_TIMEOUT, retries=False)


class MalformedAnswer(MailstepError):
    """The application answered with what is no digest; the text says what was wrong, not what was in it."""


def ask(url: str, request: ApplicationRequest, idempotency_key: str) -> Digest:
    """Have the application process the message.

    Raises:
        TransientError: no answer, 408, 425, 429 or 5xx.
        ApplicationRefused: another 4xx; its `reason` goes to the sender.
        MalformedAnswer: anything else that is no digest. Redirects are not followed.
        ConfigurationError: the URL is none.
    """
    try:
        answer = _pool.request(
            "POST",
            url,
            body=request.model_dump_json(),
            headers={
                "Content-Type": "application/json",
                "Accept": "application/json",
                "Idempotency-Key": idempotency_key,
                "Mailstep-Message-Id": request.message.id,
            },
            redirect=False,
            preload_content=False,
        )
        body = answer.read(ANSWER_BOUND + 1)
        answer.release_conn()
    except urllib3.exceptions.LocationValueError as error:
        raise ConfigurationError("the application's URL is not a URL") from error
    except urllib3.exceptions.HTTPError as error:
        raise TransientError(f"the application did not answer: {type(error).__name__}") from error
    if answer.status in _RETRY_LATER or answer.status >= 500:
        raise TransientError(f"the application answered {answer.status}")
    if 400 <= answer.status < 500:
        raise ApplicationRefused(_reason(body))
    if answer.status != 200:
        raise MalformedAnswer(f"the application answered {answer.status}, not 200 with a digest")
    if len(body) > ANSWER_BOUND:
        raise MalformedAnswer(f"the application's answer is over {ANSWER_BOUND} octets")
    try:
        return Digest.model_validate_json(body)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
        raise MalformedAnswer(f"the application's answer is no digest: {faults[:_EXPLANATION_BOUND]}") from error


def _reason(body: bytes) -> str:
    """The `reason` of a refusal, one line of bounded length."""
    try:
        reason = str(json.loads(body)["reason"])
    except (ValueError, KeyError, TypeError):
        return "It could not be accepted."
    return " ".join(reason.split())[:_EXPLANATION_BOUND]
