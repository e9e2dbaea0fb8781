"""The workflow's promises: every Retry and every Catch of the definition is taken, and history shows it.

Over 300 lines, because the definition is one and is run here whole.
"""

import json
import re
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from typing import Any

import boto3
import pytest

from mailstep.contracts import QueueItem
from tests.support.moto_interpreter import (
    BUCKET,
    REGION,
    WAITS,
    Answer,
    Fails,
    Hangs,
    Run,
    Throttled,
    callbacks_awaited,
    interpreter,
    put_raw_message,
    run,
    service_failing,
)
from tests.support.project import STATES

KEY = "inbound/orders/0123456789"
EMAIL = {
    "email_id": "0123456789-abc",
    "route": "orders",
    "bucket": BUCKET,
    "key": KEY,
    "version_id": None,
    "replay": False,
}
EXECUTION_ARN = f"arn:aws:states:{REGION}:123456789012:execution:email:sample"
SUMMARY = {"from_address": "a@b.example", "subject": 'Say "hi"', "message_id": "<1@b.example>"}
CLAIM = {
    "email": EMAIL,
    "message_key": "parsed/0123456789-abc/message.json",
    "summary": SUMMARY,
}
PROCESSING: dict[str, Any] = {
    "queue_url": "",
    "group": "g",
    "limit_seconds": 60,
    "heartbeat_seconds": 59,
    "outage_seconds": 24 * 3600,
}
VALID = CLAIM | {"processing": PROCESSING, "withheld": None}
WITHHELD = VALID | {"withheld": "automatic_mail"}
REFUSAL = {"reason": "too_large", "tell_sender": True, "explanation": 'Please send "less".', "answer_key": None,
           "withheld": None}  # fmt: skip
ANSWER_KEY = f"answers/{EMAIL['email_id']}.json"
REPLIED = {"ses_message_id": "ses-1"}


@pytest.fixture(autouse=True)
def _moto() -> Iterator[None]:
    with interpreter():
        put_raw_message(KEY, b"no email")
        yield


def go(meanwhile: Callable[[], object] = lambda: None, **answers: list[Answer]) -> Run:
    script: dict[str, list[Answer]] = {
        "Parse": [CLAIM],
        "Validate": [VALID],
        "Process": [{"answer_key": "answers/0123456789-abc.json"}],
        "Reply": [REPLIED],
    }
    return run(script | answers, EMAIL, meanwhile)


def refused(**changes: object) -> Fails:
    return Fails("RefusedEmail", json.dumps(REFUSAL | changes))


CHECKED: Answer = {"alert_operators": True}
QUARANTINED = ["QuarantineEmail", "CheckSender", "ChooseAlert", "AlertOperators"]
TO_PROCESSING = ["ParseEmail", "ValidateEmail", "ChooseProcessor", "ProcessEmail"]
WAITING = ["PlanNextTry", "CheckOutage", "WaitForApplication", "ProcessEmail"]


def test_an_ordinary_message_takes_four_tasks_and_two_choices_and_is_replied_to() -> None:
    ended = go()
    assert ended.path == [*TO_PROCESSING, "ChooseReply", "SendReply"]
    assert ended.status == "SUCCEEDED"
    assert ended.output == {
        "outcome": "replied",
        "email_id": EMAIL["email_id"],
        "route": "orders",
        "reason": None,
        "ses_message_id": "ses-1",
    }
    assert ended.payloads["Parse"] == [EMAIL]
    assert ended.payloads["Validate"] == [{"claim": CLAIM, "execution_arn": EXECUTION_ARN}]
    assert ended.payloads["Process"] == [{"claim": VALID, "idempotency_key": "sample"}]
    assert ended.payloads["Reply"] == [
        {"execution_name": "sample", "claim": VALID, "kind": "answer", "answer_key": "answers/0123456789-abc.json"}
    ]


def test_a_refusal_that_may_be_told_is_told_with_its_reason() -> None:
    ended = go(Validate=[refused()])
    assert ended.path == ["ParseEmail", "ValidateEmail", "ChooseRefusal", "SendRefusal"]
    assert (ended.status, ended.output["outcome"], ended.output["reason"]) == ("SUCCEEDED", "refused", "too_large")
    told = {"execution_name": "sample", "claim": CLAIM, "kind": "refusal"}
    assert ended.payloads["Reply"] == [told | {"explanation": 'Please send "less".', "answer_key": None}]
    assert ended.payloads["Process"] == []


def test_a_silent_refusal_sends_nothing_and_keeps_its_reason() -> None:
    ended = go(Validate=[refused(reason="automatic_mail", tell_sender=False)])
    assert ended.path == ["ParseEmail", "ValidateEmail", "ChooseRefusal", "StaySilent"]
    assert (ended.status, ended.output["outcome"], ended.output["reason"]) == (
        "SUCCEEDED",
        "silent",
        "automatic_mail",
    )
    assert ended.payloads["Reply"] == []
    assert ended.output["withheld"] is None


def test_a_silent_refusal_says_what_withheld_its_reply() -> None:
    ended = go(Validate=[refused(tell_sender=False, withheld="automatic_mail")])
    assert (ended.path[-1], ended.output["outcome"]) == ("StaySilent", "silent")
    assert (ended.output["reason"], ended.output["withheld"]) == ("too_large", "automatic_mail")


def test_an_unreadable_message_is_copied_to_quarantine_with_its_reason_and_alerts_the_operators() -> None:
    ended = go(Parse=[Fails("UnreadableEmail", "it is not text and has no header field of its own"), CHECKED])
    assert ended.path == ["ParseEmail", *QUARANTINED]
    assert (ended.status, ended.output["outcome"]) == ("SUCCEEDED", "quarantined")
    s3 = boto3.client("s3", region_name=REGION)
    kept = f"quarantine/{EMAIL['email_id']}"
    assert s3.get_object(Bucket=BUCKET, Key=kept)["Body"].read() == b"no email"
    assert s3.get_object_tagging(Bucket=BUCKET, Key=kept)["TagSet"] == [
        {"Key": "quarantined", "Value": "it is not text and has no header field of its own"}
    ]
    assert len(ended.alerts) == 1
    assert "it is not text and has no header field of its own" in ended.alerts[0]["Message"]
    assert ended.payloads["Reply"] == []


def test_rubbish_is_quarantined_without_an_alert() -> None:
    """Anybody can send it: it is counted (`EmailsQuarantined`), and an alarm watches the count."""
    ended = go(Parse=[Fails("UnreadableEmail", "it is empty"), {"alert_operators": False}])
    assert ended.path == ["ParseEmail", *QUARANTINED[:-1], "EndInQuarantine"]
    assert ended.payloads["Parse"][-1] == EMAIL | {"unreadable": True}
    assert ended.output == {"outcome": "quarantined", "reason": "it is empty"} | {
        name: EMAIL[name] for name in ("email_id", "route")
    }
    assert quarantine_tag() == "it is empty"
    assert ended.alerts == []


@pytest.mark.parametrize("error", ["ZeroDivisionError", "Runtime.ExitError"])
def test_operators_are_alerted_if_the_sender_of_a_quarantined_message_cannot_be_checked(error: str) -> None:
    ended = go(Parse=[Fails("UnreadableEmail", "it is empty"), Fails(error)])
    assert ended.path == ["ParseEmail", "QuarantineEmail", "CheckSender", "AlertOperators"]
    assert (ended.status, len(ended.alerts)) == ("SUCCEEDED", 1)


@pytest.mark.parametrize("error", ["Runtime.ExitError", "Sandbox.Timedout"])
def test_a_message_that_kills_the_parser_is_quarantined_too(error: str) -> None:
    ended = go(Parse=[*[Fails(error)] * 3, CHECKED])
    assert ended.path == ["ParseEmail", *QUARANTINED]
    assert ended.attempts("ParseEmail") == 3
    assert (ended.status, ended.output["outcome"]) == ("SUCCEEDED", "quarantined")
    assert error in ended.output["reason"]
    assert error in quarantine_tag()
    assert ended.payloads["Reply"] == []


# Amazon S3 User Guide, "Categorizing your objects using tags": these characters, and no more than 256.
TAG_VALUE = re.compile(r"[A-Za-z0-9 +\-=._:/@]{1,256}")


def quarantine_tag() -> str:
    tags = boto3.client("s3", region_name=REGION).get_object_tagging(
        Bucket=BUCKET, Key=f"quarantine/{EMAIL['email_id']}"
    )
    [tag] = tags["TagSet"]
    assert tag["Key"] == "quarantined"
    return tag["Value"]


@pytest.mark.parametrize(
    "reason",
    [
        "it takes 30 s (more than it may)",
        'a "quoted" \\ path, <tags> & 100 % of it; and more',
        "zwei\nZeilen, ärgerlich, 電子メール",
        "x(" * 400,
    ],
)
def test_any_reason_is_kept_as_a_tag_that_s3_takes(reason: str) -> None:
    ended = go(Parse=[Fails("UnreadableEmail", reason), CHECKED])
    assert TAG_VALUE.fullmatch(quarantine_tag())
    assert ended.output["reason"] == reason
    assert f"s3://{BUCKET}/quarantine/" in ended.alerts[0]["Message"]


def test_a_deleted_object_alerts_the_operators_although_it_cannot_be_copied() -> None:
    boto3.client("s3", region_name=REGION).delete_object(Bucket=BUCKET, Key=KEY)
    ended = go(Parse=[Fails("UnreadableEmail", "the object is not there any more"), CHECKED])
    assert ended.path == ["ParseEmail", *QUARANTINED]
    assert (ended.status, ended.output["outcome"]) == ("SUCCEEDED", "quarantined")
    assert "could not be copied" in ended.alerts[0]["Message"]


def test_the_sender_gets_the_reason_of_an_application_that_refuses() -> None:
    said = {"reason": "application_refused", "tell_sender": True, "explanation": None, "answer_key": "answers/1"}
    ended = go(Process=[Fails("ApplicationRefused", json.dumps(said))])
    assert ended.path[-3:] == ["ProcessEmail", "ChooseRefusal", "SendRefusal"]
    assert (ended.output["outcome"], ended.output["reason"]) == ("refused", "application_refused")
    assert ended.payloads["Reply"][0]["answer_key"] == "answers/1"


def test_after_a_defect_in_processing_the_sender_gets_a_notice_and_the_execution_fails_there() -> None:
    ended = go(Process=[Fails("ZeroDivisionError")])
    assert ended.path == [*TO_PROCESSING, "SendFailureNotice", "ChooseLastTry", "ReprocessEmail"]
    assert ended.status == "FAILED"
    assert ended.timeline.error == "ZeroDivisionError"
    assert ended.attempts("ProcessEmail") == 1
    assert [payload["kind"] for payload in ended.payloads["Reply"]] == ["failure"]
    # What a redrive repeats is the very same call, under the same key.
    assert ended.payloads["Process"][0] == ended.payloads["Process"][-1]


def test_after_an_outage_the_sender_gets_the_reason_of_a_refusal() -> None:
    said = {"reason": "application_refused", "tell_sender": True, "explanation": None, "answer_key": "answers/1"}
    ended = go(Process=[Fails("ZeroDivisionError"), Fails("ApplicationRefused", json.dumps(said))])
    assert ended.path[-4:] == ["ChooseLastTry", "ReprocessEmail", "ChooseRefusal", "SendRefusal"]
    assert (ended.status, ended.output["outcome"]) == ("SUCCEEDED", "refused")


def test_a_failure_notice_that_cannot_be_sent_does_not_hide_the_failure() -> None:
    ended = go(Process=[Fails("ZeroDivisionError")], Reply=[Fails("MessageRejected")])
    assert ended.path[-3:] == ["SendFailureNotice", "ChooseLastTry", "ReprocessEmail"]
    assert (ended.status, ended.timeline.error) == ("FAILED", "ZeroDivisionError")


def test_work_that_succeeds_at_the_last_try_is_answered() -> None:
    ended = go(Process=[Fails("ZeroDivisionError"), {"answer_key": "answers/0123456789-abc.json"}])
    assert ended.path[-3:] == ["ReprocessEmail", "ChooseReply", "SendReply"]
    assert (ended.status, ended.output["outcome"]) == ("SUCCEEDED", "replied")


@pytest.mark.parametrize("state", ["ParseEmail", "ValidateEmail", "SendReply"])
def test_a_defect_outside_processing_fails_the_execution_at_its_state(state: str) -> None:
    ended = go(**{FUNCTION_OF[state]: [Fails("ZeroDivisionError")]})  # type: ignore[arg-type]
    assert ended.path[-1] == state
    assert (ended.status, ended.timeline.error) == ("FAILED", "ZeroDivisionError")


@pytest.mark.parametrize("answer", [{}, {"answer_key": "answers/another.json"}, {"answer_key": 7}])
def test_an_answer_key_that_is_not_ours_fails_the_execution_the_second_time(answer: dict[str, Any]) -> None:
    ended = go(Process=[answer])
    assert ended.path == [
        *TO_PROCESSING, "ChooseReply", "SendFailureNotice", "ChooseLastTry", "ReprocessEmail", "ChooseReply",
        "FailUnanswered",
    ]  # fmt: skip
    assert ended.status == "FAILED"
    assert [told["kind"] for told in ended.payloads["Reply"]] == ["failure"]


@pytest.mark.parametrize(
    ("script", "before"),
    [
        ([Fails("ZeroDivisionError"), {"answer_key": None}], "failure"),
        ([*[Fails("TransientError")] * 5, {"answer_key": None}], "delay"),
    ],
)
def test_a_sender_who_got_a_notice_gets_a_completion(script: list[Answer], before: str) -> None:
    ended = go(Process=script)
    assert ended.path[-2:] == ["ChooseReply", "SendCompletionNotice"]
    assert [told["kind"] for told in ended.payloads["Reply"]] == [before, "completion"]
    assert (ended.status, ended.output["outcome"], ended.output["ses_message_id"]) == (
        "SUCCEEDED",
        "processed",
        "ses-1",
    )


def test_a_sender_who_got_no_notice_gets_no_completion() -> None:
    ended = go(Process=[Fails("ZeroDivisionError"), {"answer_key": None}], Reply=[{"ses_message_id": None}])
    assert (ended.path[-1], ended.output["outcome"]) == ("EndWithoutReply", "processed")


def test_after_a_notice_that_failed_the_ledger_decides_whether_a_completion_follows() -> None:
    """SES may have accepted the notice: ReplyFunction knows, and answers without an id where it did not."""
    ended = go(
        Process=[Fails("ZeroDivisionError"), {"answer_key": None}],
        Reply=[Fails("ReplyRejected"), {"ses_message_id": None}],
    )
    assert (ended.path[-1], ended.status) == ("SendCompletionNotice", "SUCCEEDED")
    assert (ended.output["outcome"], ended.output["ses_message_id"]) == ("processed", None)


def test_a_replay_asks_whether_its_sender_was_told_to_wait() -> None:
    replayed = VALID | {"email": EMAIL | {"replay": True}}
    ended = go(Validate=[replayed], Process=[{"answer_key": None}], Reply=[{"ses_message_id": None}])
    assert ended.path[-1] == "SendCompletionNotice"
    assert (ended.output["outcome"], ended.output["ses_message_id"]) == ("processed", None)


def test_after_a_defect_the_retries_outlast_a_deployment_of_the_application() -> None:
    busy_again = Fails("ApplicationBusy", json.dumps({"retry_after_seconds": 30}))
    down = Fails("TransientError")
    ended = go(Process=[Fails("MalformedAnswer"), busy_again, busy_again, *[down] * 10, {"answer_key": ANSWER_KEY}])
    assert (ended.status, ended.output["outcome"]) == ("SUCCEEDED", "replied")


def test_an_application_that_wants_no_reply_gets_none() -> None:
    ended = go(Process=[{"answer_key": None}])
    assert ended.path[-2:] == ["ChooseReply", "EndWithoutReply"]
    assert (ended.status, ended.output["outcome"]) == ("SUCCEEDED", "processed")
    assert ended.payloads["Reply"] == []


def test_an_unauthenticated_sender_is_processed_and_not_replied_to() -> None:
    ended = go(Reply=[{"ses_message_id": None}])
    assert (ended.path[-1], ended.output["outcome"], ended.output["ses_message_id"]) == ("SendReply", "processed", None)


# ---- A reply that a rule withholds ----

SAID = {"reason": "application_refused", "tell_sender": True, "explanation": None, "answer_key": "answers/1"}
NOTHING = {"ses_message_id": None, "already_sent": False}


@pytest.mark.parametrize("answer_key", [ANSWER_KEY, None])
@pytest.mark.parametrize("replay", [False, True])
def test_a_message_whose_reply_is_withheld_is_processed_and_no_state_sends(
    answer_key: str | None, replay: bool
) -> None:
    claim = WITHHELD | {"email": EMAIL | {"replay": replay}}
    ended = go(Validate=[claim], Process=[{"answer_key": answer_key}])
    assert ended.path == [*TO_PROCESSING, "ChooseReply", "EndWithoutReply"]
    assert ended.payloads["Process"][0]["claim"]["withheld"] == "automatic_mail"
    assert ended.payloads["Reply"] == []
    assert ended.output == {
        "outcome": "processed",
        "email_id": EMAIL["email_id"],
        "route": "orders",
        "reason": None,
        "withheld": "automatic_mail",
    }


@pytest.mark.parametrize("before", [[], [Fails("ZeroDivisionError")]])
def test_a_refusal_of_the_application_is_not_told_if_the_reply_is_withheld(before: list[Answer]) -> None:
    ended = go(Validate=[WITHHELD], Process=[*before, Fails("ApplicationRefused", json.dumps(SAID))], Reply=[NOTHING])
    assert ended.path[-2:] == ["ChooseRefusal", "StaySilent"]
    assert (ended.output["outcome"], ended.output["reason"]) == ("silent", "application_refused")
    assert ended.output["withheld"] == "automatic_mail"
    assert {told["kind"] for told in ended.payloads["Reply"]} <= {"failure"}


def test_an_outage_delays_a_message_whose_reply_is_withheld_without_a_notice() -> None:
    outage = [Fails("TransientError")] * QUICK_TRIES * 2
    ended = go(Validate=[WITHHELD], Process=[*outage, {"answer_key": ANSWER_KEY}])
    assert ended.path == [*TO_PROCESSING, *WAITING * 2, "ChooseReply", "EndWithoutReply"]
    assert ended.payloads["Reply"] == []


@pytest.mark.parametrize(
    ("done", "error"),
    [(Fails("ZeroDivisionError"), "ZeroDivisionError"), ({"answer_key": "answers/another"}, "ApplicationUnanswered")],
)
def test_a_message_whose_reply_is_withheld_fails_its_execution_as_any_other(done: Answer, error: str) -> None:
    """The operators hear of it; ReplyFunction sends nothing for a claim that is withheld."""
    ended = go(Validate=[WITHHELD], Process=[done], Reply=[NOTHING])
    assert (ended.status, ended.timeline.error) == ("FAILED", error)
    assert all(told["claim"]["withheld"] == "automatic_mail" for told in ended.payloads["Reply"])


@pytest.mark.parametrize(("withheld", "outcome"), [("automatic_mail", "processed"), (None, "replied")])
def test_an_application_that_pulls_knows_whether_the_reply_is_withheld(withheld: str | None, outcome: str) -> None:
    consumer = Consumer(succeeds(json.dumps({"answer_key": ANSWER_KEY})))
    ended = go(meanwhile=consumer, Validate=[consumer.valid | {"withheld": withheld}])
    assert QueueItem.model_validate(consumer.items[0]).withheld == withheld
    assert ended.output["outcome"] == outcome


@pytest.mark.parametrize("error", ["Runtime.ExitError", "Sandbox.Timedout", "Lambda.Unknown"])
def test_a_message_that_kills_the_validation_is_quarantined_too(error: str) -> None:
    ended = go(Parse=[CLAIM, CHECKED], Validate=[Fails(error)])
    assert ended.path == ["ParseEmail", "ValidateEmail", *QUARANTINED]
    assert ended.attempts("ValidateEmail") == 3
    assert (ended.status, ended.output["outcome"]) == ("SUCCEEDED", "quarantined")
    assert error in ended.output["reason"]
    assert error in quarantine_tag()
    assert ended.payloads["Reply"] == []


# ---- Patience with the application ----

QUICK_TRIES = 5


def test_after_an_outage_the_sender_has_one_notice_and_the_answer() -> None:
    outage = [Fails("TransientError")] * QUICK_TRIES * 4
    ended = go(Process=[*outage, {"answer_key": ANSWER_KEY}])
    assert ended.status == "SUCCEEDED"
    assert ended.waits == [60, 120, 240, 480]
    told = WAITING.copy()
    told.insert(2, "SendDelayNotice")
    assert ended.path == [*TO_PROCESSING, *told, *WAITING * 3, "ChooseReply", "SendReply"]
    assert [payload["kind"] for payload in ended.payloads["Reply"]] == ["delay", "answer"]
    assert len({payload["idempotency_key"] for payload in ended.payloads["Process"]}) == 1


def test_an_outage_beyond_the_routes_horizon_ends_in_the_failure_notice() -> None:
    ended = go(Process=[Fails("TransientError")])
    assert sum(ended.waits) <= PROCESSING["outage_seconds"] < sum(ended.waits) + WAITS["OutageLongestWaitSeconds"]
    assert max(ended.waits) == WAITS["OutageLongestWaitSeconds"]
    assert ended.path[-4:] == ["CheckOutage", "SendFailureNotice", "ChooseLastTry", "ReprocessEmail"]
    assert (ended.status, ended.timeline.error) == ("FAILED", "TransientError")
    assert [payload["kind"] for payload in ended.payloads["Reply"]] == ["delay", "failure"]


def test_a_route_without_outage_hours_fails_after_the_quick_tries() -> None:
    ended = go(Validate=[VALID | {"processing": PROCESSING | {"outage_seconds": 0}}], Process=[Fails("TransientError")])
    assert ended.waits == []
    assert [payload["kind"] for payload in ended.payloads["Reply"]] == ["failure"]


def busy(seconds: int) -> Fails:
    return Fails("ApplicationBusy", json.dumps({"retry_after_seconds": seconds}))


def test_a_short_retry_after_is_waited_for_and_no_notice_sent() -> None:
    ended = go(Process=[busy(7), {"answer_key": ANSWER_KEY}])
    assert ended.waits == [7]
    assert ended.path == [*TO_PROCESSING, *WAITING, "ChooseReply", "SendReply"]
    assert ended.attempts("ProcessEmail") == 1


def test_a_retry_after_is_the_least_that_is_waited_and_waits_grow() -> None:
    ended = go(Process=[busy(2), busy(1), busy(100), busy(1), {"answer_key": ANSWER_KEY}])
    assert ended.waits == [2, 4, 100, 200]
    assert [payload["kind"] for payload in ended.payloads["Reply"]] == ["delay", "answer"]


def test_a_delay_notice_that_cannot_be_sent_does_not_end_the_retries() -> None:
    outage = [Fails("TransientError")] * QUICK_TRIES
    ended = go(Process=[*outage, {"answer_key": ANSWER_KEY}], Reply=[Fails("ReplyRejected"), REPLIED])
    assert (ended.status, ended.output["outcome"]) == ("SUCCEEDED", "replied")


# ---- The application's queue ----


class Consumer:
    """Takes items from the queue, and answers each by the next of its answers."""

    # A consumer that answers has all the time that it needs; one that does not is waited for as long as it may take.
    def __init__(self, *answers: Callable[[Any, str], object], limit_seconds: int = 3600) -> None:
        self._sqs = boto3.client("sqs", region_name=REGION)
        self._sfn = boto3.client("stepfunctions", region_name=REGION)
        self.url = self._sqs.create_queue(QueueName="application.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
        self.items: list[dict[str, Any]] = []
        self.attributes: list[dict[Any, str]] = []
        self._answers = list(answers)
        processing = PROCESSING | {
            "queue_url": self.url,
            "limit_seconds": limit_seconds,
            "heartbeat_seconds": limit_seconds - 1,
        }
        self.valid = VALID | {"processing": processing}

    def __call__(self) -> None:
        found = self._sqs.receive_message(QueueUrl=self.url, MessageSystemAttributeNames=["All"])
        for message in found.get("Messages", []):
            self.items.append(json.loads(message["Body"]))
            self.attributes.append(message["Attributes"])
            # Deleted first: the answer lets the workflow send again, and moto's queue takes one call at a time.
            self._sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
            assert callbacks_awaited.acquire(timeout=60)
            if self._answers:
                self._answers.pop(0)(self._sfn, self.items[-1]["task_token"])


def succeeds(output: str) -> Callable[[Any, str], object]:
    return lambda sfn, token: sfn.send_task_success(taskToken=token, output=output)


def fails(error: str, cause: str) -> Callable[[Any, str], object]:
    return lambda sfn, token: sfn.send_task_failure(taskToken=token, error=error, cause=cause)


def queued(consumer: Consumer) -> Run:
    return go(meanwhile=consumer, Validate=[consumer.valid])


def test_an_application_that_pulls_answers_by_the_token() -> None:
    consumer = Consumer(succeeds('{"answer_key": "answers/0123456789-abc.json"}'))
    ended = queued(consumer)
    assert ended.path == ["ParseEmail", "ValidateEmail", "ChooseProcessor", "QueueEmail", "ChooseReply", "SendReply"]
    assert ended.payloads["Reply"][0]["answer_key"] == "answers/0123456789-abc.json"
    item = QueueItem.model_validate(consumer.items[0])
    assert (item.message_key, item.answer_key) == (CLAIM["message_key"], "answers/0123456789-abc.json")
    assert consumer.attributes[0]["MessageGroupId"] == PROCESSING["group"]


@pytest.mark.parametrize("number", [0, 1, 3])
def test_an_application_that_pulls_gets_the_earlier_messages_of_the_thread(number: int) -> None:
    thread = [
        {"email_id": f"e{n}", "message_key": f"parsed/e{n}/message.json", "answer_keys": [f"answers/e{n}.json"] * n}
        for n in range(number)
    ]
    consumer = Consumer(succeeds(json.dumps({"answer_key": ANSWER_KEY})))
    go(meanwhile=consumer, Validate=[consumer.valid | {"thread": thread}])
    item = QueueItem.model_validate(consumer.items[0])
    assert [one.model_dump(mode="json") for one in item.thread] == thread


def test_an_application_that_pulls_may_want_no_reply() -> None:
    assert queued(Consumer(succeeds('{"answer_key": null}'))).output["outcome"] == "processed"


@pytest.mark.parametrize("answer", ["{}", '{"answerKey": null}', '{"answer_key": "answers/another.json"}', '"done"'])
def test_an_invalid_answer_from_a_queue_fails_and_sends_no_answer_of_another_email(answer: str) -> None:
    ended = queued(Consumer(succeeds(answer)))
    assert ended.path[-4:] == ["ChooseReply", "SendFailureNotice", "ChooseLastTry", "FailUnanswered"]
    assert [told["kind"] for told in ended.payloads["Reply"]] == ["failure"]


def test_an_application_that_pulls_may_refuse() -> None:
    ended = queued(Consumer(fails("ApplicationRefused", "No such order.")))
    assert (ended.path[-1], ended.output["outcome"]) == ("SendRefusal", "refused")
    # Moto loses the cause that the consumer gives; that the sender reads it is shown in tests/cloud/test_queue.py.
    assert ended.payloads["Reply"][0]["explanation"] is None


def test_an_application_that_pulls_may_ask_to_try_again() -> None:
    consumer = Consumer(fails("TransientError", "later"), succeeds('{"answer_key": null}'))
    ended = queued(consumer)
    assert ended.status == "SUCCEEDED"
    assert len(consumer.items) == 2
    assert len({attributes["MessageDeduplicationId"] for attributes in consumer.attributes}) == 2


@pytest.mark.parametrize(
    "consumer", [lambda: Consumer(limit_seconds=2), lambda: Consumer(fails("Defect", "no"))], ids=["silent", "failed"]
)
def test_a_queue_without_an_answer_ends_in_the_failure_notice_and_a_failed_execution(
    consumer: Callable[[], Consumer],
) -> None:
    ended = queued(consumer())
    assert ended.path[-4:] == ["QueueEmail", "SendFailureNotice", "ChooseLastTry", "FailUnanswered"]
    assert (ended.status, ended.timeline.error) == ("FAILED", "ApplicationUnanswered")
    assert f"mailstep replay {EMAIL['email_id']}" in str(ended.timeline.cause)


# ---- Every error of every Retry ----

THROTTLE = "Lambda.TooManyRequestsException"
FUNCTION_OF = {
    name: state["Arguments"]["FunctionName"].removeprefix("${").removesuffix("FunctionArn}")
    for name, state in STATES.items()
    if state["Type"] == "Task" and "FunctionName" in state["Arguments"]
}
RETRIERS = [
    (name, tuple(error for error in retrier["ErrorEquals"] if error != "States.Timeout"), retrier["MaxAttempts"])
    for name in FUNCTION_OF
    for retrier in STATES[name]["Retry"]
    if retrier["ErrorEquals"] != [THROTTLE]
]
# An execution of moto's takes half a second: one shows as many errors of a retrier as it has attempts.
TRANSIENT = [
    (name, errors[start : start + attempts], attempts)
    for name, errors, attempts in RETRIERS
    for start in range(0, len(errors), attempts)
]
# Each retrier's end, by its first error and by each error that a Catch of the state names.
LASTING = [
    (name, error, attempts)
    for name, errors, attempts in RETRIERS
    for error in errors
    if error == errors[0] or any(error in catcher["ErrorEquals"] for catcher in STATES[name].get("Catch", []))
]
# What leads to a state that an ordinary message does not come to.
DETOURS: dict[str, dict[str, list[Answer]]] = {
    "CheckSender": {"Parse": [Fails("UnreadableEmail", "it is empty")]},
    "SendRefusal": {"Validate": [refused()]},
    "SendDelayNotice": {"Process": [*[Fails("TransientError")] * QUICK_TRIES, {"answer_key": ANSWER_KEY}]},
    "SendFailureNotice": {"Process": [Fails("ZeroDivisionError")]},
    "SendCompletionNotice": {
        "Process": [Fails("ZeroDivisionError"), {"answer_key": None}],
        "Reply": [REPLIED],
    },
    "ReprocessEmail": {"Process": [Fails("ZeroDivisionError")]},
}


DEATHS = {"Lambda.Unknown", "Runtime.ExitError", "Sandbox.Timedout"}


def failing(state: str, error: str) -> Answer:
    """The error as the workflow sees it; where it has a text that the workflow reads, with that text."""
    texts = {"ApplicationBusy": json.dumps({"retry_after_seconds": 30})}
    return Fails(error, texts.get(error, f"{state} failed"))


def good(state: str) -> Answer:
    if state == "CheckSender":
        return CHECKED
    answers: dict[str, Answer] = {
        "Parse": CLAIM,
        "Validate": VALID,
        "Process": {"answer_key": ANSWER_KEY},
        "Reply": REPLIED,
    }
    return answers[FUNCTION_OF[state]]


@pytest.mark.parametrize(("state", "errors", "attempts"), TRANSIENT)
def test_after_transient_faults_the_retries_go_on_with_the_message(
    state: str, errors: tuple[str, ...], attempts: int
) -> None:
    function = FUNCTION_OF[state]
    detour = DETOURS.get(state, {})
    before = detour.get(function, [])
    faults = list(islice(cycle(errors), attempts))
    ended = go(**detour | {function: [*before, *[failing(state, error) for error in faults], good(state)]})
    tried = ended.timeline.states[ended.path.index(state)].attempts
    assert [attempt.error for attempt in tried] == [*faults, None]


@pytest.mark.parametrize(("state", "error", "attempts"), LASTING)
def test_a_fault_that_stays_ends_the_retries(state: str, error: str, attempts: int) -> None:
    function = FUNCTION_OF[state]
    detour = DETOURS.get(state, {})
    # A message that kills ValidateEmail is quarantined, and then ParseFunction checks its sender.
    parsed = {"Parse": [CLAIM, CHECKED]} if state == "ValidateEmail" else {}
    ended = go(**parsed | detour | {function: [*detour.get(function, []), failing(state, error)]})
    assert ended.attempts(state) == attempts + 1
    caught = state == "CheckSender" or (state in {"ParseEmail", "ValidateEmail"} and error in DEATHS)
    assert ended.status == ("SUCCEEDED" if caught else "FAILED")


@pytest.mark.parametrize("state", FUNCTION_OF)
def test_a_throttled_step_is_retried_until_the_burst_is_over(state: str) -> None:
    function = FUNCTION_OF[state]
    detour = DETOURS.get(state, {})
    tried = [*detour.get(function, []), *[Throttled()] * 9, good(state)]
    ended = go(**detour | {function: tried})
    assert ended.attempts(state) == 10
    assert [attempt.error for attempt in ended.timeline.states[ended.path.index(state)].attempts] == [
        *[THROTTLE] * 9,
        None,
    ]


def expected_seconds(retrier: dict[str, Any]) -> float:
    """How long a retrier waits in all, on average (Amazon States Language, "Retry"; FULL jitter: half of each wait)."""
    longest: float = retrier.get("MaxDelaySeconds", float("inf"))
    waits = (
        min(retrier["IntervalSeconds"] * retrier["BackoffRate"] ** n, longest) for n in range(retrier["MaxAttempts"])
    )
    total: float = sum(waits)
    return total * (0.5 if retrier.get("JitterStrategy") == "FULL" else 1)


def of_error(state: str, error: str) -> dict[str, Any]:
    return next(retrier for retrier in STATES[state]["Retry"] if error in retrier["ErrorEquals"])


@pytest.mark.parametrize("state", FUNCTION_OF)
def test_a_throttled_task_is_retried_for_hours_and_often(state: str) -> None:
    retrier = of_error(state, THROTTLE)
    assert retrier["IntervalSeconds"] <= 2
    assert retrier["MaxDelaySeconds"] <= 60, "one that has waited long is tried as often as a newcomer, or nearly"
    # Waits are what keeps the tries of many executions apart.
    assert retrier["JitterStrategy"] == "FULL"
    caught = [error for catcher in STATES[state].get("Catch", []) for error in catcher["ErrorEquals"]]
    if state == "ProcessEmail":
        assert THROTTLE in caught, "it waits on in PlanNextTry, with the sender told"
    else:
        assert expected_seconds(retrier) >= 2 * 3600
    # A history holds 25,000 events (AWS Step Functions, "Quotas"). A try takes three, and no message comes to more than
    # seven tasks of a function: parse, validate, process, two notices, the work once more, and what is said at the end.
    assert 3 * retrier["MaxAttempts"] * 7 < 25_000


@pytest.mark.parametrize("state", [state for state in FUNCTION_OF if FUNCTION_OF[state] == "Reply"])
def test_a_reply_is_sent_after_its_function_died_five_times(state: str) -> None:
    """A death leaves the record "in progress" until the function's timeout is over (template.yaml: 20 s)."""
    death, locked = Fails("Runtime.ExitError"), Fails("IdempotencyAlreadyInProgressError")
    tries_while_locked = 10
    detour = DETOURS.get(state, {})
    deaths: list[Answer] = [death, *[locked] * tries_while_locked]
    script = detour | {"Reply": [*detour.get("Reply", []), *deaths * 5, REPLIED]}
    ended = go(**script)  # type: ignore[arg-type]
    assert [attempt.error for attempt in ended.timeline.states[ended.path.index(state)].attempts][-1] is None
    assert expected_seconds(of_error(state, "IdempotencyAlreadyInProgressError")) >= 5 * 20


SERVICES = {"QuarantineEmail": "CopyObject", "AlertOperators": "Publish"}
QUEUES = {"QueueEmail"}


def test_every_task_is_a_function_or_a_service_tried_here() -> None:
    assert {name for name, state in STATES.items() if state["Type"] == "Task"} == {*FUNCTION_OF, *SERVICES, *QUEUES}


@pytest.mark.parametrize("state", SERVICES)
def test_a_service_that_fails_is_tried_again(state: str) -> None:
    with service_failing(SERVICES[state], times=2):
        ended = go(Parse=[Fails("UnreadableEmail", "it is empty"), CHECKED])
    assert ended.attempts(state) == 3
    assert (ended.status, ended.output["outcome"]) == ("SUCCEEDED", "quarantined")


TIMEOUT_RETRIED = [
    state for state in FUNCTION_OF if any("States.Timeout" in r["ErrorEquals"] for r in STATES[state]["Retry"])
]


@pytest.mark.parametrize("state", TIMEOUT_RETRIED)
def test_a_task_without_an_answer_times_out_and_is_tried_again(state: str) -> None:
    function = FUNCTION_OF[state]
    detour = DETOURS.get(state, {})
    ended = go(**detour | {function: [*detour.get(function, []), Hangs(), good(state)]})
    assert [attempt.error for attempt in ended.timeline.states[ended.path.index(state)].attempts] == [
        "States.Timeout",
        None,
    ]
