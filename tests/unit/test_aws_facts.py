"""What we rely on: each fact names a page of AWS, and a test or command that is there; each experiment can fail."""

import re
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
from botocore.exceptions import ClientError

from mailstep_cli.doctor.findings import Finding, ok
from mailstep_cli.errors import UserError
from mailstep_cli.verify import experiments, lab
from mailstep_cli.verify.facts import FACTS, Fact
from tests.support.command import typed
from tests.support.project import PROJECT

THERE = {
    name
    for path in PROJECT.glob("tests/*/test_*.py")
    for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
}
# docs of issue 24: at least these.
WANTED = {
    "At least once", "Visibility", "Partial batches", "Execution names", "Retries", "JSONata", "Tags", "Metrics",
    "SES's block", "Event destinations", "Dead letters", "Redrive", "Role propagation",
}  # fmt: skip


def test_what_the_design_relies_on_at_least_is_listed_once() -> None:
    names = [fact.name for fact in FACTS]
    assert len(set(names)) == len(names)
    assert set(names) >= WANTED


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.name)
def test_a_fact_has_a_page_of_aws_and_a_test_or_a_command(fact: Fact) -> None:
    assert re.fullmatch(r"\[[^]]+\]\(https://docs\.aws\.amazon\.com/[\w./-]+\)", fact.link)
    assert set(fact.tests) <= THERE, set(fact.tests) - THERE
    assert fact.tests or fact.on_aws
    assert not (fact.experiment and fact.command), "one command"
    assert re.match(r"(mailstep|aws) |$", fact.on_aws)
    assert fact.local or fact.experiment


def test_every_experiment_belongs_to_a_fact_and_says_what_it_does() -> None:
    assert {fact.experiment for fact in FACTS} - {""} == experiments.EXPERIMENTS.keys()
    assert all(experiment.__doc__ for experiment in experiments.EXPERIMENTS.values())


def test_every_jsonata_function_of_the_definition_is_tried() -> None:
    definition = (PROJECT / "statemachine" / "email.asl.json").read_text()
    used = set(re.findall(r"\$(\w+)\(", definition)) - {"s"}
    tried = set(re.findall(r"\$(\w+)\(", lab.TEMPLATE.read_text()))
    assert used - {"function"} <= tried, used - tried


def test_a_dry_run_needs_no_account_and_says_everything() -> None:
    nothing = {"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
    told = typed("verify-aws", "--dry-run", **nothing)
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("Create the stack mailstep-verify: ")
    assert told.stdout.rstrip().endswith("Delete the stack mailstep-verify.")
    for name, experiment in experiments.EXPERIMENTS.items():
        assert re.search(rf"^  {name} +{re.escape(str(experiment.__doc__))}$", told.stdout, re.MULTILINE)
    assert "AWS::SES::ReceiptRule" not in told.stdout
    assert "5 AWS::SES::ReceiptRule," in typed("verify-aws", "--dry-run", "--receiving", **nothing).stdout
    one = typed("verify-aws", "--dry-run", "--only", "tags", **nothing).stdout
    assert "tags" in one
    assert "retries" not in one


def test_an_experiment_that_is_not_there_is_named() -> None:
    with pytest.raises(UserError, match="'nothing'; there are: names, retries"):
        experiments.choose(["tags", "nothing"])


def refuses(_lab: lab.Lab) -> Finding:
    raise ClientError({"Error": {"Code": "ValidationError", "Message": "no"}}, "PutThing")


def forbids(_lab: lab.Lab) -> Finding:
    raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not you"}}, "PutThing")


def hangs(_lab: lab.Lab) -> Finding:
    lab.eventually(lambda: None, "what never comes", seconds=0)
    return ok("")


@pytest.mark.parametrize(
    ("experiment", "state", "said"),
    [
        (refuses, "fault", "PutThing: no"),
        (forbids, "unknown", "PutThing: not you"),
        (hangs, "fault", "waited 0 s for what never comes"),
    ],
)
def test_what_aws_refuses_or_does_not_do_is_a_finding(experiment: Any, state: str, said: str) -> None:
    found = experiments.attempt(experiment, None)  # type: ignore[arg-type] # none of them uses the stack
    assert (found.state, found.detail) == (state, said)


@pytest.mark.parametrize("name", ["names", "tags", "concurrency"])
def test_a_missing_permission_is_no_answer_to_what_aws_should_refuse(name: str) -> None:
    denied = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not you"}}, "PutThing")
    calls = ("start_execution", "put_object_tagging", "put_function_concurrency")
    client = MagicMock(**{f"{call}.side_effect": denied for call in calls})
    client.get_account_settings.return_value = {
        "AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000}
    }
    place = MagicMock(**{"client.return_value": client})
    assert experiments.attempt(experiments.EXPERIMENTS[name], place).state == "unknown"


def test_the_stack_is_removed_whole() -> None:
    """No resource of the template is kept, and the bucket is emptied before (lab.py)."""
    text = Path(lab.TEMPLATE).read_text()
    assert "DeletionPolicy" not in text
    assert text.count("AWS::S3::Bucket\n") == 1
