"""`mailstep replay --override`: what goes on record of the rule and of the operator, and who reads it."""

import json
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from rich.console import Console

from mailstep.contracts import Override, StoredEmail
from mailstep.parse import handler as parse_handler
from mailstep.validate import handler as validate_handler
from mailstep.validate.policy import RULES
from mailstep_cli import history, replay
from mailstep_cli.errors import UserError
from mailstep_cli.timeline_view import timeline_table
from tests.support.events import CONTEXT, REGION, event

pytestmark = pytest.mark.usefixtures("account")
OPERATOR = "arn:aws:sts::123456789012:user/moto"
NEVER = {"no_sender", "unknown_route", "unanswerable_sender"}


@pytest.fixture
def ended() -> str:
    """The ARN of an execution of the sample that has ended."""
    sfn = boto3.client("stepfunctions", region_name=REGION)
    machine = sfn.create_state_machine(name="email", definition="{}", roleArn="arn:aws:iam::123456789012:role/x")
    arn = sfn.start_execution(
        stateMachineArn=machine["stateMachineArn"], name="sample", input=json.dumps(event("parse"))
    )["executionArn"]
    sfn.stop_execution(executionArn=arn)
    return arn


def replayed(arn: str, **options: Any) -> StoredEmail:
    sfn = boto3.client("stepfunctions", region_name=REGION)
    again = replay.replay(sfn, arn, **{"reply_again": False} | options)
    sfn.stop_execution(executionArn=again)
    return StoredEmail.model_validate_json(sfn.describe_execution(executionArn=again)["input"])


def test_the_input_of_the_replay_has_the_rule_and_the_identity_of_the_operator(ended: str) -> None:
    email = replayed(ended, overridden=replay.override("automatic_mail"))
    assert email.override
    assert email.override.rule == "automatic_mail"
    assert email.override.by == boto3.client("sts", region_name=REGION).get_caller_identity()["Arn"]
    assert email.replay


def test_an_override_is_for_one_replay(ended: str) -> None:
    sfn = boto3.client("stepfunctions", region_name=REGION)
    first = replay.replay(sfn, ended, reply_again=False, overridden=Override(rule="spam", by=OPERATOR))
    sfn.stop_execution(executionArn=first)
    assert replayed(first).override is None


@pytest.mark.parametrize("rule", sorted({rule.code for rule in RULES} | {"application_refused", "nonsense", ""}))
def test_a_rule_that_cannot_be_overridden_is_named_before_anything_is_started(rule: str) -> None:
    if rule in {one.code for one in RULES} - NEVER:
        assert replay.override(rule).rule == rule
    else:
        with pytest.raises(UserError, match=r"cannot be overridden: name one of .*virus, spam, unauthenticated, "):
            replay.override(rule)


def test_history_shows_who_overrode_which_rule() -> None:
    def shown(started_with: str) -> str:
        started: dict[str, Any] = {
            "timestamp": datetime.now(UTC),
            "type": "ExecutionStarted",
            "executionStartedEventDetails": {"input": started_with},
        }
        console = Console(width=200)
        with console.capture() as captured:
            console.print(timeline_table(history.timeline([started]), title="x"))
        return captured.get()

    email = event("parse")
    said = f"automatic_mail was overridden by {OPERATOR}"
    assert said in shown(json.dumps(email | {"override": {"rule": "automatic_mail", "by": OPERATOR}}))
    for other in (json.dumps(email), json.dumps(email | {"override": None}), "[]", '"x"', "{}"):
        assert "overridden" not in shown(other)


def test_the_log_of_the_validation_names_rule_and_operator(caplog: pytest.LogCaptureFixture) -> None:
    parse_handler.handler(event("parse"), CONTEXT)
    request = event("validate")
    request["claim"]["email"] |= {"replay": True, "override": {"rule": "too_large", "by": OPERATOR}}
    assert validate_handler.handler(request, CONTEXT)["email"]["override"]["rule"] == "too_large"
    lines = [vars(record) for record in caplog.records if record.message == "Overridden"]
    assert [(line["rule"], line["by"]) for line in lines] == [("too_large", OPERATOR)]
