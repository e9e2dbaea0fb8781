"""The workflow of later answers on moto: sent once, withheld with its reason, retried as any reply is."""

from collections.abc import Iterator

import pytest

from tests.support.moto_interpreter import BUCKET, Answer, Fails, Run, Throttled, interpreter, run
from tests.support.project import LATER_DEFINITION

ANSWER = {"email_id": "abc-1", "name": "shipped", "bucket": BUCKET, "key": "answers/abc-1/shipped.json"}
CLAIM = {
    "email": {"email_id": "abc-1", "route": "orders", "bucket": BUCKET, "key": "inbound/orders/abc"},
    "message_key": "parsed/abc-1/message.json",
    "summary": {"from_address": "a@b.example", "subject": "x", "message_id": "<1@b.example>"},
}


@pytest.fixture(autouse=True)
def _moto() -> Iterator[None]:
    with interpreter():
        yield


def go(**answers: list[Answer]) -> Run:
    script: dict[str, list[Answer]] = {
        "Validate": [{"claim": CLAIM, "withheld": None}],
        "Reply": [{"ses_message_id": "ses-1"}],
    }
    return run(script | answers, ANSWER, text=LATER_DEFINITION)


def test_a_later_answer_is_sent_under_its_own_name() -> None:
    ended = go()
    assert ended.path == ["ValidateLaterAnswer", "ChooseLaterAnswer", "SendLaterAnswer"]
    assert (ended.status, ended.output["outcome"], ended.output["withheld"]) == ("SUCCEEDED", "replied", None)
    assert (ended.output["email_id"], ended.output["answer_name"]) == ("abc-1", "shipped")
    assert ended.payloads["Validate"] == [{"later_answer": ANSWER}]
    sent = {"execution_name": "sample", "claim": CLAIM, "kind": "later_answer", "later_answer": ANSWER}
    assert ended.payloads["Reply"] == [sent]


def test_an_answer_that_send_once_withholds_is_no_reply() -> None:
    ended = go(Reply=[{"ses_message_id": None}])
    assert (ended.status, ended.output["outcome"], ended.output["ses_message_id"]) == ("SUCCEEDED", "processed", None)


def test_an_answer_to_a_sender_who_gets_no_mail_is_not_sent_and_says_why() -> None:
    ended = go(Validate=[{"claim": CLAIM, "withheld": "suppressed_sender"}])
    assert ended.path[-1] == "WithholdLaterAnswer"
    assert (ended.status, ended.output["outcome"]) == ("SUCCEEDED", "processed")
    assert ended.output["withheld"] == "suppressed_sender"
    assert ended.payloads["Reply"] == []


@pytest.mark.parametrize(
    ("script", "state", "error"),
    [
        ({"Validate": [Fails("UnknownEmail")]}, "ValidateLaterAnswer", "UnknownEmail"),
        ({"Reply": [Fails("MalformedAnswer")]}, "SendLaterAnswer", "MalformedAnswer"),
        ({"Reply": [Fails("AccountInSandbox")]}, "SendLaterAnswer", "AccountInSandbox"),
    ],
)
def test_what_its_writer_or_an_operator_must_correct_fails_at_once_on_its_task(
    script: dict[str, list[Answer]], state: str, error: str
) -> None:
    ended = go(**script)
    assert (ended.status, ended.path[-1], ended.timeline.error) == ("FAILED", state, error)
    assert ended.attempts(state) == 1


@pytest.mark.parametrize("fault", [Fails("TransientError"), Throttled(), Fails("Runtime.ExitError")])
def test_what_passes_is_retried_and_the_answer_is_sent(fault: Answer) -> None:
    ended = go(Validate=[fault, {"claim": CLAIM, "withheld": None}], Reply=[fault, fault, {"ses_message_id": "ses-1"}])
    assert (ended.status, ended.output["outcome"]) == ("SUCCEEDED", "replied")
    assert (ended.attempts("ValidateLaterAnswer"), ended.attempts("SendLaterAnswer")) == (2, 3)
