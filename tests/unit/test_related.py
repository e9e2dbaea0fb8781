"""`mailstep history` names what belongs to the same email: its other executions, and its later answers, both ways."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import boto3
import pytest
from rich.console import Console

from mailstep.contracts import StoredEmail
from mailstep.index_entry import IndexEntry
from mailstep.start.identity import execution_name, later_answer
from mailstep_cli.history import State, Timeline
from mailstep_cli.home_stack import HomeStack, execution_arn
from mailstep_cli.related import Related, related
from mailstep_cli.timeline_view import related_view
from tests.support.events import BUCKET, REGION
from tests.support.index import NOW, TABLE, WORKFLOW, email, ended_as, message_index, seen

pytestmark = pytest.mark.usefixtures("account")

ANSWERS = WORKFLOW.replace("mailstep-email", "mailstep-later-answers")
STACK = HomeStack(
    "mailstep",
    {
        "StateMachineArn": WORKFLOW,
        "LaterAnswerStateMachineArn": ANSWERS,
        "MailBucketName": BUCKET,
        "MessageIndexName": TABLE,
    },
    parameters={"ParsedRetentionDays": "30"},
)
EMAIL = email()
FIRST, REPLAY = (STACK.execution(name) for name in (EMAIL.email_id, f"{EMAIL.email_id}-r2"))


def line(given: Any) -> Timeline:
    """A timeline of an execution with that input."""
    return Timeline(NOW, states=[State("First", NOW, input=given)])


def indexed(stored: StoredEmail, entry: IndexEntry) -> IndexEntry:
    replayed = stored.model_copy(update={"replay": True})
    again = seen(
        replayed,
        started=NOW + timedelta(minutes=1),
        name=f"{stored.email_id}-r2",
        output=ended_as("replied", None, "0100-1"),
    )
    return entry.with_email(stored).with_execution(seen(stored, "FAILED").execution).with_execution(again.execution)


@pytest.fixture
def shipped() -> str:
    """The email was replayed, and answered later; return the ARN of the later answer's execution."""
    message_index().change(EMAIL.email_id, partial(indexed, EMAIL))
    key = f"answers/{EMAIL.email_id}/shipped.json"
    # The first answer, and an object that is no later answer, are beside it.
    for one in (key, f"answers/{EMAIL.email_id}.json", f"answers/{EMAIL.email_id}/notes.txt"):
        boto3.client("s3", region_name=REGION).put_object(Bucket=BUCKET, Key=one, Body=b"{}")
    answer = later_answer(BUCKET, key)
    assert answer
    return execution_arn(ANSWERS, execution_name(answer))


def shown(found: Related | None, arn: str, width: int = 80) -> str:
    assert found
    console = Console(width=width)
    with console.capture() as captured:
        console.print(related_view(found, arn), soft_wrap=True)
    return captured.get()


@pytest.mark.parametrize("width", [60, 80])
def test_an_execution_leads_to_the_replay_and_to_the_later_answer(shipped: str, width: int) -> None:
    told = shown(related(STACK, FIRST, line(EMAIL.model_dump(mode="json"))), FIRST, width)
    assert told.splitlines() == [
        f"A replay (replied): mailstep history {EMAIL.email_id}-r2",
        f"Later answer shipped: mailstep history {shipped}",
    ]


def test_a_replay_leads_back_to_the_first_execution(shipped: str) -> None:
    told = shown(related(STACK, REPLAY, line(None)), REPLAY)
    assert told.splitlines()[0] == f"The first execution (failed): mailstep history {EMAIL.email_id}"
    assert "-r2" not in told


def test_a_later_answer_leads_back_to_its_email(shipped: str) -> None:
    told = shown(related(STACK, shipped, line({"email_id": EMAIL.email_id, "name": "shipped"})), shipped)
    assert told.splitlines() == [
        f"It sends a later answer to the email {EMAIL.email_id}",
        f"The first execution (failed): mailstep history {EMAIL.email_id}",
        f"A replay (replied): mailstep history {EMAIL.email_id}-r2",
    ]


def test_an_execution_of_another_stack_has_nothing_of_this_one() -> None:
    other = execution_arn(WORKFLOW.replace("mailstep-email", "staging-email"), EMAIL.email_id)
    assert related(STACK, other, line({"email_id": EMAIL.email_id})) is None


@pytest.mark.parametrize("given", [None, "cut", [1], {"email_id": 5}, {}])
def test_the_input_of_a_later_answers_execution_may_be_anything(given: object) -> None:
    assert related(STACK, execution_arn(ANSWERS, "x"), line(given)) is None


def test_what_was_answered_long_ago_has_no_later_answers() -> None:
    found = related(STACK, FIRST, Timeline(datetime.now(UTC)))
    assert found == Related(EMAIL.email_id, (), ())
