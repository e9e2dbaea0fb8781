"""Later answers: sent once for each name, in the thread, and to no sender that Mailstep may not write to.

Over 300 lines, because a later answer is followed here from the bucket to the reply.
"""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sesv2.models import sesv2_backends

from mailstep import limits, reference, routes
from mailstep.answers import read_answer
from mailstep.aws import ledger, mail_bucket
from mailstep.contracts import Message
from mailstep.errors import MalformedAnswer, RefusedEmail, UnknownEmail
from mailstep.parse import handler as parse_handler
from mailstep.reply import handler as reply_handler
from mailstep.start import handler as start_handler
from mailstep.telemetry import logger
from mailstep.validate import handler as validate_handler
from mailstep_cli import later_answers
from mailstep_cli.errors import UserError
from mailstep_cli.home_stack import HomeStack
from tests.support.events import BUCKET, CONTEXT, REGION, batch, event, sample
from tests.support.index import TABLE, message_index
from tests.support.project import LATER_STATES, STATES

pytestmark = pytest.mark.usefixtures("account")
EMAIL_ID = event("validate")["claim"]["email"]["email_id"]


@pytest.fixture(autouse=True)
def _parsed(account: None) -> None:
    parse_handler.handler(event("parse"), CONTEXT)


def s3() -> Any:
    return boto3.client("s3", region_name=REGION)


def write(name: str = "shipped", body: str | bytes = '{"text": "It is on its way."}') -> dict[str, str]:
    key = f"answers/{EMAIL_ID}/{name}.json"
    s3().put_object(Bucket=BUCKET, Key=key, Body=body)
    return {"email_id": EMAIL_ID, "name": name, "bucket": BUCKET, "key": key}


def change_message(**fields: object) -> None:
    key = f"parsed/{EMAIL_ID}/message.json"
    message = json.loads(s3().get_object(Bucket=BUCKET, Key=key)["Body"].read())
    s3().put_object(Bucket=BUCKET, Key=key, Body=json.dumps(message | fields))


def validate(answer: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = validate_handler.handler({"later_answer": answer}, CONTEXT)
    return found


def send(answer: dict[str, str], execution: str = "x") -> dict[str, Any]:
    """Both tasks of the workflow, one after the other."""
    claim = validate(answer)["claim"]
    request = {"execution_name": execution, "claim": claim, "kind": "later_answer", "later_answer": answer}
    replied: dict[str, Any] = reply_handler.handler(request, CONTEXT)
    return replied


def outbox() -> list[EmailMessage]:
    backend: Any = sesv2_backends[DEFAULT_ACCOUNT_ID][REGION]
    raw = [message.raw_data for message in backend.core_backend.sent_messages]
    return [
        message_from_bytes(r if isinstance(r, bytes) else r.encode(), _class=EmailMessage, policy=policy.default)
        for r in raw
    ]


def test_a_later_answer_goes_to_the_sender_in_the_thread_of_the_email() -> None:
    reply_handler.handler(event("reply") | {"answer_key": None, "kind": "failure"}, CONTEXT)
    assert send(write())["ses_message_id"]
    first, later = outbox()
    assert "It is on its way." in str(later)
    for name in ("To", "From", "Subject", "In-Reply-To", "References"):
        assert later[name] == first[name], name


def test_each_name_is_sent_once_however_often_its_file_is_written_and_its_event_comes() -> None:
    for number in range(3):
        sent = send(write(body=json.dumps({"text": f"version {number}"})), execution=f"run-{number}")
        assert sent["already_sent"] == (number > 0)
    assert send(write("invoice"))["already_sent"] is False
    assert ["version 0" in str(mail) for mail in outbox()] == [True, False]


NOT_AUTHENTICATED: dict[str, object] = {"verdicts": {"spam": "PASS", "virus": "PASS"}}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        (NOT_AUTHENTICATED, "unauthenticated"),
        ({"headers": [["Auto-Submitted", "auto-replied"]]}, "automatic_mail"),
        ({"headers": [["List-Id", "<news.example>"]]}, "automatic_mail"),
        ({"headers": [["X-Mailstep-Email-Id", "x"]]}, "own_address"),
        ({"from": []}, "no_sender"),
        ({"verdicts": {"virus": "FAIL", "dmarc": "pass", "dmarc_domain": "shop.example"}}, "virus"),
    ],
)
def test_an_email_whose_sender_gets_no_mail_has_no_later_answer(changes: dict[str, object], code: str) -> None:
    change_message(**changes)
    assert validate(write())["withheld"] == code


def test_nothing_is_sent_to_an_unauthenticated_address_even_if_the_check_is_skipped() -> None:
    change_message(**NOT_AUTHENTICATED)
    assert send(write())["ses_message_id"] is None
    assert outbox() == []


def test_an_address_that_bounced_since_gets_no_later_answer() -> None:
    ledger.suppress("ann@shop.example", seconds=60)
    assert validate(write())["withheld"] == "suppressed_sender"


def replay(rule: str | None) -> None:
    """Check the email again, as `mailstep replay` does, with a rule that an operator overrides."""
    request = event("validate")
    operator = {"rule": rule, "by": "arn:aws:iam::123456789012:user/ann"} if rule else None
    request["claim"]["email"] |= {"replay": True, "override": operator}
    with suppress(RefusedEmail):
        validate_handler.handler(request, CONTEXT)


def test_a_later_answer_follows_the_override_of_the_emails_latest_replay() -> None:
    """docs/applications.md, "A later answer": the operator decided about the message."""
    change_message(headers=[["List-Id", "<news.example>"]])
    replay("automatic_mail")
    assert send(write())["ses_message_id"]
    replay("spam")
    assert validate(write())["withheld"] == "automatic_mail"
    replay("automatic_mail")
    assert validate(write())["withheld"] is None
    replay(None)
    assert validate(write())["withheld"] == "automatic_mail"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        (NOT_AUTHENTICATED, "unauthenticated"),
        ({"headers": [["Auto-Submitted", "auto-replied"]]}, "automatic_mail"),
        ({"headers": [["X-Mailstep-Email-Id", "x"]]}, "own_address"),
    ],
)
def test_no_override_sends_a_later_answer_where_it_would_send_no_first_one(
    changes: dict[str, object], code: str
) -> None:
    """docs/policy.md, "override": processed, no reply."""
    change_message(**changes)
    replay(code)
    assert validate(write())["withheld"] == code


def test_an_override_of_what_is_on_record_of_a_sender_is_not_for_later_answers() -> None:
    ledger.suppress("ann@shop.example", seconds=60)
    replay("suppressed_sender")
    assert validate(write())["withheld"] == "suppressed_sender"


def test_the_claim_of_a_later_answer_names_the_raw_message() -> None:
    """A reader of the execution finds the email that it answers."""
    email = validate(write())["claim"]["email"]
    parsed = event("parse")
    assert {name: email[name] for name in ("email_id", "route", "bucket", "key")} == {
        name: parsed[name] for name in ("email_id", "route", "bucket", "key")
    }
    assert s3().head_object(Bucket=email["bucket"], Key=email["key"])


def test_a_message_that_was_refused_as_such_may_be_answered() -> None:
    # docs/policy.md: too large, and a program attached; its sender may be told.
    change_message(size_octets=100_000_000)
    assert validate(write())["withheld"] is None


def test_each_later_answer_counts_to_the_replies_of_the_sender_once() -> None:
    # docs/policy.md: replies_an_hour, 20 by default.
    names = [f"n{number}" for number in range(20)]
    assert {validate(write(name))["withheld"] for name in [*names, *names]} == {None}
    assert validate(write("one-more"))["withheld"] == "too_many_replies"


def test_a_later_answer_counts_when_it_is_sent_and_not_when_its_email_came() -> None:
    # docs/policy.md: replies_an_hour, 20 by default.
    then = datetime.now(UTC) - timedelta(days=3)
    change_message(received=then.isoformat())
    key = f"parsed/{EMAIL_ID}/message.json"
    message = Message.model_validate_json(s3().get_object(Bucket=BUCKET, Key=key)["Body"].read())
    records = ledger.Ledger(lambda _execution: False)
    for number in range(20):
        assert records.count_reply(message.model_copy(update={"email_id": f"m{number}"}), message.from_[0], 20)
    assert not records.count_reply(message.model_copy(update={"email_id": "m20"}), message.from_[0], 20)
    assert validate(write())["withheld"] is None


def test_a_later_answer_beyond_the_bound_sounds_the_alarm_of_replies(capsys: pytest.CaptureFixture[str]) -> None:
    # docs/runbook.md, RepliesBoundedAlarm.
    for number in range(20):
        validate(write(f"n{number}"))
    assert "RepliesBounded" not in capsys.readouterr().out
    validate(write("one-more"))
    said = capsys.readouterr().out
    assert '"RepliesBounded":[1.0]' in said
    assert '"route":"orders"' in said


def test_the_bound_of_later_answers_is_that_of_the_route(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "routes.toml"
    file.write_text('[routes.orders]\nprocessor = "tables"\nreplies_an_hour = 1\n')
    monkeypatch.setattr(routes, "ROUTES_FILE", file)
    assert [validate(write(name))["withheld"] for name in ("a", "b")] == [None, "too_many_replies"]


def test_an_email_of_a_route_that_was_taken_away_has_later_answers_by_the_usual_settings() -> None:
    change_message(route="gone")
    assert validate(write())["withheld"] is None


@pytest.mark.parametrize("own", ["orders@mailstep.example", "desk@mailstep.example"])
def test_a_later_answer_to_an_address_of_mailsteps_own_is_withheld(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, own: str
) -> None:
    file = tmp_path / "routes.toml"
    # Other replies come from the stack's address, such as those of a route that was taken away.
    file.write_text('[routes.orders]\nprocessor = "tables"\nreply_from = "orders@mailstep.example"\n')
    monkeypatch.setattr(routes, "ROUTES_FILE", file)
    monkeypatch.setenv("REPLY_FROM", "desk@mailstep.example")
    passed = {"spam": "PASS", "virus": "PASS", "dmarc": "pass", "dmarc_domain": own.partition("@")[2]}
    change_message(**{"from": [{"name": "", "address": own}], "verdicts": passed})
    assert validate(write())["withheld"] == "own_address"


def test_the_log_says_which_later_answer_is_withheld_and_why() -> None:
    change_message(**NOT_AUTHENTICATED)
    with patch.object(logger, "info") as said:
        validate(write("invoice"))
    [line] = said.call_args_list
    assert "not sent" in line.args[0]
    assert line.kwargs["extra"] == {"answer_name": "invoice", "withheld": "unauthenticated"}
    assert logger.get_correlation_id() == EMAIL_ID


def test_an_unknown_email_is_an_error_that_says_so() -> None:
    answer = write() | {"email_id": "gone-1", "key": "answers/gone-1/shipped.json"}
    with pytest.raises(UnknownEmail, match="no message of the email gone-1"):
        validate(answer)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"\xff\xfe", "is not JSON"),
        ("It is on its way.", "is not JSON"),
        ("{}", "text: Field required"),
        ('{"text": "x", "attachments": [{"filename": "a"}]}', "attachments.0.media_type: Field required"),
    ],
)
def test_a_file_that_is_no_answer_fails_with_what_to_do_and_a_redrive_sends_the_right_one(
    body: str | bytes, said: str
) -> None:
    answer = write(body=body)
    with pytest.raises(MalformedAnswer, match=said) as raised:
        send(answer)
    assert "redrive" in str(raised.value)
    assert "on its way" not in str(raised.value)
    write()
    assert send(answer)["already_sent"] is False


def test_a_file_that_is_too_large_or_gone_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = write()
    monkeypatch.setattr(limits, "ANSWER_OCTETS", 10)
    with pytest.raises(MalformedAnswer, match="larger than 10 octets"):
        send(answer)
    s3().delete_object(Bucket=BUCKET, Key=answer["key"])
    with pytest.raises(MalformedAnswer, match="not there any more"):
        send(answer)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> str:
    arn: str = boto3.client("stepfunctions", region_name=REGION).create_state_machine(
        name="later-answer", definition="{}", roleArn="arn:aws:iam::123456789012:role/x"
    )["stateMachineArn"]
    for name, value in (("LATER_ANSWERS_ARN", arn), ("STATE_MACHINE_ARN", arn), ("MAIL_BUCKET", BUCKET)):
        monkeypatch.setenv(name, value)
    return arn


def record(key: str) -> str:
    [one] = json.loads(sample())["Records"]
    return json.dumps({"Records": [one | {"s3": {"bucket": {"name": BUCKET}, "object": {"key": key}}}]})


def executions(machine: str) -> list[Any]:
    return boto3.client("stepfunctions", region_name=REGION).list_executions(stateMachineArn=machine)["executions"]


def test_ten_events_of_a_file_start_one_execution(machine: str) -> None:
    key = f"answers/{EMAIL_ID}/shipped.json"
    assert start_handler.handler(batch(*[record(key)] * 10), CONTEXT) == {"batchItemFailures": []}
    [execution] = executions(machine)
    described = boto3.client("stepfunctions", region_name=REGION).describe_execution(
        executionArn=execution["executionArn"]
    )
    assert json.loads(described["input"]) == {"email_id": EMAIL_ID, "name": "shipped", "bucket": BUCKET, "key": key}


@pytest.mark.parametrize(
    "key",
    [
        f"answers/{EMAIL_ID}.json",
        f"answers/{EMAIL_ID}/",
        f"answers/{EMAIL_ID}/note.txt",
        f"answers/{EMAIL_ID}/.json",
        f"answers/{EMAIL_ID}/a/b.json",
        f"answers/{EMAIL_ID}/n%C3%A4me.json",
    ],
)
def test_the_first_answer_and_other_objects_start_nothing(machine: str, key: str) -> None:
    assert start_handler.handler(batch(record(key)), CONTEXT) == {"batchItemFailures": []}
    assert executions(machine) == []


def test_its_tasks_are_retried_as_those_of_the_email_are() -> None:
    assert LATER_STATES["SendLaterAnswer"]["Retry"] == STATES["SendReply"]["Retry"]
    # Nothing quarantines a later answer: its first task is retried after a death as often as after an outage.
    retried = {
        error: one["MaxAttempts"]
        for one in LATER_STATES["ValidateLaterAnswer"]["Retry"]
        for error in one["ErrorEquals"]
    }
    transient = {error for one in STATES["ValidateEmail"]["Retry"] for error in one["ErrorEquals"]}
    assert retried == dict.fromkeys(transient, 5) | {"Lambda.TooManyRequestsException": 1000}
    assert {one["IntervalSeconds"] for one in LATER_STATES["ValidateLaterAnswer"]["Retry"]} == {1}
    for task, model in (("ValidateLaterAnswer", "ValidateEmail"), ("SendLaterAnswer", "SendReply")):
        assert LATER_STATES[task]["TimeoutSeconds"] == STATES[model]["TimeoutSeconds"]


@pytest.fixture
def home(machine: str) -> HomeStack:
    outputs = {"MailBucketName": BUCKET, "LaterAnswerStateMachineArn": machine, "MessageIndexName": TABLE}
    return HomeStack("mailstep", outputs, parameters={"ParsedRetentionDays": "30"})


def test_the_command_writes_the_answer_where_its_execution_looks(home: HomeStack, machine: str, tmp_path: Path) -> None:
    (tmp_path / "shipped.json").write_text('{"text": "It is on its way."}')
    written = later_answers.write(home, EMAIL_ID[:12], tmp_path / "shipped.json", None)
    assert written.key == f"answers/{EMAIL_ID}/shipped.json"
    start_handler.handler(batch(record(written.key)), CONTEXT)
    assert [execution["executionArn"] for execution in executions(machine)] == [written.execution_arn]
    stored = s3().get_object(Bucket=BUCKET, Key=written.key)["Body"].read()
    assert read_answer(stored).text == "It is on its way."
    with pytest.raises(UserError, match="give another --name"):
        later_answers.write(home, EMAIL_ID, tmp_path / "shipped.json", None)


def test_the_command_takes_the_reference_that_the_sender_reads_out(home: HomeStack, tmp_path: Path) -> None:
    (tmp_path / "note.json").write_text('{"text": "It is on its way."}')
    message_index().change(EMAIL_ID, lambda entry: entry.with_message(mail_bucket.message_of(BUCKET, EMAIL_ID)))
    written = later_answers.write(home, reference.spelled(EMAIL_ID).lower(), tmp_path / "note.json", None)
    assert written.key == f"answers/{EMAIL_ID}/note.json"


@pytest.mark.parametrize(
    ("email", "body", "name", "said"),
    [
        ("no-such-email", '{"text": "x"}', None, "no email that is kept has an id that begins with"),
        (EMAIL_ID, "x", None, "is not JSON"),
        (EMAIL_ID, '{"text": " "}', None, "the text is empty"),
        (EMAIL_ID, '{"text": "x"}', "a/b", "cannot name an answer"),
        (EMAIL_ID, '{"text": "x"}', "ä", "cannot name an answer"),
    ],
)
def test_the_command_refuses_what_could_not_be_sent(
    home: HomeStack, tmp_path: Path, email: str, body: str, name: str | None, said: str
) -> None:
    (tmp_path / "note.json").write_text(body)
    with pytest.raises(UserError, match=said):
        later_answers.write(home, email, tmp_path / "note.json", name)
    assert "Contents" not in s3().list_objects_v2(Bucket=BUCKET, Prefix=f"answers/{EMAIL_ID}/")
