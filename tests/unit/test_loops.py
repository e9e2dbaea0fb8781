"""No loop of machines runs for ever, whatever the other side says: with the real parser, policy and ledger."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage

import pytest

from mailstep import limits
from mailstep.addresses import mailbox
from mailstep.aws.ledger import Ledger
from mailstep.contracts import Answer, Message, Verdicts
from mailstep.errors import RefusedEmail
from mailstep.reply.compose import compose
from mailstep.route import Route
from mailstep.validate.policy import Case, validate
from tests.support.messages import EMAIL, parsed
from tests.support.project import PROJECT

pytestmark = pytest.mark.usefixtures("ledger_table")
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
OURS, THEIRS = Address(addr_spec="orders@mail.example"), Address(addr_spec="desk@other.example")
AN_HOUR = 3
ROUTE = Route(replies_an_hour=AN_HOUR)
OtherSide = Callable[[EmailMessage, int], str]
"""What the other side sends when it gets a reply: the whole message, given the reply and its number."""


def text_of(message: EmailMessage) -> str:
    return message.as_string().replace("\r\n", "\n")


def first(sender: str) -> str:
    return f"From: {sender}\nSubject: Hello\n\nHello"


def received(raw: str, number: int, at: datetime) -> Message:
    """A message whose sender is authenticated, as ParseEmail makes it."""
    message = parsed(raw)
    domain = message.from_[0].address.rpartition("@")[2]
    verdicts = Verdicts(spam="PASS", virus="PASS", spf="pass", spf_domain=domain)
    return message.model_copy(update={"email_id": f"m{number}", "received": at, "verdicts": verdicts})


def replies(other: OtherSide, *, sender: str, days: float, every: timedelta = timedelta(minutes=8)) -> list[datetime]:
    """When we reply, if the other side writes after `every`, whether it got a reply or not."""
    sent: list[datetime] = []
    raw, at, number = first(sender), NOON, 0
    while at < NOON + timedelta(days=days):
        message = received(raw, number, at)
        case = Case(message, EMAIL, "arn", ROUTE, frozenset({OURS.addr_spec}), Ledger(lambda _: False), lambda _: b"")
        if _is_replied_to(case):
            sent.append(at)
        raw = other(
            compose(message, Answer(text="Thank you."), sender=OURS, to=mailbox(message.from_[0]), now=at), number
        )
        at, number = at + every, number + 1
    return sent


def _is_replied_to(case: Case) -> bool:
    try:
        return validate(case) is None
    except RefusedEmail as refused:
        return refused.tell_sender


def most_within(times: list[datetime], span: timedelta) -> int:
    return max((sum(begin <= one < begin + span for one in times) for begin in times), default=0)


def test_another_mailstep_gets_one_reply_and_its_own_is_not_answered() -> None:
    def mailstep(reply: EmailMessage, number: int) -> str:
        there = received(text_of(reply), number, NOON)
        return text_of(compose(there, Answer(text="Thanks."), sender=THEIRS, to=mailbox(there.from_[0]), now=NOON))

    assert len(replies(mailstep, sender="desk@other.example", days=0.1)) == 1


def test_an_autoresponder_that_strips_our_fields_and_answers_from_labels_is_bounded() -> None:
    def autoresponder(_reply: EmailMessage, number: int) -> str:
        return f"From: support+{number}@other.example\nSubject: Ticket {number}\n\nWe got your message {number}."

    sent = replies(autoresponder, sender="support@other.example", days=1.3)
    assert most_within(sent, timedelta(hours=1)) == AN_HOUR
    assert most_within(sent, timedelta(days=1)) == limits.REPLIES_A_DAY * AN_HOUR


@pytest.mark.parametrize(
    "marks", ["List-Id: <all.other.example>\n", "Precedence: list\n", "X-Loop: all@other.example\n"]
)
def test_a_list_that_repeats_everything_and_says_so_gets_no_reply(marks: str) -> None:
    def repeats(reply: EmailMessage, _number: int) -> str:
        return (
            f"From: all@other.example\n{marks}Subject: {reply['Subject']}\n\n{reply.get_body(('plain',)).get_content()}"  # type: ignore[union-attr]
        )

    sent = replies(repeats, sender="ann@other.example", days=0.1)
    assert len(sent) == 1, "only what Ann wrote to it"


def test_a_list_that_repeats_everything_and_strips_all_marks_is_bounded() -> None:
    def repeats(_reply: EmailMessage, number: int) -> str:
        return f"From: all@other.example\nSubject: Hello {number}\n\nHello {number}"

    sent = replies(repeats, sender="ann@other.example", days=0.3)
    assert most_within(sent, timedelta(hours=1)) == AN_HOUR + 1, "and one to Ann"


def test_a_sender_whose_replies_are_told_refusals_is_bounded_too() -> None:
    """Each told refusal is a reply that a machine could answer (RFC 3834 section 2)."""
    told = 0
    for number in range(3 * AN_HOUR):
        message = received(first("robot@other.example"), number, NOON + timedelta(seconds=number))
        case = Case(
            message,
            EMAIL,
            "arn",
            ROUTE.model_copy(update={"max_size_octets": 1}),
            frozenset(),
            Ledger(lambda _: False),
            lambda _: b"",
        )
        told += _is_replied_to(case)
    assert told == AN_HOUR


def test_the_bounds_are_those_of_the_page() -> None:
    page = (PROJECT / "docs" / "policy.md").read_text()
    [row] = re.findall(r"^\| \d+ \| `too_many_replies` .*$", page, re.MULTILINE)
    day, domain, reply_to = re.findall(r"(\d+) times as many", row)
    assert (int(day), int(domain), int(reply_to)) == (
        limits.REPLIES_A_DAY,
        limits.REPLIES_TO_A_DOMAIN,
        limits.REPLIES_BY_REPLY_TO,
    )
    assert re.search(rf"^\| `replies_an_hour` \| `{Route().replies_an_hour}` \|", page, re.MULTILINE)
