"""Replies are bounded over a rolling hour and a rolling day, to a sender with all labels and to a domain."""

import time
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from mailstep import limits
from mailstep.aws import clients, reply_counts
from mailstep.aws.reply_counts import forget_reply
from mailstep.contracts import Address, Message
from mailstep.errors import TransientError

HOUR, DAY = 3600, 24 * 3600
NOON = 1_795_694_400  # a time on the clock, in seconds since 1970


pytestmark = pytest.mark.usefixtures("ledger_table")


def email(name: str, at: float = NOON, sender: str = "ann@b.example", route: str = "orders") -> Message:
    received = datetime.fromtimestamp(at, UTC)
    return Message(email_id=name, route=route, size_octets=1, from_=(Address(address=sender),), received=received)


def count_reply(message: Message, an_hour: int, to: str = "") -> bool:
    """Count a reply to the author, or to the mailbox in Reply-To."""
    return reply_counts.count_reply(message, Address(address=to) if to else message.from_[0], an_hour)


def test_no_more_are_counted_than_allowed() -> None:
    assert [count_reply(email(f"m{n}"), 5) for n in range(8)] == [True] * 5 + [False] * 3


def test_the_hour_is_any_hour_and_not_one_of_the_clock() -> None:
    half_past = NOON + 1800
    assert all(count_reply(email(f"a{n}", half_past), 5) for n in range(5))
    assert not count_reply(email("b", half_past + HOUR - 1), 5)
    assert count_reply(email("c", half_past + HOUR), 5)


def test_a_day_has_a_bound_of_its_own() -> None:
    most = limits.REPLIES_A_DAY
    found = [count_reply(email(f"m{n}", NOON + n * HOUR), 1) for n in range(24)]
    assert found == [True] * most + [False] * (24 - most)
    assert count_reply(email("next", NOON + DAY), 1)
    assert not count_reply(email("again", NOON + DAY + 1), 1)


def test_a_machine_that_answers_from_another_label_each_time_is_one_sender() -> None:
    found = [count_reply(email(f"m{n}", sender=f"support+{n}@b.example"), 20) for n in range(100)]
    assert found.count(True) == 20


def test_a_machine_that_answers_from_another_address_each_time_is_bounded_by_its_domain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "REPLIES_TO_A_DOMAIN", 10)
    monkeypatch.setattr(limits, "REPLIES_A_DAY", 2)
    found = [count_reply(email(f"m{n}", sender=f"user{n}@b.example"), 2) for n in range(30)]
    assert found == [True] * 20 + [False] * 10
    assert count_reply(email("other", sender="ann@c.example"), 2)
    assert not count_reply(email("same", sender="ann@B.example"), 2)
    # What was refused counts neither in the hour nor in the day, which has room for twice as many.
    found = [count_reply(email(f"n{n}", NOON + HOUR + 600, sender=f"user{n}@b.example"), 2) for n in range(30)]
    assert found.count(True) == 20


def test_what_the_bound_of_a_domain_forbids_stays_forbidden_when_the_step_is_retried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "REPLIES_TO_A_DOMAIN", 1)
    assert count_reply(email("m1"), 1)
    assert [count_reply(email("m2", sender="bob@b.example"), 1) for _ in range(3)] == [False] * 3
    # It was not sent, so it does not count to Bob's own bound either.
    monkeypatch.setattr(limits, "REPLIES_TO_A_DOMAIN", 2)
    assert count_reply(email("m3", sender="bob@b.example"), 1)


def test_a_reply_by_reply_to_counts_to_its_author_and_to_the_domain_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REPLIES_TO_A_DOMAIN", 2)

    def counted(number: int, to: str, author: str = "") -> bool:
        return count_reply(email(f"m{number}", sender=author or f"a{number}@b.example"), 1, to)

    assert [counted(number, f"r{number}@b.example") for number in range(2)] == [True, True]
    assert not counted(2, "r2@b.example")
    monkeypatch.setattr(limits, "REPLIES_TO_A_DOMAIN", 9)
    assert not counted(3, "r3@b.example", author="a0@b.example")
    # What was refused counts neither to the author nor to the mailbox. A label makes no second mailbox.
    assert counted(4, "a4+orders@b.example")
    assert not counted(5, "r5@b.example", author="a4@b.example")
    assert [counted(6, "r3@b.example"), counted(7, "r3@b.example"), counted(8, "r3@b.example")] == [True, True, False]


def test_a_stranger_who_names_somebody_in_reply_to_takes_nothing_from_the_replies_to_them() -> None:
    """The mailbox has its own bound for its own mail, whatever others cause."""
    for number in range(30):
        count_reply(email(f"s{number}", sender=f"s{number}@b.example"), 5, "ann@b.example")
    assert [count_reply(email(f"m{n}"), 5) for n in range(6)] == [True] * 5 + [False]


def test_nobody_is_flooded_by_reply_to_however_many_name_them() -> None:
    """The bound of the hour and that of the day hold over all who name the mailbox, with any label."""
    bound = 3 * limits.REPLIES_BY_REPLY_TO
    most = bound * limits.REPLIES_A_DAY
    found = [
        [
            count_reply(email(f"{hour} {n}", NOON + hour * HOUR, sender=f"s{n}@b.example"), 3, f"ann+{n}@B.example")
            for n in range(bound + 1)
        ].count(True)
        for hour in range(limits.REPLIES_A_DAY + 2)
    ]
    assert (max(found), sum(found)) == (bound, most)


def test_one_who_names_a_mailbox_in_reply_to_leaves_room_for_others() -> None:
    found = [count_reply(email(f"m{n}"), 5, "desk@b.example") for n in range(20)]
    assert found.count(True) == 5
    assert count_reply(email("other", sender="bob@b.example"), 5, "desk@b.example")


def test_each_route_has_its_own_bound_of_replies_to_a_mailbox_in_reply_to() -> None:
    for route in ("orders", "feedback"):
        senders = [f"s{n}@b.example" for n in range(limits.REPLIES_BY_REPLY_TO + 1)]
        found = [count_reply(email(f"{route} {one}", sender=one, route=route), 1, "desk@b.example") for one in senders]
        assert found == [True] * limits.REPLIES_BY_REPLY_TO + [False], route


def test_a_retry_of_a_reply_by_reply_to_counts_once() -> None:
    assert all(count_reply(email("m1"), 1, "desk@b.example") for _ in range(3))
    assert count_reply(email("m2", sender="bob@b.example"), 1, "desk@b.example")
    assert not count_reply(email("m3", sender="cy@b.example"), 1, "desk@b.example")


def test_a_reply_that_is_forgotten_counts_nowhere_and_forgetting_it_twice_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "REPLIES_TO_A_DOMAIN", 1)
    monkeypatch.setattr(limits, "REPLIES_BY_REPLY_TO", 1)
    desk = Address(address="desk@b.example")
    forget_reply(email("m1"), desk)
    assert count_reply(email("m1"), 1, desk.address)
    for _ in range(2):
        forget_reply(email("m1"), desk)
    assert [count_reply(email(f"n{n}"), 1, desk.address) for n in range(2)] == [True, False]
    assert not count_reply(email("o", sender="bob@b.example"), 1)


def test_the_bound_of_a_domain_goes_over_midnight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REPLIES_TO_A_DOMAIN", 4)
    midnight = NOON // DAY * DAY + DAY
    found = [count_reply(email(f"m{n}", midnight - 120 + n * 30, sender=f"u{n}@b.example"), 2) for n in range(12)]
    assert found.count(True) == 8


def test_a_retry_counts_once_and_senders_and_routes_apart() -> None:
    assert all(count_reply(email("m1"), 1) for _ in range(3))
    assert not count_reply(email("m2"), 1)
    assert not count_reply(email("m2", sender="ANN@B.example"), 1)
    assert count_reply(email("m2", sender="bob@b.example"), 1)
    assert count_reply(email("m3", route="feedback"), 1)


def test_a_replay_on_another_day_counts_at_the_time_of_its_receipt() -> None:
    assert count_reply(email("m1"), 1)
    assert count_reply(email("m4", NOON + DAY), 1)
    assert count_reply(email("m1"), 1)
    assert not count_reply(email("m5", NOON + DAY + 60), 1)


class Interrupted:
    """A client of DynamoDB; between its first reads and the writes, somebody else counts the same sender."""

    def __init__(self, times: int) -> None:
        self._real, self._times = clients.client("dynamodb"), times
        self.exceptions = self._real.exceptions

    def get_item(self, **arguments: Any) -> Any:
        found = self._real.get_item(**arguments)
        if self._times and arguments["Key"]["id"]["S"].startswith("replies#"):
            self._times -= 1
            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(reply_counts, "client", lambda _name: self._real)
                assert count_reply(email(f"other{self._times}"), 5) in {True, False}
        return found

    def update_item(self, **arguments: Any) -> Any:
        return self._real.update_item(**arguments)


def test_two_at_once_are_both_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted = Interrupted(3)
    monkeypatch.setattr(reply_counts, "client", lambda _name: interrupted)
    assert count_reply(email("m1"), 5)
    monkeypatch.undo()
    monkeypatch.setenv("TABLE_NAME", "ledger")
    assert count_reply(email("m2"), 5)
    assert not count_reply(email("m3"), 5)


def test_with_too_many_at_once_the_step_is_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted = Interrupted(100)
    monkeypatch.setattr(reply_counts, "client", lambda _name: interrupted)
    with pytest.raises(TransientError):
        count_reply(email("m1"), 50)


def test_no_address_and_no_email_id_stand_in_the_table() -> None:
    count_reply(email("an-email-id"), 5)
    items = boto3.client("dynamodb").scan(TableName="ledger")["Items"]
    assert len(items) == 2
    assert not {word for word in ("b.example", "ann", "an-email-id") if word in str(items).lower()}


def test_a_count_is_kept_until_nothing_counts_it_any_more() -> None:
    """A reply counts for a day; the count of a domain has its day's name, and is read on the next day too."""
    count_reply(email("m1"), 5)
    items = boto3.client("dynamodb").scan(TableName="ledger")["Items"]
    left = {item["id"]["S"].partition("#")[0]: int(item["expiration"]["N"]) - time.time() for item in items}
    assert left["replies"] >= DAY
    assert left["domain"] >= 2 * DAY


def test_a_message_whose_time_of_receipt_is_unknown_counts_now() -> None:
    assert count_reply(email("m1").model_copy(update={"received": None}), 1)
    assert not count_reply(email("m2", time.time()), 1)


def test_a_domain_begins_at_the_last_at_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 5321 section 4.1.2: a quoted local part may have another one."""
    monkeypatch.setattr(limits, "REPLIES_TO_A_DOMAIN", 1)
    assert count_reply(email("m1"), 1)
    assert not count_reply(email("m2", sender='"ann@c.example"@b.example'), 1)


def test_an_address_that_no_encoding_has_is_counted_too() -> None:
    assert count_reply(email("m1", sender="ann\udcff@b.example"), 1)
    assert not count_reply(email("m2", sender="ann\udcff@b.example"), 1)
