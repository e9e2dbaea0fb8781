"""The company's application behind HTTPS, on the deployed workflow: every answer, every proof, and outages."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from standardwebhooks import Webhook

from mailstep import keys
from mailstep_cli import demo
from mailstep_local.cloud import LocalCloud
from tests.support.cloud import (
    NEW_SECRET,
    OLD_SECRET,
    Answer,
    Application,
    Desk,
    function_configuration,
    heard_of,
    hurried,
    outbox_about,
    subscribe,
)
from tests.support.project import CASES

ANSWER = b'{"text": "Done."}'
DOWN: Answer = (503, b"")
QUICK_TRIES = 5


@pytest.fixture(autouse=True)
def _hurry(cloud: LocalCloud) -> Iterator[None]:
    with hurried(cloud, 0.001):
        yield


def send(desk: Desk) -> demo.Result:
    [result] = desk.send("order.eml", route="application")
    return result


def errors(result: demo.Result, state: str = "ProcessEmail") -> list[str | None]:
    """The error of every attempt of the first visit of a state; None for the one that went well."""
    assert result.timeline
    return next([attempt.error for attempt in one.attempts] for one in result.timeline.states if one.name == state)


def kinds_sent(cloud: LocalCloud, result: demo.Result) -> list[str]:
    """The subjects and texts of all that went out for a message, oldest first."""
    assert result.execution_arn
    found = outbox_about(cloud, result.execution_arn.rpartition(":")[2])
    texts = [path.read_text() for path in sorted(found, key=lambda path: path.stat().st_mtime)]
    signs = {"is taking longer than usual": "delay", "could not be processed yet": "failure", "Done.": "answer"}
    return [next(kind for sign, kind in signs.items() if sign in text) for text in texts]


def test_the_application_works_on_a_list_message_and_knows_that_its_answer_is_kept_and_not_sent(
    cloud: LocalCloud, desk: Desk, application: Application
) -> None:
    application.says((200, ANSWER))
    [result] = desk.send("google-group.eml", route="application", directory=CASES / "senders")
    assert (result.status, result.outcome, result.withheld) == ("SUCCEEDED", "processed", "automatic_mail")
    assert [request["body"]["reply"] for request in application.requests] == [
        {"will_be_sent": False, "withheld": "automatic_mail"}
    ]
    assert result.execution_arn
    kept = keys.answer(result.execution_arn.rpartition(":")[2])
    found = cloud.account.client("s3").get_object(Bucket=cloud.outputs["MailBucketName"], Key=kept)["Body"].read()
    assert json.loads(found)["text"] == "Done."
    assert kinds_sent(cloud, result) == []


def test_no_content_is_no_reply(cloud: LocalCloud, desk: Desk, application: Application) -> None:
    application.says((204, b""))
    result = send(desk)
    assert (result.status, result.outcome, result.reply) == ("SUCCEEDED", "processed", None)
    assert kinds_sent(cloud, result) == []


def test_a_server_error_twice_then_an_answer(desk: Desk, application: Application) -> None:
    application.says((500, b""), (500, b""), (200, ANSWER))
    result = send(desk)
    assert result.outcome == "replied"
    assert errors(result) == ["TransientError", "TransientError", None]


def test_too_many_requests_are_waited_for_as_the_application_asks(
    cloud: LocalCloud, desk: Desk, application: Application
) -> None:
    application.says((429, b"", {"Retry-After": "30"}), (200, ANSWER))
    result = send(desk)
    assert errors(result) == ["ApplicationBusy"]
    states = [state["name"] for state in result.as_json()["states"]]
    assert states[4:8] == ["PlanNextTry", "CheckOutage", "WaitForApplication", "ProcessEmail"]
    assert kinds_sent(cloud, result) == ["answer"]


def test_an_answer_that_drips_is_cut_and_asked_for_again(
    cloud: LocalCloud, desk: Desk, application: Application
) -> None:
    """Its octets come for longer than the function may run, each within the limit of the socket."""

    def drops() -> Iterator[bytes]:
        for _ in range(300):
            time.sleep(0.2)
            yield b" "

    application.answers = [lambda: (200, drops(), {"Content-Length": "300"}), lambda: (200, ANSWER)]
    variables = {"APPLICATION_URL": application.url, "APPLICATION_TIMEOUT_SECONDS": "1"}
    with function_configuration(cloud, "ProcessFunction", variables=variables):
        result = send(desk)
    assert result.outcome == "replied"
    # On a busy machine, the second answer can take a second, too.
    first, *others, last = errors(result)
    assert (first, {*others} <= {first}, last) == ("TransientError", True, None)


def test_a_truncated_answer_is_tried_again(desk: Desk, application: Application) -> None:
    application.says((200, ANSWER, {"Content-Length": "999", "Connection": "close"}), (200, ANSWER))
    result = send(desk)
    assert result.outcome == "replied"
    assert errors(result)[0] == "TransientError"


MALFORMED: dict[str, tuple[Answer, str]] = {
    "20 MB": ((200, json.dumps({"text": "x" * 20_000_000}).encode()), "larger than 10485760 octets"),
    "a redirect to the instance's metadata": (
        (302, b"", {"Location": "http://169.254.169.254/latest/meta-data/"}),
        "answered 302, not 2xx",
    ),
    "a wrong schema": ((200, b'{"html": "Done."}'), "is invalid: text: Field required"),
}


@pytest.mark.parametrize("answer", MALFORMED)
def test_an_invalid_answer_fails_with_what_was_wrong(
    cloud: LocalCloud, desk: Desk, application: Application, answer: str
) -> None:
    said, wrong = MALFORMED[answer]
    application.says(said)
    result = send(desk)
    assert (result.status, result.error) == ("FAILED", "MalformedAnswer")
    assert result.timeline
    assert wrong in str(result.timeline.cause)
    # Asked once, and once more after the sender was told.
    assert len(application.requests) == 2
    assert kinds_sent(cloud, result) == ["failure"]


# ---- Proof of who asks ----


def ask_with(cloud: LocalCloud, desk: Desk, application: Application, auth: str, secret: str) -> dict[str, Any]:
    application.says((200, ANSWER))
    proof = {"APPLICATION_AUTH": auth, "APPLICATION_SECRET_ARN": secret, "APPLICATION_URL": application.url}
    with function_configuration(cloud, "ProcessFunction", variables=proof):
        result = send(desk)
    assert result.outcome == "replied", result.error
    [request] = application.requests
    written = json.dumps(result.as_json()) + "".join(desk.log_lines())
    assert not any(secret in written for secret in (OLD_SECRET, NEW_SECRET))
    return request


def test_a_signature_is_checked_with_either_secret_by_the_library(
    cloud: LocalCloud, desk: Desk, application: Application, secret: str
) -> None:
    request = ask_with(cloud, desk, application, "standard_webhooks", secret)
    for known in (OLD_SECRET, NEW_SECRET):
        assert Webhook(known).verify(request["raw"], request["headers"]) == request["body"]
    assert request["headers"]["webhook-id"] == request["headers"]["Idempotency-Key"]


def test_an_api_key_is_the_newest_secret(cloud: LocalCloud, desk: Desk, application: Application, secret: str) -> None:
    assert ask_with(cloud, desk, application, "api_key", secret)["headers"]["x-api-key"] == NEW_SECRET


def test_sigv4_is_that_of_the_functions_role(cloud: LocalCloud, desk: Desk, application: Application) -> None:
    headers = ask_with(cloud, desk, application, "sigv4", "")["headers"]
    assert "/us-east-1/execute-api/aws4_request" in headers["Authorization"]
    assert headers["X-Amz-Security-Token"]


# ---- Outages ----


def test_an_outage_is_waited_out_with_one_notice_and_one_key(
    cloud: LocalCloud, desk: Desk, application: Application
) -> None:
    application.says(*[DOWN] * QUICK_TRIES * 5, (200, ANSWER))
    result = send(desk)
    assert (result.status, result.outcome) == ("SUCCEEDED", "replied")
    assert errors(result) == ["TransientError"] * QUICK_TRIES
    assert len(application.requests) == QUICK_TRIES * 5 + 1
    assert len({request["headers"]["Idempotency-Key"] for request in application.requests}) == 1
    assert kinds_sent(cloud, result) == ["delay", "answer"]


def test_after_a_long_outage_the_sender_and_the_operators_get_the_same_email_id(
    cloud: LocalCloud, desk: Desk, application: Application
) -> None:
    alerts = subscribe(cloud, cloud.outputs["OperatorTopicArn"], "outage-alerts")
    application.says(DOWN)
    with hurried(cloud, 0.00001):
        result = send(desk)
    assert (result.status, result.error) == ("FAILED", "TransientError")
    assert kinds_sent(cloud, result) == ["delay", "failure"]
    assert result.execution_arn
    reference = result.execution_arn.rpartition(":")[2]
    assert heard_of(alerts, reference, "console.aws.amazon.com", "mailstep history")
