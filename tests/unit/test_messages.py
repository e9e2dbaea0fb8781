"""What the command finds in the index: filters, names of an email, and how a person sees them.

Over 300 lines, because all views are of one mailbox.
"""

import io
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from jsonschema import validate

from mailstep import keys, reference
from mailstep.aws import threads
from mailstep.contracts import Answer, Message, StoredEmail
from mailstep.errors import TransientError
from mailstep.index import indexing
from mailstep.index_entry import Feedback, IndexEntry
from mailstep_cli import email_views, later_answers, messages, showing, statistics
from mailstep_cli.errors import UserError
from mailstep_cli.home_stack import HomeStack
from mailstep_cli.messages import Filter, emails, find_email
from mailstep_cli.terminal import Console
from tests.support.events import BUCKET, REGION
from tests.support.index import NOW, TABLE, WORKFLOW, email, ended_as, message_index, seen
from tests.support.project import PROJECT
from tests.support.requests import requests_made

pytestmark = pytest.mark.usefixtures("account")

HOME = HomeStack(
    "mailstep",
    {"StateMachineArn": WORKFLOW, "MailBucketName": BUCKET, "MessageIndexName": TABLE, "LedgerTableName": "ledger"},
    {"ProcessFunction": "mailstep-process"},
    NOW,
    {"ParsedRetentionDays": "30", "Domain": "mailstep.example", "ReplyFrom": ""},
)
ANN, BOB = {"name": "Ann Ålund", "address": "Ann@Shop.example"}, {"address": "bob@other.example"}
SES_ID, NOTICE_ID, LATER_ID = (f"0102018b-6d3e4f50-1111-2222-3333-44445555666{number}-000000" for number in range(3))


def store(stored: StoredEmail, **fields: Any) -> Message:
    values: dict[str, Any] = {"email_id": stored.email_id, "route": stored.route, "size_octets": 1600, "received": NOW}
    message = Message.model_validate(values | fields)
    boto3.client("s3", region_name=REGION).put_object(
        Bucket=BUCKET, Key=keys.message(stored.email_id), Body=message.model_dump_json().encode()
    )
    return message


@pytest.fixture
def mail() -> list[StoredEmail]:
    """An order that got a reply, one that was refused, a ticket that failed, a newsletter whose reply was withheld."""
    found = [email(1), email(2), email(3, "tickets"), email(4)]
    replied, refused = ended_as("replied", ses_message_id=SES_ID), ended_as("refused", "too_large")
    contents: list[tuple[dict[str, Any], str, str | None]] = [
        ({"from": [ANN], "subject": "Order 4711", "message_id": "<1@shop.example>"}, "SUCCEEDED", replied),
        ({"from": [BOB], "subject": "Invoice", "message_id": "<2@other.example>"}, "SUCCEEDED", refused),
        ({"from": [ANN], "subject": "Help, order 4711", "message_id": "<3@shop.example>"}, "FAILED", None),
        ({"from": [BOB], "subject": "News"}, "SUCCEEDED", ended_as("processed", withheld="automatic_mail")),
    ]
    for number, (stored, (fields, status, output)) in enumerate(zip(found, contents, strict=True)):
        when = NOW - timedelta(hours=number)
        message = store(stored, **fields, received=when)
        for sent in (SES_ID, NOTICE_ID, LATER_ID) if number == 0 else ():
            threads.record_reply(sent, message)
        error = "TransientError" if status == "FAILED" else None
        indexing.record(message_index(), seen(stored, status, started=when, output=output, error=error))
    return found


def numbers(mail: list[StoredEmail], wanted: Filter) -> list[int]:
    """The places in `mail` of what a filter finds."""
    ids = [stored.email_id for stored in mail]
    return [ids.index(entry.email_id) for entry in emails(message_index(), wanted)]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, [0, 1, 2, 3]),
        ({"route": "tickets"}, [2]),
        ({"sender": "ANN@shop.EXAMPLE"}, [0, 2]),
        ({"sender": "@other.example"}, [1, 3]),
        ({"sender": "ålund"}, [0, 2]),
        ({"subject": "order 4711"}, [0, 2]),
        ({"outcomes": ("failed",)}, [2]),
        ({"outcomes": ("failed", "refused")}, [1, 2]),
        ({"reason": "too_large"}, [1]),
        ({"reason": "automatic_mail"}, [3]),
        ({"reason": "TransientError"}, [2]),
        ({"since": NOW - timedelta(hours=1)}, [0, 1]),
        ({"since": NOW - timedelta(hours=2), "until": NOW - timedelta(hours=1)}, [2]),
        ({"sender": "ann@shop.example", "outcomes": ("failed",), "route": "tickets", "subject": "help"}, [2]),
        ({"sender": "ann@shop.example", "route": "nowhere"}, []),
        ({"recipient": "tickets"}, [2]),
    ],
)  # fmt: skip
def test_a_filter_means_what_each_of_its_fields_says(
    mail: list[StoredEmail], wanted: dict[str, Any], expected: list[int]
) -> None:
    assert numbers(mail, Filter(**wanted)) == expected


def test_an_outcome_that_there_is_not_is_named_with_those_that_there_are() -> None:
    with pytest.raises(UserError, match="quarantined"):
        Filter(outcomes=("bounced",))


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    return requests_made(monkeypatch)


def test_an_email_is_found_by_each_of_its_names_with_few_requests(mail: list[StoredEmail], requests: list[str]) -> None:
    stored = mail[0]
    names = [
        stored.email_id,
        stored.email_id[:8],
        stored.email_id.rpartition("-")[0],
        f"{WORKFLOW.replace(':stateMachine:', ':execution:')}:{stored.email_id}",
        f"{stored.email_id}-r2",
        "<1@shop.example>",
        "1@shop.example",
        SES_ID,
        f"<{SES_ID}@eu-west-1.amazonses.com>",
        NOTICE_ID,
        f"{LATER_ID}@email.amazonses.com",
        reference.short(stored.email_id),
        reference.short(stored.email_id).lower(),
    ]
    for name in names:
        requests.clear()
        assert find_email(HOME, name).email_id == stored.email_id, name
        assert len(requests) <= 2, (name, requests)
        assert "ListExecutions" not in requests


def test_a_name_of_no_email_and_one_of_two_are_told_apart(mail: list[StoredEmail]) -> None:
    with pytest.raises(UserError, match="no email"):
        find_email(HOME, "<unknown@shop.example>")
    with pytest.raises(UserError, match="too short"):
        find_email(HOME, "000")
    store(mail[1], **{"from": [ANN]}, message_id="<1@shop.example>")
    indexing.record(message_index(), seen(mail[1], name=f"{mail[1].email_id}-r2", started=NOW))
    first = mail[0].email_id
    with pytest.raises(UserError, match=rf"2 emails .*{first} \({reference.short(first)}, orders, "):
        find_email(HOME, "<1@shop.example>")


def test_an_execution_that_the_index_does_not_have_yet_is_found_by_its_name() -> None:
    stored, sfn = email(9), boto3.client("stepfunctions", region_name=REGION)
    machine = sfn.create_state_machine(
        name="mailstep-email", definition="{}", roleArn="arn:aws:iam::123456789012:role/x"
    )
    arn = sfn.start_execution(
        stateMachineArn=machine["stateMachineArn"], name=stored.email_id, input=stored.model_dump_json()
    )["executionArn"]
    for name in (arn, stored.email_id):
        assert find_email(HOME, name).route == "orders"


def seen_as(view: Any, width: int = 80) -> str:
    written = io.StringIO()
    Console(file=written, width=width).print(view)
    return written.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_list_shows_outcome_and_reference_whole_at_every_width(mail: list[StoredEmail], width: int) -> None:
    entries = list(emails(message_index(), Filter()))
    lines = seen_as(email_views.emails_view(entries), width).splitlines()
    assert len(lines) == 1 + len(entries)
    for entry, line in zip(entries, lines[1:], strict=True):
        assert entry.reference in line
        assert entry.outcome in line
        assert len(line.rstrip()) <= width


HOSTILE = "\x1b]52;c;ZWNobyBvd25lZAo=\x07\x1b[2J\u202egnp.exe"


def test_nothing_that_a_sender_wrote_is_obeyed_by_the_terminal(mail: list[StoredEmail]) -> None:
    stored = email(5)
    store(stored, **{"from": [{"name": HOSTILE, "address": f"{HOSTILE}@x.example"}]}, subject=HOSTILE, text=HOSTILE,
          message_id=f"<{HOSTILE}@x.example>")  # fmt: skip
    answer = Answer(text=f"You wrote {HOSTILE}")
    boto3.client("s3", region_name=REGION).put_object(
        Bucket=BUCKET, Key=keys.answer(stored.email_id), Body=answer.model_dump_json().encode()
    )
    indexing.record(message_index(), seen(stored, output=ended_as("silent", HOSTILE)))
    entry = find_email(HOME, stored.email_id)
    shown = showing.ShownEmail(
        email=entry, message=Message.model_validate_json(_stored_message(stored)), answer=answer, authenticated=False
    )
    for view in (email_views.emails_view([entry]), email_views.email_line(entry), email_views.shown_view(shown)):
        assert not set(seen_as(view, 200)) & {"\x1b", "\x07", "\u202e"}


def _stored_message(stored: StoredEmail) -> bytes:
    key = keys.message(stored.email_id)
    return boto3.client("s3", region_name=REGION).get_object(Bucket=BUCKET, Key=key)["Body"].read()


def test_statistics_count_every_email_once(mail: list[StoredEmail]) -> None:
    message_index().change(mail[0].email_id, lambda one: one.with_feedback(Feedback(kind="Bounce", at=NOW)))
    since = NOW - timedelta(hours=4)
    found = statistics.count(emails(message_index(), Filter(since=since)), since, NOW)
    assert (found.emails, found.bounces, found.complaints) == (4, 1, 0)
    assert found.outcomes == {"replied": 1, "refused": 1, "failed": 1, "processed": 1}
    assert found.reasons == {"too_large": 1, "TransientError": 1, "automatic_mail": 1}
    assert found.time_to_reply_ms == dict.fromkeys(("p50", "p90", "p95", "p99", "max"), 2000)
    assert {name: counts.emails for name, counts in found.routes.items()} == {"orders": 3, "tickets": 1}
    # Now, an hour ago, two and three hours ago, in parts of ten minutes.
    assert [n for n, count in enumerate(found.routes["orders"].over_time) if count] == [6, 18, 23]


@pytest.fixture
def copied(mail: list[StoredEmail]) -> StoredEmail:
    """The copy of the first order that the rule of a catch-all route stored."""
    copy = email(5, "rest")
    store(copy, **{"from": [ANN], "subject": "Order 4711", "message_id": "<1@shop.example>"})
    indexing.record(message_index(), seen(copy, started=NOW, output=ended_as("silent", "other_route")))
    return copy


def test_a_copy_for_the_catch_all_route_is_no_email_of_its_own(mail: list[StoredEmail], copied: StoredEmail) -> None:
    listed = [entry.email_id for entry in emails(message_index(), Filter())]
    assert listed == [stored.email_id for stored in mail]
    assert [entry.email_id for entry in emails(message_index(), Filter(route="rest"))] == []
    asked = emails(message_index(), Filter(reason="other_route"))
    assert [entry.email_id for entry in asked] == [copied.email_id]
    since = NOW - timedelta(hours=4)
    found = statistics.count(emails(message_index(), Filter(since=since, copies=True)), since, NOW)
    assert (found.emails, found.copies, sum(found.outcomes.values())) == (4, 1, 4)
    assert "rest" not in found.routes


def test_a_name_of_an_email_and_its_copy_means_the_email(mail: list[StoredEmail], copied: StoredEmail) -> None:
    assert find_email(HOME, "<1@shop.example>").email_id == mail[0].email_id
    assert find_email(HOME, copied.email_id).email_id == copied.email_id


def test_a_later_answer_goes_to_the_email_and_not_to_its_copy(mail: list[StoredEmail]) -> None:
    """Both ids begin with SES's id of the message, which is one for all rules (start/identity.py)."""
    begin = mail[0].email_id.partition("-")[0]
    copy = mail[0].model_copy(update={"email_id": f"{begin}-{'f' * 32}", "route": "rest"})
    store(copy)
    indexing.record(message_index(), seen(copy, started=NOW, output=ended_as("silent", "other_route")))
    s3 = boto3.client("s3", region_name=REGION)
    assert later_answers._email_id(s3, HOME, begin) == mail[0].email_id
    assert later_answers._email_id(s3, HOME, copy.email_id) == copy.email_id
    with pytest.raises(UserError, match="no email that is kept"):
        later_answers._email_id(s3, HOME, "nowhere")


def test_percentiles_are_by_the_nearest_rank() -> None:
    entries = [
        IndexEntry.empty(f"e{number}").model_copy(update={"received": NOW, "time_to_reply_ms": number})
        for number in range(1, 101)
    ]
    found = statistics.count(entries, NOW - timedelta(hours=1), NOW)
    assert found.time_to_reply_ms == {"p50": 50, "p90": 90, "p95": 95, "p99": 99, "max": 100}


def test_a_sparkline_shows_the_largest_number_highest_and_nothing_for_none() -> None:
    assert email_views.sparkline([0, 1, 4, 8]) == " ▁▄█"
    assert email_views.sparkline([]) == ""


def test_a_live_view_shows_an_email_when_it_comes_and_when_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = email(1).model_copy(update={"stored": NOW - timedelta(minutes=5)}), email(2)
    indexing.record(message_index(), seen(old, started=NOW - timedelta(minutes=5), output=ended_as("replied")))
    steps: list[Callable[[], object]] = [
        lambda: indexing.record(message_index(), seen(new, "RUNNING", started=NOW)),
        lambda: None,
        lambda: indexing.record(message_index(), seen(new, started=NOW, output=ended_as("refused", "too_large"))),
    ]
    monkeypatch.setattr("time.sleep", lambda _: steps.pop(0)())
    view = messages.follow(message_index(), Filter(), NOW)
    assert [(entry.email_id, entry.outcome) for entry in (next(view), next(view))] == [
        (new.email_id, "running"),
        (new.email_id, "refused"),
    ]
    assert steps == []


def test_a_live_view_tells_nothing_twice_because_dynamodb_was_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = email(1), email(2)
    index = message_index()
    indexing.record(index, seen(first, started=NOW, output=ended_as("replied")))
    newest = index.newest

    def fails(*_args: object, **_named: object) -> Iterator[IndexEntry]:
        monkeypatch.setattr(index, "newest", newest)
        raise TransientError("DynamoDB is unavailable")

    steps: list[Callable[[], object]] = [
        lambda: monkeypatch.setattr(index, "newest", fails),
        lambda: indexing.record(index, seen(second, started=NOW, output=ended_as("replied"))),
    ]
    monkeypatch.setattr("time.sleep", lambda _: steps.pop(0)())
    view = messages.follow(index, Filter(), NOW)
    assert [next(view).email_id, next(view).email_id] == [first.email_id, second.email_id]


def test_an_email_whose_answer_is_malformed_is_shown_without_it() -> None:
    boto3.client("s3", region_name=REGION).put_object(Bucket=BUCKET, Key=keys.answer("m"), Body=b'{"txt": "Hello"}')
    assert showing.gather(HOME, IndexEntry.empty("m")).answer is None


def test_an_email_without_an_answer_is_not_shown_as_one_without_a_notice(mail: list[StoredEmail]) -> None:
    failed = find_email(HOME, mail[2].email_id)
    view = email_views.shown_view(showing.ShownEmail(email=failed))
    assert f"No answer yet. See a notice of a delay or failure with: mailstep history {failed.reference}" in seen_as(
        view, 200
    )


def test_what_is_shown_as_json_is_what_the_schema_says(mail: list[StoredEmail]) -> None:
    schemas = PROJECT / "docs" / "schemas"
    entry = find_email(HOME, mail[0].email_id)
    validate(entry.model_dump(mode="json"), json.loads((schemas / "index-entry.json").read_text()))
    iam, functions = boto3.client("iam", region_name=REGION), boto3.client("lambda", region_name=REGION)
    role = iam.create_role(RoleName="process", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    empty = dict.fromkeys(("APPLICATION_URL", "APPLICATION_SECRET_ARN", "APPLICATION_QUEUE_URL"), "")
    functions.create_function(
        FunctionName="mailstep-process", Role=role, Code={"ZipFile": b"x"}, Runtime="python3.13", Handler="x",
        Environment={"Variables": empty | {"APPLICATION_AUTH": "none", "APPLICATION_LIMIT_HOURS": "1"}},
    )  # fmt: skip
    shown = showing.gather(HOME, entry)
    assert shown.message
    said = {one.code: one.result for one in shown.rules}
    # The message has no results of SPF, DKIM and DMARC.
    assert (said["unauthenticated"], said["no_sender"], said["duplicate_message"]) == ("broken", "passes", "not asked")
    validate(shown.model_dump(mode="json"), json.loads((schemas / "shown-email.json").read_text()))
    found = statistics.count([entry], NOW - timedelta(hours=1), NOW)
    validate(found.model_dump(mode="json"), json.loads((schemas / "statistics.json").read_text()))
