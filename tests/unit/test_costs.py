"""docs/costs.md: its counts are those of one message's requests, and its sums are their prices."""

import json
import re
from collections import Counter
from itertools import pairwise
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient

from mailstep import metrics
from mailstep.outcomes import ReplyKind
from mailstep.parse import handler as parse_handler
from mailstep.process import handler as process_handler
from mailstep.reply import handler as reply_handler
from mailstep.start import handler as start_handler
from mailstep.validate import handler as validate_handler
from tests.support.events import BUCKET, CONTEXT, REGION, batch, event, sample
from tests.support.project import PROJECT
from tests.support.transformed import transformed

PAGE = (PROJECT / "docs" / "costs.md").read_text()
ROWS = {cells[0]: cells[1:] for line in PAGE.splitlines() if (cells := [c.strip() for c in line.split("|")[1:-1]])}
STATES = json.loads((PROJECT / "statemachine" / "email.asl.json").read_text())["States"]
ANSWERED = ("ParseEmail", "ValidateEmail", "ChooseProcessor", "ProcessEmail", "ChooseReply", "SendReply")
"""The states of a message that a built-in processor answers (README.md, "Try it")."""

MILLION = 1_000_000
# USD in us-east-1, from the pages that docs/costs.md names under [1] to [9]; each for one of what is counted.
PRICES = {
    "SES, received": 0.10 / 1000,
    "SES, sent": 0.10 / 1000,
    "Step Functions": 0.025 / 1000,
    "Lambda, calls": 0.20 / MILLION,
    "S3, written": 0.005 / 1000,
    "S3, read": 0.0004 / 1000,
    "SNS": 0.50 / MILLION,
    "SQS": 0.40 / MILLION,
    "X-Ray": 5.00 / MILLION,
}
WRITE, READ = 0.625 / MILLION, 0.125 / MILLION
METRIC, ALARM, DASHBOARD, POLLING = 0.30, 0.10, 3.00, 0.65 * 0.40  # polling: one queue


@pytest.fixture
def requests(account: None, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Every request to AWS that the five functions make for one message that gets a reply."""
    machine = boto3.client("stepfunctions", region_name=REGION).create_state_machine(
        name="email", definition="{}", roleArn="arn:aws:iam::123456789012:role/x"
    )
    monkeypatch.setenv("STATE_MACHINE_ARN", machine["stateMachineArn"])
    monkeypatch.setenv("LATER_ANSWERS_ARN", machine["stateMachineArn"])
    monkeypatch.setenv("MAIL_BUCKET", BUCKET)
    made: Counter[str] = Counter()
    call = BaseClient._make_api_call  # type: ignore[attr-defined]

    def counted(self: Any, operation: str, parameters: Any) -> Any:
        made[f"{self.meta.service_model.service_name}:{operation}"] += 1
        return call(self, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", counted)
    start_handler.handler(batch(sample()), CONTEXT)
    parse_handler.handler(event("parse"), CONTEXT)
    validate_handler.handler(event("validate"), CONTEXT)
    process_handler.handler(event("process"), CONTEXT)
    reply_handler.handler(event("reply"), CONTEXT)
    return made


def counted(row: str) -> int:
    """The first number in the column of counts."""
    found = re.match(r"\d+", ROWS[row][0])
    assert found, row
    return int(found[0])


def test_the_requests_of_one_message_are_those_of_the_page(requests: Counter[str]) -> None:
    services = {name.partition(":")[0] for name in requests}
    assert services == {"s3", "dynamodb", "sesv2", "stepfunctions"}
    # SES stores the message itself.
    assert counted("S3, written") == requests["s3:PutObject"] + 1
    assert counted("S3, read") == requests["s3:GetObject"]
    assert sum(n for name, n in requests.items() if name.startswith("s3:")) == requests["s3:PutObject"] + counted(
        "S3, read"
    )
    writes = sum(requests[f"dynamodb:{action}Item"] for action in ("Put", "Update", "Delete"))
    assert ROWS["DynamoDB"][0] == f"{writes} writes, {requests['dynamodb:GetItem']} read, on demand"
    assert requests["sesv2:SendEmail"] == counted("SES, sent") == 1
    assert requests["stepfunctions:StartExecution"] == 1


def test_the_states_of_one_message_are_those_of_the_page() -> None:
    for state, following in pairwise(ANSWERED):
        assert f'"{following}"' in json.dumps(STATES[state]), state
    assert STATES[ANSWERED[-1]]["End"]
    kinds = Counter(STATES[name]["Type"] for name in ANSWERED)
    assert ROWS["Step Functions"][0] == f"{len(ANSWERED)} states: {kinds['Task']} tasks, {kinds['Choice']} choices"
    # One call of StartFunction for the message, one for its answer, and one of a function by each task.
    assert counted("Lambda, calls") == 2 + kinds["Task"]
    assert counted("SQS") == 2 * 3


@pytest.mark.parametrize("row", PRICES)
def test_a_row_costs_its_count_times_its_price(row: str) -> None:
    assert float(ROWS[row][3]) == pytest.approx(1000 * counted(row) * PRICES[row], abs=0.0006)


def test_the_sums_are_those_of_the_rows() -> None:
    writes, reads = map(int, re.findall(r"\d+", ROWS["DynamoDB"][0]))
    assert float(ROWS["DynamoDB"][3]) == pytest.approx(1000 * (writes * WRITE + reads * READ), abs=0.0006)
    rows = {name: float(cells[3]) for name, cells in ROWS.items() if re.fullmatch(r"\d\.\d{3}", cells[-1])}
    cold = rows.pop("Lambda, cold (instead)")
    warm = rows.pop("Lambda, warm")
    assert rows.keys() == {*PRICES, "DynamoDB", "CloudWatch Logs"}
    assert ROWS["**all warm**"][3] == f"**{sum(rows.values()) + warm:.2f}**"
    assert ROWS["**all cold**"][3] == f"**{sum(rows.values()) + cold:.2f}**"


def series() -> int:
    """The custom metrics of a stack: each combination of the values of a metric's dimensions."""
    values = {"kind": len(ReplyKind)}
    assert {name for metric in metrics.ALL for name in metric.dimensions} == {*values}
    return sum(values["kind"] if metric.dimensions else 1 for metric in metrics.ALL)


def test_what_a_month_costs_without_mail_is_what_the_template_makes() -> None:
    """tests/unit/test_metrics.py shows that the handlers emit exactly the metrics that are defined."""
    resources = transformed("template.yaml", {"Domain": "mail.example.com"})
    kinds = Counter(resource["Type"] for resource in resources.values())
    alarms = kinds["AWS::CloudWatch::Alarm"]
    monthly = {
        f"{series()} custom metrics": series() * METRIC,
        f"{alarms} alarms": alarms * ALARM,
        "the dashboard": kinds["AWS::CloudWatch::Dashboard"] * DASHBOARD,
        f"polling {kinds['AWS::Lambda::EventSourceMapping']} queues": kinds["AWS::Lambda::EventSourceMapping"]
        * POLLING,
    }
    for what, costs in monthly.items():
        assert re.search(rf"\| {what}\b[^|]*\|[^|]*\| {costs:.2f} \|", PAGE), (what, costs)
    whole = f"{sum(monthly.values()):.2f}"
    assert f"| **a month** | | **{whole}** |" in PAGE
    assert f"{whole} USD a month" in (PROJECT / "README.md").read_text()
    assert "AWS::KMS::Key" not in kinds
    assert "SSESpecification" not in resources["LedgerTable"]["Properties"], "a KMS key of AWS's, whose calls cost"


def test_the_number_of_routes_and_reasons_changes_no_price() -> None:
    assert all(name not in metric.dimensions for metric in metrics.ALL for name in ("route", "reason"))
