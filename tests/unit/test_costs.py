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
from mailstep.contracts import StoredEmail
from mailstep.index import handler as index_handler
from mailstep.outcomes import ReplyKind
from mailstep.parse import handler as parse_handler
from mailstep.process import handler as process_handler
from mailstep.reply import handler as reply_handler
from mailstep.start import handler as start_handler
from mailstep.validate import handler as validate_handler
from tests.support.events import BUCKET, CONTEXT, REGION, batch, event, sample
from tests.support.index import TABLE as INDEX
from tests.support.index import ended_as, status_event
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
    """Every request to AWS that the functions make for one message that gets a reply.

    Those to the table of the index have `index` for the service. `index:units` is the write units of its table and
    indexes (Amazon DynamoDB Developer Guide, "Managing write capacity for global secondary indexes": one for an entry
    that is new or changed, two if its key changed; items here are smaller than a KB or two).
    """
    machine = boto3.client("stepfunctions", region_name=REGION).create_state_machine(
        name="email", definition="{}", roleArn="arn:aws:iam::123456789012:role/x"
    )
    monkeypatch.setenv("STATE_MACHINE_ARN", machine["stateMachineArn"])
    monkeypatch.setenv("LATER_ANSWERS_ARN", machine["stateMachineArn"])
    monkeypatch.setenv("MAIL_BUCKET", BUCKET)
    made: Counter[str] = Counter()
    call = BaseClient._make_api_call  # type: ignore[attr-defined]

    def counted(self: Any, operation: str, parameters: Any) -> Any:
        service = self.meta.service_model.service_name
        made[f"{'index' if parameters.get('TableName') == INDEX else service}:{operation}"] += 1
        return call(self, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", counted)
    start_handler.handler(batch(sample()), CONTEXT)
    parse_handler.handler(event("parse"), CONTEXT)
    validate_handler.handler(event("validate"), CONTEXT)
    process_handler.handler(event("process"), CONTEXT)
    reply_handler.handler(event("reply"), CONTEXT)
    email = StoredEmail.model_validate(event("parse"))
    before: dict[str, Any] = {}
    for status, output in (("RUNNING", None), ("SUCCEEDED", ended_as("replied", ses_message_id="0100-x"))):
        index_handler.handler(batch(json.dumps(status_event(email, status, output=output))), CONTEXT)
        [after] = boto3.client("dynamodb", region_name=REGION).scan(TableName=INDEX)["Items"]
        made["index:units"] += write_units(before, after)
        before = after
    del made["index:Scan"]
    return made


def write_units(before: dict[str, Any], after: dict[str, Any]) -> int:
    """The write units of one PutItem: of the table, and of each of its indexes."""
    table = transformed("template.yaml", {"Domain": "mail.example.com"})["MessageIndex"]["Properties"]
    size = len(json.dumps(after)) // 1024
    units = 1 + size
    for index in table["GlobalSecondaryIndexes"]:
        names = [part["AttributeName"] for part in index["KeySchema"]]
        old, new = ([item.get(name) for name in names] if all(name in item for name in names) else None
                    for item in (before, after))  # fmt: skip
        whole = index["Projection"]["ProjectionType"] == "ALL"
        if new is not None and (old != new or whole):
            units += (2 if old is not None and old != new else 1) * (1 + size if whole else 1)
    return units


def counted(row: str) -> int:
    """The first number in the column of counts."""
    found = re.match(r"\d+", ROWS[row][0])
    assert found, row
    return int(found[0])


def test_the_requests_of_one_message_are_those_of_the_page(requests: Counter[str]) -> None:
    services = {name.partition(":")[0] for name in requests}
    assert services == {"s3", "dynamodb", "sesv2", "stepfunctions", "index"}
    # SES stores the message itself.
    assert counted("S3, written") == requests["s3:PutObject"] + 1
    assert counted("S3, read") == requests["s3:GetObject"]
    assert sum(n for name, n in requests.items() if name.startswith("s3:")) == requests["s3:PutObject"] + counted(
        "S3, read"
    )
    assert counted("DynamoDB, the index") == requests["index:units"], requests
    assert f"{requests['index:GetItem']} read" in ROWS["DynamoDB, the index"][0]
    assert requests.keys() - {"index:units"} >= {"index:GetItem", "index:PutItem"}
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
    # StartFunction for the message and for its answer, a function by each task, and IndexFunction at either end.
    assert counted("Lambda, calls") == 2 + kinds["Task"] + 2
    assert counted("SQS") == (2 + 2) * 3


@pytest.mark.parametrize("row", PRICES)
def test_a_row_costs_its_count_times_its_price(row: str) -> None:
    assert float(ROWS[row][3]) == pytest.approx(1000 * counted(row) * PRICES[row], abs=0.0006)


def test_the_sums_are_those_of_the_rows() -> None:
    writes, reads = map(int, re.findall(r"\d+", ROWS["DynamoDB"][0]))
    assert float(ROWS["DynamoDB"][3]) == pytest.approx(1000 * (writes * WRITE + reads * READ), abs=0.0006)
    units, read = map(int, re.findall(r"\d+", ROWS["DynamoDB, the index"][0]))
    assert float(ROWS["DynamoDB, the index"][3]) == pytest.approx(1000 * (units * WRITE + read * READ), abs=0.0006)
    rows = {name: float(cells[3]) for name, cells in ROWS.items() if re.fullmatch(r"\d\.\d{3}", cells[-1])}
    cold = rows.pop("Lambda, cold (instead)")
    warm = rows.pop("Lambda, warm")
    assert rows.keys() == {*PRICES, "DynamoDB", "DynamoDB, the index", "CloudWatch Logs"}
    assert ROWS["**all warm**"][3] == f"**{sum(rows.values()) + warm:.2f}**"
    assert ROWS["**all cold**"][3] == f"**{sum(rows.values()) + cold:.2f}**"
    for page in ("README.md", "docs/deploy.md"):
        assert f"bout {sum(rows.values()) + warm:.2f} USD for 1,000 messages" in (PROJECT / page).read_text(), page


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
    for page in ("README.md", "docs/deploy.md"):
        assert f"{whole} USD a month" in (PROJECT / page).read_text(), page
    assert "AWS::KMS::Key" not in kinds
    assert "SSESpecification" not in resources["LedgerTable"]["Properties"], "a KMS key of AWS's, whose calls cost"


def test_the_number_of_routes_and_reasons_changes_no_price() -> None:
    assert all(name not in metric.dimensions for metric in metrics.ALL for name in ("route", "reason"))
