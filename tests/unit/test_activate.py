"""The activation of the receipt rule set, against moto's SES: it changes only what is its own."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from moto import mock_aws

from receiving.activate import handler
from tests.support.custom_resources import CloudFormation

OURS, THEIRS = "mailstep-receiving", "company-mail"


@pytest.fixture
def cloudformation(monkeypatch: pytest.MonkeyPatch) -> Iterator[CloudFormation]:
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    local = {"core": {"passthrough": {"urls": [r"http://127\.0\.0\.1.*"]}}}
    with mock_aws(config=local), CloudFormation(own=OURS, call=lambda event: handler(event, None)) as started:
        yield started


@pytest.fixture
def ses(cloudformation: CloudFormation) -> Any:
    client = boto3.client("ses")
    for name in (OURS, THEIRS):
        client.create_receipt_rule_set(RuleSetName=name)
    return client


def active(ses: Any) -> str | None:
    name: str | None = ses.describe_active_receipt_rule_set().get("Metadata", {}).get("Name")
    return name


def test_our_rule_set_is_activated_if_no_other_is_active(cloudformation: CloudFormation, ses: Any) -> None:
    answer = cloudformation.ask("Create")
    assert answer == {
        "Status": "SUCCESS",
        "PhysicalResourceId": OURS,
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "Activation",
    }
    assert active(ses) == OURS


def test_another_active_set_stays_and_the_remedy_is_named(cloudformation: CloudFormation, ses: Any) -> None:
    ses.set_active_receipt_rule_set(RuleSetName=THEIRS)
    answer = cloudformation.ask("Create")
    assert answer["Status"] == "FAILED"
    assert "Deploy with ActiveRuleSet=company-mail" in answer["Reason"]
    assert "aws ses set-active-receipt-rule-set --region us-west-2" in answer["Reason"]
    assert active(ses) == THEIRS


def test_a_set_that_is_named_must_be_the_active_one(cloudformation: CloudFormation, ses: Any) -> None:
    refused = cloudformation.ask("Create", THEIRS)
    assert refused["Status"] == "FAILED"
    assert "no receipt rule set is active" in refused["Reason"]
    assert active(ses) is None
    ses.set_active_receipt_rule_set(RuleSetName=OURS)
    assert "'mailstep-receiving' is active" in cloudformation.ask("Create", THEIRS)["Reason"]
    ses.set_active_receipt_rule_set(RuleSetName=THEIRS)
    assert cloudformation.ask("Create", THEIRS)["Status"] == "SUCCESS"


def test_a_change_of_the_routes_activates_again_what_was_deactivated(cloudformation: CloudFormation, ses: Any) -> None:
    cloudformation.ask("Create")
    assert cloudformation.ask("Update")["Status"] == "SUCCESS"
    ses.set_active_receipt_rule_set()
    assert cloudformation.ask("Update")["Status"] == "SUCCESS"
    assert active(ses) == OURS


def test_a_change_of_the_set_is_another_resource(cloudformation: CloudFormation, ses: Any) -> None:
    cloudformation.ask("Create")
    ses.set_active_receipt_rule_set(RuleSetName=THEIRS)
    answer = cloudformation.ask("Update", THEIRS, physical_id=OURS)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", THEIRS)
    # What CloudFormation then asks for the former one:
    assert cloudformation.ask("Delete", OURS)["Status"] == "SUCCESS"
    assert active(ses) == THEIRS


def test_deleting_deactivates_ours(cloudformation: CloudFormation, ses: Any) -> None:
    cloudformation.ask("Create")
    assert cloudformation.ask("Delete")["Status"] == "SUCCESS"
    assert active(ses) is None


@pytest.mark.parametrize("name", [OURS, THEIRS])
def test_deleting_leaves_another_active_set_alone(cloudformation: CloudFormation, ses: Any, name: str) -> None:
    ses.set_active_receipt_rule_set(RuleSetName=THEIRS)
    assert cloudformation.ask("Delete", name)["Status"] == "SUCCESS"
    assert active(ses) == THEIRS


def test_a_set_that_is_gone_needs_no_deactivation(cloudformation: CloudFormation, ses: Any) -> None:
    ses.delete_receipt_rule_set(RuleSetName=OURS)
    assert cloudformation.ask("Delete")["Status"] == "SUCCESS"


def test_somebody_elses_rule_in_our_set_is_not_deleted_with_it(cloudformation: CloudFormation, ses: Any) -> None:
    cloudformation.ask("Create")
    ses.create_receipt_rule(RuleSetName=OURS, Rule={"Name": "theirs", "Actions": []})
    answer = cloudformation.ask("Delete", physical_id="as-created")
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", "as-created")
    assert "rules that this stack did not make: theirs. Move or delete them" in answer["Reason"]
    assert active(ses) == OURS


def test_the_rule_of_the_catch_all_route_is_moved_behind_all_others(cloudformation: CloudFormation) -> None:
    event = {
        "RequestType": "Create",
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "CatchAllPosition",
        "ResourceProperties": {"RuleSetName": THEIRS, "RuleName": "ours-in-rest"},
    }
    rules, moved = ["ours-in-rest", "their-stop", "theirs"], []

    class Ses:
        """moto has no SetReceiptRulePosition."""

        def describe_receipt_rule_set(self, RuleSetName: str) -> dict[str, Any]:  # noqa: N803 - SES's name
            assert RuleSetName == THEIRS
            return {"Rules": [{"Name": name} for name in rules]}

        def set_receipt_rule_position(self, RuleSetName: str, RuleName: str, After: str) -> None:  # noqa: N803
            moved.append((RuleSetName, RuleName, After))

    with patch("receiving.activate.boto3.client", lambda *_, **__: Ses()):
        assert cloudformation.answer_to(event)["Status"] == "SUCCESS"
        assert moved == [(THEIRS, "ours-in-rest", "theirs")]
        rules.append(rules.pop(0))
        assert (
            cloudformation.answer_to(event | {"RequestType": "Update", "PhysicalResourceId": THEIRS})["Status"]
            == "SUCCESS"
        )
        assert (
            cloudformation.answer_to(event | {"RequestType": "Delete", "PhysicalResourceId": THEIRS})["Status"]
            == "SUCCESS"
        )
    assert len(moved) == 1


def test_a_defect_is_answered_too(cloudformation: CloudFormation) -> None:
    answer = cloudformation.ask("Create", OURS)
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("RuleSetDoesNotExistException: ")
