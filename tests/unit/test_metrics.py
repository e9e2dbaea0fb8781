"""What the handlers emit against what is watched: CloudWatch adds nothing up, so both must be the same.

Over 300 lines, because both directions of the comparison are here.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider
from botocore.exceptions import ClientError

from mailstep import metrics
from mailstep.aws.ledger import Ledger
from mailstep.errors import RefusedEmail
from mailstep.feedback import handler as feedback_handler
from mailstep.index.sweep import handler as sweep_handler
from mailstep.parse import handler as parse_handler
from mailstep.process import handler as process_handler
from mailstep.reply import handler as reply_handler
from mailstep.start import handler as start_handler
from mailstep.validate import handler as validate_handler
from tests.support.events import BUCKET, CONTEXT, REGION, batch, event, sample
from tests.support.project import PROJECT
from tests.support.transformed import transformed

pytestmark = pytest.mark.usefixtures("account")

RESOURCES = transformed("template.yaml", {"Domain": "mail.example.com"})
WORKFLOW = RESOURCES["EmailWorkflow"]["Arn"]
LATER_ANSWERS = RESOURCES["LaterAnswerWorkflow"]["Arn"]


@dataclass(frozen=True)
class Point:
    """One value that CloudWatch would file under one name and dimension set."""

    namespace: str
    name: str
    unit: str
    dimensions: frozenset[tuple[str, str]]
    value: float


@dataclass(frozen=True)
class Watch:
    """What an alarm, a line of the dashboard or a SEARCH asks for; a dimension of a SEARCH may have any value."""

    namespace: str
    name: str
    names: frozenset[str]
    values: frozenset[tuple[str, str]]

    def sees(self, point: Point) -> bool:
        return (
            (self.namespace, self.name) == (point.namespace, point.name)
            and self.names == {name for name, _ in point.dimensions}
            and self.values <= point.dimensions
        )


type Emitted = Callable[[], list[Point]]


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Every metric's log line, as it is written."""
    found: list[dict[str, Any]] = []
    write = AmazonCloudWatchEMFProvider.serialize_metric_set

    def serialize(self: Any, *args: Any, **named: Any) -> Any:
        blob = write(self, *args, **named)
        found.append(dict(blob))
        return blob

    monkeypatch.setattr(AmazonCloudWatchEMFProvider, "serialize_metric_set", serialize)
    return found


@pytest.fixture
def emitted(capsys: pytest.CaptureFixture[str]) -> Emitted:
    """The values that were written to standard output since the last call (CloudWatch embedded metric format)."""

    def read() -> list[Point]:
        blobs = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
        return [
            Point(directive["Namespace"], metric["Name"], metric["Unit"], frozenset((d, blob[d]) for d in one), value)
            for blob in blobs
            for directive in blob["_aws"]["CloudWatchMetrics"]
            for one in directive["Dimensions"]
            for metric in directive["Metrics"]
            for value in (blob[metric["Name"]] if isinstance(blob[metric["Name"]], list) else [blob[metric["Name"]]])
        ]

    return read


@pytest.fixture
def workflow(account: None, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = boto3.client("stepfunctions", region_name=REGION).create_state_machine(
        name="email", definition="{}", roleArn="arn:aws:iam::123456789012:role/x"
    )
    monkeypatch.setenv("STATE_MACHINE_ARN", machine["stateMachineArn"])
    monkeypatch.setenv("LATER_ANSWERS_ARN", machine["stateMachineArn"])
    monkeypatch.setenv("MAIL_BUCKET", BUCKET)


@pytest.fixture
def processed(account: None) -> None:
    """The sample, parsed and processed."""
    parse_handler.handler(event("parse"), CONTEXT)
    process_handler.handler(event("process"), CONTEXT)


def change_message(**fields: object) -> None:
    """Change the stored Message of the sample."""
    s3, key = boto3.client("s3", region_name=REGION), event("validate")["claim"]["message_key"]
    message = json.loads(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
    s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(message | fields))


def refuse() -> None:
    change_message(**{"from": []})
    with pytest.raises(RefusedEmail):
        validate_handler.handler(event("validate"), CONTEXT)


def withhold(**records: object) -> None:
    """Have the reply of the sample withheld, by what is in the message."""
    change_message(**records)
    assert validate_handler.handler(event("validate"), CONTEXT)["withheld"]


def answer(kind: str = "answer", **fields: object) -> None:
    reply_handler.handler(event("reply") | {"kind": kind} | fields, CONTEXT)


def stray() -> str:
    return sample().replace("inbound/orders/sample-order", "inbound/no-such-route/x")


def tell(message: str) -> None:
    told = event("feedback")
    told["Records"][0]["Sns"]["Message"] = message
    feedback_handler.handler(told, CONTEXT)


@pytest.fixture
def everything(emitted: Emitted, workflow: None, processed: None, monkeypatch: pytest.MonkeyPatch) -> list[Point]:
    """What all handlers emit, in each case that they count."""
    start_handler.handler(batch(sample(), sample(), stray()), CONTEXT)
    validate_handler.handler(event("validate"), CONTEXT)
    for kind in ("answer", "refusal", "delay", "failure", "completion"):
        answer(kind)
    parse_handler.handler(event("parse") | {"unreadable": True}, CONTEXT)
    withhold(headers=[["List-Id", "<news.example>"]])
    with monkeypatch.context() as bounded:
        bounded.setattr(Ledger, "count_reply", lambda *_: False)
        withhold(headers=[])
    refuse()
    feedback_handler.handler(event("feedback"), CONTEXT)
    tell('{"eventType": "Bounce"}')
    sweep_handler.handler({"hours": 1}, CONTEXT)
    return emitted()


def watches() -> list[Watch]:
    found = []
    for resource in RESOURCES.values():
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            alarm = resource["Properties"]
            values = frozenset((one["Name"], one["Value"]) for one in alarm.get("Dimensions", []))
            found.append(Watch(alarm["Namespace"], alarm["MetricName"], frozenset(name for name, _ in values), values))
    [dashboard] = [r for r in RESOURCES.values() if r["Type"] == "AWS::CloudWatch::Dashboard"]
    body = json.loads(dashboard["Properties"]["DashboardBody"])
    lines = [line for widget in body["widgets"] for line in widget["properties"].get("metrics", [])]
    return found + [searched(line[0]["expression"]) if isinstance(line[0], dict) else shown(line) for line in lines]


def shown(line: list[Any]) -> Watch:
    """A line of a widget: namespace, name, then names and values of dimensions, then options."""
    namespace, name, *rest = [part for part in line if isinstance(part, str)]
    values = frozenset(zip(rest[::2], rest[1::2], strict=True))
    return Watch(namespace, name, frozenset(rest[::2]), values)


def searched(expression: str) -> Watch:
    """Amazon CloudWatch User Guide, "CloudWatch search expression syntax": `{namespace,dimension,...}` and terms."""
    found = re.fullmatch(r"SEARCH\('\{([^}]+)\} (.+)', '\w+', \d+\)", expression)
    assert found, expression
    namespace, *names = found[1].split(",")
    terms = dict(re.findall(r'(\w+)="([^"]+)"', found[2]))
    return Watch(namespace, terms.pop("MetricName"), frozenset(names), frozenset(terms.items()))


OURS = [watch for watch in watches() if watch.namespace == "Mailstep"]


def test_what_is_watched_is_emitted(everything: list[Point]) -> None:
    assert OURS
    assert [watch for watch in OURS if not any(watch.sees(point) for point in everything)] == []


def test_what_is_emitted_is_watched(everything: list[Point]) -> None:
    """Each set of values costs 0.30 USD a month."""
    assert [point for point in everything if not any(watch.sees(point) for watch in OURS)] == []


def test_each_metric_is_emitted_as_it_is_defined(everything: list[Point]) -> None:
    defined = {(m.name, m.unit.value, frozenset({metrics.SERVICE, *m.dimensions})) for m in metrics.ALL}
    assert {(p.name, p.unit, frozenset(name for name, _ in p.dimensions)) for p in everything} == defined
    assert {point.namespace for point in everything} == {"Mailstep"}


def queries() -> list[str]:
    """The queries of the dashboard's log widgets."""
    [dashboard] = [r for r in RESOURCES.values() if r["Type"] == "AWS::CloudWatch::Dashboard"]
    widgets = json.loads(dashboard["Properties"]["DashboardBody"])["widgets"]
    return [widget["properties"]["query"] for widget in widgets if widget["type"] == "log"]


@pytest.mark.parametrize("query", queries(), ids=lambda query: query.split(" by ")[1].split()[0] + query.split()[4])
def test_a_chart_by_property_asks_for_fields_of_one_log_line(
    logged: list[dict[str, Any]], everything: list[Point], query: str
) -> None:
    """Amazon CloudWatch Logs User Guide, "Supported logs and discovered fields": an array is `name.0`, ..."""
    group, metric, by = re.fullmatch(
        r"SOURCE '([^']+)' \| filter (\S+) >=? 0 \| stats \w+\(\2(?:, 95)?\) as \w+ by (\w+) \| sort \w+ desc", query
    ).groups()  # type: ignore[union-attr] # a query of another form fails here
    assert group == RESOURCES["FunctionLogs"]["Properties"]["LogGroupName"]
    name, _, number = metric.partition(".")
    counted = [line for line in logged if name in line]
    assert counted
    assert all(line[by] and line[name][int(number)] >= 0 for line in counted)


def test_the_docs_name_no_metric_that_is_not_emitted() -> None:
    pages = [page.read_text() for page in (PROJECT / "docs").rglob("*.md")]
    named = {name for page in pages for name in re.findall(r"metrics?\s+`(\w+)`", page)}
    assert named
    assert named <= {metric.name for metric in metrics.ALL}


def test_the_latency_alarm_sees_a_sender_who_waits_longer_than_a_minute(emitted: Emitted, processed: None) -> None:
    change_message(received=(datetime.now(UTC) - timedelta(seconds=61)).isoformat())
    answer()
    alarm = RESOURCES["ReplyLatencyAlarm"]["Properties"]
    values = frozenset((one["Name"], one["Value"]) for one in alarm["Dimensions"])
    [waited] = [p for p in emitted() if p.name == alarm["MetricName"] and p.dimensions == values]
    assert (waited.unit, alarm["Threshold"]) == ("Milliseconds", 60_000)
    assert 61_000 <= waited.value < 600_000


def test_a_replay_of_an_old_message_is_a_reply_and_no_waiting_time(emitted: Emitted, processed: None) -> None:
    again = event("reply")
    again["claim"]["email"] |= {"replay": True, "reply_again": True}
    answer(execution_name=f"{again['execution_name']}-r2", claim=again["claim"])
    # The first answer may come from a replay too: the execution failed, and was not redriven.
    answer("failure", execution_name=f"{again['execution_name']}-r3", claim=again["claim"])
    assert {point.name for point in emitted()} == {"RepliesSent"}


def test_an_answer_on_record_is_not_counted_again(emitted: Emitted, processed: None) -> None:
    answer()
    assert emitted()
    answer()
    assert emitted() == []


def test_a_time_of_receipt_in_the_future_is_no_negative_value(emitted: Emitted, processed: None) -> None:
    """Amazon CloudWatch User Guide, "Percentiles": there are none of a metric with negative values."""
    change_message(received=(datetime.now(UTC) + timedelta(seconds=90)).isoformat())
    answer()
    assert {point.value for point in emitted() if point.name == "TimeToReply"} == {0}


def test_a_batch_counts_each_email_once_whatever_is_beside_it(emitted: Emitted, workflow: None) -> None:
    other = sample().replace("sample-order", "another-order")
    start_handler.handler(batch(sample(), "not JSON", stray(), other), CONTEXT)
    counted = emitted()
    assert sum(point.value for point in counted if point.name == "EmailsReceived") == 2
    assert sum(point.value for point in counted if point.name == "StrayObjects") == 1


def test_nothing_of_one_invocation_is_in_the_next(emitted: Emitted, processed: None) -> None:
    unread = event("validate")
    unread["claim"]["message_key"] = "parsed/gone/message.json"
    with pytest.raises(ClientError):
        validate_handler.handler(unread, CONTEXT)
    assert emitted() == []
    s3, key = boto3.client("s3", region_name=REGION), event("validate")["claim"]["message_key"]
    before = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    refuse()
    [refused] = emitted()
    assert (refused.name, dict(refused.dimensions)) == ("EmailsRefused", {"service": "mailstep"})
    s3.put_object(Bucket=BUCKET, Key=key, Body=before)
    validate_handler.handler(event("validate"), CONTEXT)
    [accepted] = emitted()
    assert (accepted.name, dict(accepted.dimensions)) == ("EmailsAccepted", {"service": "mailstep"})


@pytest.mark.parametrize("dimensions", [{}, {"route": "orders", "kind": "answer"}, {"service": "x"}])
def test_a_metric_takes_its_own_dimensions_only(emitted: Emitted, dimensions: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="RepliesSent"):
        metrics.REPLIES_SENT.emit(**dimensions)
    assert emitted() == []


# The dimension sets under which AWS documents its own metrics.
DOCUMENTED = {
    # Amazon SQS Developer Guide, "Available CloudWatch metrics for Amazon SQS".
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): [{"QueueName"}],
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"): [{"QueueName"}],
    # AWS Step Functions Developer Guide, "Step Functions metrics for CloudWatch": the dimensions of execution
    # metrics, of executions with version, of executions with an alias.
    ("AWS/States", "ExecutionsFailed"): [
        {"StateMachineArn"},
        {"StateMachineArn", "Version"},
        {"StateMachineArn", "Alias"},
    ],
    ("AWS/States", "ExecutionsTimedOut"): [
        {"StateMachineArn"},
        {"StateMachineArn", "Version"},
        {"StateMachineArn", "Alias"},
    ],
    # Amazon SES Developer Guide, "Creating reputation monitoring alarms using CloudWatch": of the account; "Exporting
    # reputation metrics": of a configuration set.
    ("AWS/SES", "Reputation.BounceRate"): [set(), {"ses:configuration-set"}],
    ("AWS/SES", "Reputation.ComplaintRate"): [set(), {"ses:configuration-set"}],
}


@pytest.mark.parametrize(
    "watch",
    [watch for watch in watches() if watch.namespace != "Mailstep"],
    ids=lambda watch: f"{watch.name}-{next(iter(watch.values), ('', ''))[1]}",
)
def test_awss_own_metrics_are_watched_under_dimensions_that_aws_emits(watch: Watch) -> None:
    assert watch.names in DOCUMENTED[watch.namespace, watch.name]
    queues = {r["Properties"]["QueueName"] for r in RESOURCES.values() if r["Type"] == "AWS::SQS::Queue"}
    for name, value in watch.values:
        # The ARN of the workflow, not of its alias: `mailstep replay` and hand may start by either.
        assert value in {"QueueName": queues, "StateMachineArn": {WORKFLOW, LATER_ANSWERS}}[name]
