"""What the doctor says of the account's Lambda concurrency, and that the defaults fit the smallest account."""

import pytest
from samcli.yamlhelper import yaml_parse

from mailstep_cli.doctor.capacity import judge
from tests.support.project import PROJECT
from tests.support.transformed import transformed

PARAMETERS = yaml_parse((PROJECT / "template.yaml").read_text())["Parameters"]
START, PROCESS = (PARAMETERS[name]["Default"] for name in ("StartConcurrency", "ProcessConcurrency"))
NEW_ACCOUNT = 10
"""Environments of a new account, at the least (AWS Lambda Developer Guide, "Lambda quotas": 1,000, less at first)."""


def test_the_defaults_reserve_nothing_and_leave_a_new_account_most_of_its_environments() -> None:
    resources = transformed("template.yaml", {"Domain": "mail.example.com"})
    functions = [r["Properties"] for r in resources.values() if r["Type"] == "AWS::Lambda::Function"]
    assert len(functions) == len({function["Handler"] for function in functions}) > 6
    assert all(function.get("ReservedConcurrentExecutions") in (None, "") for function in functions)
    mappings = [r["Properties"] for r in resources.values() if r["Type"] == "AWS::Lambda::EventSourceMapping"]
    assert sum(int(mapping["ScalingConfig"]["MaximumConcurrency"]) for mapping in mappings) <= NEW_ACCOUNT // 2
    assert judge(NEW_ACCOUNT, NEW_ACCOUNT, START, PROCESS).state == "ok"


@pytest.mark.parametrize(
    ("limit", "unreserved", "start", "process", "state", "said"),
    [
        (10, 10, 2, 0, "ok", "ProcessConcurrency must be 0"),
        (100, 100, 2, 0, "ok", "ProcessConcurrency must be 0"),
        (1000, 950, 2, 50, "ok", "1000 concurrent"),
        (1000, 500, 200, 500, "ok", "1000 concurrent"),
        (10, 10, 10, 0, "fault", "StartConcurrency=2"),
        (50, 50, 40, 0, "fault", "StartConcurrency=10"),
        (10, 6, 2, 0, "fault", "Service Quotas"),
        (1000, 6, 2, 0, "fault", "Service Quotas"),
        (1000, 400, 2, 600, "fault", "ProcessConcurrency=500"),
        (110, 100, 2, 60, "fault", "ProcessConcurrency=0"),
    ],
)
def test_the_doctor_says_what_to_set(
    limit: int, unreserved: int, start: int, process: int, state: str, said: str
) -> None:
    found = judge(limit, unreserved, start, process)
    assert (found.state, said in f"{found.detail} {found.remedy}") == (state, True), found


def test_the_guide_says_it_before_the_deployment() -> None:
    guide = (PROJECT / "docs" / "deploy.md").read_text()
    before = guide.partition("## 2. Deploy both stacks")[0]
    assert "aws lambda get-account-settings" in before
    assert "ProcessConcurrency" in before
