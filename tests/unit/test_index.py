"""The index of messages: what events make of an entry in any order, and what it is found by.

Over 300 lines, because one entry is followed from its first event to its last name.
"""

import json
import string
from datetime import timedelta
from itertools import permutations
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient

from mailstep import keys, reference
from mailstep.aws.message_index import By, MessageIndex
from mailstep.contracts import Message, StoredEmail
from mailstep.errors import TransientError
from mailstep.index import handler, indexing
from mailstep.index.status_events import Seen, of_event
from mailstep.index_entry import EXECUTIONS, FEEDBACK, Feedback, IndexEntry, email_id_of
from tests.support.events import BUCKET, CONTEXT, REGION, batch
from tests.support.index import NOW, WORKFLOW, email, ended_as, message_index, seen, status_event
from tests.support.requests import requests_made

pytestmark = pytest.mark.usefixtures("account")


@pytest.fixture
def index(account: None) -> MessageIndex:
    return message_index()


def parsed(stored: StoredEmail, **fields: Any) -> Message:
    """The Message of an email, stored where ParseEmail puts it."""
    values: dict[str, Any] = {
        "email_id": stored.email_id,
        "route": stored.route,
        "size_octets": 1600,
        "received": NOW - timedelta(seconds=1),
        "from": [{"name": "Ann", "address": "Ann@Shop.example"}],
        "subject": "Order 4711",
        "message_id": "<1@shop.example>",
    }
    message = Message.model_validate(values | fields)
    boto3.client("s3", region_name=REGION).put_object(
        Bucket=BUCKET, Key=keys.message(stored.email_id), Body=message.model_dump_json().encode()
    )
    return message


def entry_of(index: MessageIndex, stored: StoredEmail) -> IndexEntry:
    found = index.get(stored.email_id)
    assert found
    return found


def test_an_email_is_running_until_its_execution_ends(index: MessageIndex) -> None:
    stored = email()
    parsed(stored)
    indexing.record(index, seen(stored, "RUNNING"))
    assert entry_of(index, stored).outcome == "running"
    assert [one.email_id for one in index.newest(By.OUTCOME, "running")] == [stored.email_id]
    indexing.record(index, seen(stored, output=ended_as("replied", ses_message_id="ses-1")))
    found = entry_of(index, stored)
    assert (found.outcome, found.sender, found.sender_name, found.subject) == (
        "replied", "ann@shop.example", "Ann", "Order 4711",
    )  # fmt: skip
    # Received a second before it started, and two seconds of work.
    assert found.time_to_reply_ms == 3000
    assert list(index.newest(By.OUTCOME, "running")) == []


def life(stored: StoredEmail) -> list[Seen]:
    """An execution that failed and was redriven, and a replay that started in between."""
    replayed = stored.model_copy(update={"replay": True})
    redriven = NOW + timedelta(minutes=30)
    again: dict[str, Any] = {"name": f"{stored.email_id}-r2", "started": NOW + timedelta(minutes=20)}
    return [
        seen(stored, "RUNNING"),
        seen(stored, "FAILED", error="TransientError"),
        seen(replayed, "RUNNING", **again),
        seen(replayed, output=ended_as("silent", "duplicate_message"), **again),
        seen(stored, "RUNNING", redriven=redriven, redrives=1),
        seen(stored, redriven=redriven, redrives=1, output=ended_as("replied", ses_message_id="ses-2")),
    ]


def test_events_out_of_order_and_repeated_make_the_same_entry(index: MessageIndex) -> None:
    """Amazon EventBridge and SQS deliver at least once, and in no order."""
    stored = email()
    message = parsed(stored)
    in_order = IndexEntry.empty(stored.email_id)
    for one in life(stored):
        in_order = in_order.with_email(one.email).with_execution(one.execution).with_message(message)
    assert (in_order.outcome, len(in_order.executions), in_order.error) == ("replied", 2, None)
    for order in permutations(life(stored)):
        entry = IndexEntry.empty(stored.email_id)
        for one in (*order, order[0], order[3]):
            entry = entry.with_email(one.email).with_execution(one.execution).with_message(message)
        assert entry == in_order


def test_the_outcome_is_that_of_the_execution_that_started_or_was_redriven_last(index: MessageIndex) -> None:
    stored = email()
    outcomes = []
    for one in life(stored):
        indexing.record(index, one)
        outcomes.append(entry_of(index, stored).outcome)
    assert outcomes == ["running", "failed", "running", "silent", "running", "replied"]


def test_a_replay_is_no_time_to_reply(index: MessageIndex) -> None:
    stored = email()
    indexing.record(index, seen(stored, output=ended_as("silent", "spam")))
    replayed = stored.model_copy(update={"replay": True})
    again: dict[str, Any] = {"name": f"{stored.email_id}-r2", "started": NOW + timedelta(days=3)}
    indexing.record(index, seen(replayed, output=ended_as("replied", ses_message_id="ses-1"), **again))
    found = entry_of(index, stored)
    assert (found.outcome, found.time_to_reply_ms) == ("replied", None)
    assert [one.name for one in found.executions] == [stored.email_id, f"{stored.email_id}-r2"]


def test_a_copy_in_place_moves_neither_the_version_nor_the_time_of_an_email(index: MessageIndex) -> None:
    """A new encryption key or a restore stores the same object once more, with another version and time."""
    first = email().model_copy(update={"version_id": "v1"})
    copied = first.model_copy(update={"version_id": "v2", "stored": NOW + timedelta(days=1)})
    for stored in (first, copied):
        indexing.record(index, seen(stored, output=ended_as("silent", "spam")))
    found = entry_of(index, first)
    assert (found.version_id, found.stored, found.received) == ("v1", NOW, NOW)


def test_the_time_to_reply_ends_with_the_first_reply(index: MessageIndex) -> None:
    stored = email()
    for name, minutes in ((f"{stored.email_id}-rerun", 30), (stored.email_id, 0)):
        began: dict[str, Any] = {"name": name, "started": NOW + timedelta(minutes=minutes)}
        indexing.record(index, seen(stored, output=ended_as("replied", ses_message_id=f"ses-{minutes}"), **began))
    assert entry_of(index, stored).time_to_reply_ms == 2000, "the work of the first execution"


def test_an_entry_keeps_a_bounded_number_of_executions_and_of_feedback() -> None:
    entry = IndexEntry.empty(email().email_id)
    for number in range(99):
        again: dict[str, Any] = {"name": f"{email().email_id}-r{number}", "started": NOW + timedelta(minutes=number)}
        entry = entry.with_execution(seen(email(), **again).execution)
        entry = entry.with_feedback(Feedback(kind="Complaint", at=NOW + timedelta(minutes=number)))
    names = [one.name.rpartition("-r")[2] for one in entry.executions]
    assert names == ["0", *(str(number) for number in range(99 - EXECUTIONS + 1, 99))]
    assert len(entry.feedback) == FEEDBACK


def test_a_withheld_reply_says_which_rule_withheld_it(index: MessageIndex) -> None:
    indexing.record(index, seen(email(), output=ended_as("processed", withheld="mailing_list")))
    assert entry_of(index, email()).withheld == "mailing_list"


def test_what_a_stranger_wrote_is_bounded_in_the_entry(index: MessageIndex) -> None:
    stored = email()
    long = "x" * 310 + "@" + "é" * 9
    parsed(stored, **{"from": [{"name": "n\r\n" * 500, "address": long}]}, subject="s" * 5000, message_id="é" * 998)
    indexing.record(index, seen(stored, output=ended_as("silent", "r" * 5000)))
    found = entry_of(index, stored)
    assert found.subject is not None
    assert found.sender_name is not None
    assert (len(found.subject), len(found.sender_name), len(found.reason or "")) == (200, 100, 200)
    assert "\n" not in found.sender_name
    assert index.named(By.MESSAGE_ID, "é" * 998) == [found]


def test_an_unreadable_email_is_in_the_index_without_a_sender(index: MessageIndex) -> None:
    indexing.record(index, seen(email(), output=ended_as("quarantined", "the object is empty")))
    found = entry_of(index, email())
    assert (found.outcome, found.reason, found.sender) == ("quarantined", "the object is empty", None)


def test_a_bounce_before_the_entry_and_one_after_it_are_both_kept(index: MessageIndex) -> None:
    stored = email()
    early = Feedback(kind="Bounce", detail="Transient", at=NOW, ses_message_id="ses-1")
    late = Feedback(kind="Bounce", detail="Permanent", at=NOW + timedelta(hours=1), ses_message_id="ses-1")
    index.change(stored.email_id, lambda entry: entry.with_feedback(early))
    indexing.record(index, seen(stored, output=ended_as("replied", ses_message_id="ses-1")))
    for _ in range(2):
        index.change(stored.email_id, lambda entry: entry.with_feedback(late))
    assert entry_of(index, stored).feedback == (early, late)
    assert entry_of(index, stored).outcome == "replied"


@pytest.fixture
def mailbox(index: MessageIndex) -> list[StoredEmail]:
    """40 emails, a minute apart, the newest first; every fourth is refused, every tenth is from Bob."""
    emails = [email(number, "orders" if number % 2 else "tickets") for number in range(40)]
    for number, stored in enumerate(emails):
        started = NOW - timedelta(minutes=number)
        author = "bob@other.example" if number % 10 == 0 else "ann@shop.example"
        parsed(stored, **{"from": [{"address": author}]}, received=started, message_id=f"<{number}@shop.example>")
        output = ended_as("refused", "too_large") if number % 4 == 0 else ended_as("replied")
        indexing.record(index, seen(stored, started=started, output=output))
    return emails


def ids(entries: Any) -> list[str]:
    return [entry.email_id for entry in entries]


def test_emails_are_found_by_time_route_outcome_and_sender_newest_first(
    index: MessageIndex, mailbox: list[StoredEmail]
) -> None:
    every = [stored.email_id for stored in mailbox]
    assert ids(index.newest(page=3)) == every
    assert ids(index.newest(By.ROUTE, "orders", page=3)) == every[1::2]
    assert ids(index.newest(By.OUTCOME, "refused")) == every[::4]
    assert ids(index.newest(By.SENDER, "bob@other.example")) == every[::10]
    assert ids(index.newest(By.SENDER, "nobody@other.example")) == []


def test_a_span_of_time_has_its_beginning_and_not_its_end(index: MessageIndex, mailbox: list[StoredEmail]) -> None:
    span: dict[str, Any] = {"since": NOW - timedelta(minutes=20), "until": NOW - timedelta(minutes=10)}
    assert ids(index.newest(**span)) == [stored.email_id for stored in mailbox[11:21]]
    assert ids(index.newest(By.SENDER, "bob@other.example", **span)) == [mailbox[20].email_id]


def test_the_first_rows_are_read_with_one_request_a_shard(
    index: MessageIndex, mailbox: list[StoredEmail], monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = requests_made(monkeypatch)
    entries = index.newest(page=20)
    assert next(entries).email_id == mailbox[0].email_id
    assert requests == ["Query"] * 4


def test_the_mail_of_one_moment_is_spread_over_partitions(index: MessageIndex, mailbox: list[StoredEmail]) -> None:
    items = boto3.client("dynamodb", region_name=REGION).scan(TableName="mailstep-index")["Items"]
    for by in (By.TIME, By.ROUTE, By.OUTCOME):
        assert len({item[by.value]["S"].rpartition("#")[2] for item in items}) == 4


def test_an_email_is_found_by_every_name_it_has(index: MessageIndex, mailbox: list[StoredEmail]) -> None:
    stored = mailbox[3]
    indexing.record(
        index,
        seen(
            stored.model_copy(update={"replay": True}),
            name=f"{stored.email_id}-r2", started=NOW, output=ended_as("replied", ses_message_id="0100-reply"),
        ),
    )  # fmt: skip
    for by, value in {
        By.MESSAGE_ID: "<3@shop.example>",
        By.REFERENCE: reference.short(stored.email_id),
        By.PREFIX: stored.email_id[:6],
    }.items():
        assert ids(index.named(by, value)) == [stored.email_id], by
    assert len(index.named(By.PREFIX, "000")) == 0
    assert len(index.named(By.PREFIX, mailbox[0].email_id[:4])) == 1


def test_a_thread_is_found(index: MessageIndex) -> None:
    index.change("a-1", lambda entry: entry.model_copy(update={"thread_id": "t1", "received": NOW}))
    index.change("a-2", lambda entry: entry.model_copy(update={"thread_id": "t2", "received": NOW}))
    assert ids(index.newest(By.THREAD, "t1")) == ["a-1"]


def test_a_reference_has_eight_characters_that_are_not_mistaken_for_others() -> None:
    found = {reference.short(email(number).email_id) for number in range(2000)}
    assert len(found) == 2000
    assert {len(one) for one in found} == {8}
    assert set("".join(found)).isdisjoint("01258" + "BILOSUZ" + string.ascii_lowercase)


@pytest.mark.parametrize(
    ("name", "email_id"),
    [
        ("abc-0123456789abcdef0123456789abcdef", "abc-0123456789abcdef0123456789abcdef"),
        ("abc-0123456789abcdef0123456789abcdef-r2", "abc-0123456789abcdef0123456789abcdef"),
        ("abc-0123456789abcdef0123456789abcdef-r-batch1", "abc-0123456789abcdef0123456789abcdef"),
        ("by-hand", None),
    ],
)
def test_the_name_of_an_execution_says_its_email(name: str, email_id: str | None) -> None:
    assert email_id_of(name) == email_id


def test_an_entry_of_a_newer_version_is_read(index: MessageIndex) -> None:
    """A deployment may be rolled back."""
    indexing.record(index, seen(email()))
    dynamodb, key = boto3.client("dynamodb", region_name=REGION), {"email_id": {"S": email().email_id}}
    item: dict[str, Any] = dynamodb.get_item(TableName="mailstep-index", Key=key)["Item"]
    item["colour"] = item["executions"]["L"][0]["M"]["colour"] = {"S": "red"}
    dynamodb.put_item(TableName="mailstep-index", Item=item)
    assert entry_of(index, email()).outcome == "unknown"


def test_two_writers_at_once_lose_nothing(index: MessageIndex) -> None:
    stored = email()

    def slowly(entry: IndexEntry) -> IndexEntry:
        if not entry.executions:
            # Another event of the same email is written meanwhile.
            indexing.record(index, seen(stored, "RUNNING"))
        return entry.with_feedback(Feedback(kind="Complaint", at=NOW))

    index.change(stored.email_id, slowly)
    found = entry_of(index, stored)
    assert (len(found.executions), len(found.feedback)) == (1, 1)


def test_an_entry_that_others_keep_changing_is_tried_again_later(index: MessageIndex) -> None:
    def contended(entry: IndexEntry) -> IndexEntry:
        at = NOW + timedelta(seconds=len(entry.feedback))
        MessageIndex("mailstep-index", 30).change("x", lambda one: one.with_feedback(Feedback(kind="Bounce", at=at)))
        return entry.with_feedback(Feedback(kind="Complaint"))

    with pytest.raises(TransientError):
        index.change("x", contended)


def test_what_dynamodb_leaves_unprocessed_is_asked_for_again(
    index: MessageIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Amazon DynamoDB API Reference, BatchGetItem: a part of the keys may come back, as UnprocessedKeys."""
    for number in range(5):
        indexing.record(index, seen(email(number)))
    call = BaseClient._make_api_call  # type: ignore[attr-defined]

    def two_at_most(self: Any, operation: str, parameters: Any) -> Any:
        if operation != "BatchGetItem":
            return call(self, operation, parameters)
        [(table, asked)] = parameters["RequestItems"].items()
        now, later = asked["Keys"][:2], asked["Keys"][2:]
        answer = call(self, operation, {"RequestItems": {table: {"Keys": now}}})
        return answer | {"UnprocessedKeys": {table: {"Keys": later}} if later else {}}

    monkeypatch.setattr(BaseClient, "_make_api_call", two_at_most)
    names = [email(number).email_id for number in range(5)]
    assert sorted(index.get_many(names)) == sorted(names)


def test_an_entry_expires_with_the_parsed_message(index: MessageIndex) -> None:
    """ParsedRetentionDays after the last execution stored the parsed message, and the day that S3 takes."""
    stored = email()
    indexing.record(index, seen(stored, started=NOW - timedelta(days=32)))
    assert index.get(stored.email_id) is None
    assert ids(index.newest()) == []
    indexing.record(index, seen(stored, name=f"{stored.email_id}-r2", started=NOW - timedelta(days=3)))
    item = boto3.client("dynamodb", region_name=REGION).get_item(
        TableName="mailstep-index", Key={"email_id": {"S": stored.email_id}}
    )["Item"]
    assert int(item["expiration"]["N"]) == int((NOW + timedelta(days=28)).timestamp())


# ---- The function ----


def test_one_record_that_fails_goes_back_alone(index: MessageIndex) -> None:
    bad = status_event(email(2)) | {"detail": {"status": "RUNNING"}}
    answer = handler.handler(batch(json.dumps(status_event(email(1))), json.dumps(bad)), CONTEXT)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert index.get(email(1).email_id)


@pytest.mark.parametrize(
    "body",
    [
        {"hours": 6},
        [],
        status_event(email()) | {"detail-type": "Scheduled Event"},
        status_event(email()) | {"detail": status_event(email())["detail"] | {"input": '{"by": "hand"}'}},
        status_event(email()) | {"detail": status_event(email())["detail"] | {"input": None}},
    ],
    ids=["sweep", "list", "other-event", "by-hand", "no-input"],
)
def test_what_is_no_status_event_of_an_email_is_ignored(index: MessageIndex, body: object) -> None:
    assert handler.handler(batch(json.dumps(body)), CONTEXT) == {"batchItemFailures": []}
    assert ids(index.newest()) == []


def test_times_of_an_event_are_milliseconds() -> None:
    found = of_event(status_event(email(), started=NOW, seconds=1.5))
    assert found
    assert found.execution.started == NOW
    assert found.execution.ended == NOW + timedelta(seconds=1.5)
    assert found.execution.arn == f"{WORKFLOW.replace(':stateMachine:', ':execution:')}:{email().email_id}"


@pytest.mark.parametrize("output", ["[1]", "no JSON", '{"outcome": "no such outcome"}', None])
def test_an_output_that_is_not_ours_has_an_unknown_outcome(output: str | None) -> None:
    assert seen(email(), output=output).execution.outcome == "unknown"
