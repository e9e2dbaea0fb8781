"""What watches and bounds a deployment, in the template as AWS would create it."""

import json
import re
from fnmatch import fnmatchcase
from typing import Any

import pytest

from tests.support.project import PROJECT
from tests.support.transformed import ALL_OPTIONS, transformed

KEY = "arn:aws:kms:us-east-1:123456789012:key/1"
DOMAIN = {"Domain": "mail.example.com"}


def resources(**parameters: str) -> dict[str, Any]:
    return transformed("template.yaml", DOMAIN | parameters)


def of_type(kind: str, **parameters: str) -> dict[str, dict[str, Any]]:
    return {name: r["Properties"] for name, r in resources(**parameters).items() if r["Type"] == kind}


def test_every_alarm_tells_the_operators_and_every_dead_letter_queue_has_one() -> None:
    alarms, topic = of_type("AWS::CloudWatch::Alarm"), resources()["OperatorTopic"]["Arn"]
    assert all(alarm["AlarmActions"] == [topic] for alarm in alarms.values())
    watched = {dimension["Value"] for alarm in alarms.values() for dimension in alarm.get("Dimensions", [])}
    queues = {queue["QueueName"] for queue in of_type("AWS::SQS::Queue").values()}
    assert {queue for queue in queues if "-dlq" in queue} <= watched
    metrics = {alarm["MetricName"] for alarm in alarms.values()}
    assert {
        "ApproximateAgeOfOldestMessage",
        "ExecutionsFailed",
        "ExecutionsTimedOut",
        "TimeToReply",
        "Reputation.BounceRate",
        "Reputation.ComplaintRate",
    } <= metrics


def test_the_dashboard_is_json_of_the_stacks_own_region() -> None:
    [dashboard] = of_type("AWS::CloudWatch::Dashboard").values()
    body = json.loads(dashboard["DashboardBody"])
    assert all(widget["properties"]["region"] == "us-east-1" for widget in body["widgets"])
    lines = [line for widget in body["widgets"] for line in widget["properties"].get("metrics", [])]
    stats = {line[-1].get("stat") for line in lines if isinstance(line[-1], dict)}
    assert {"p50", "p95", "p99"} <= stats


def test_metrics_of_two_stacks_are_told_apart() -> None:
    other = transformed("template.yaml", DOMAIN, stack="staging")
    variables = other["ReplyFunction"]["Properties"]["Environment"]["Variables"]
    assert variables["POWERTOOLS_SERVICE_NAME"] == "staging"
    [dimension] = [d for d in other["ReplyLatencyAlarm"]["Properties"]["Dimensions"] if d["Name"] == "service"]
    assert dimension["Value"] == "staging"


def test_mail_is_kept_for_ever_unless_somebody_says_for_how_long() -> None:
    def rules(**parameters: str) -> dict[str, dict[str, Any]]:
        bucket = resources(**parameters)["MailBucket"]
        assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
        return {rule["Id"]: rule for rule in bucket["Properties"]["LifecycleConfiguration"]["Rules"]}

    assert not any(rule.get("Prefix", "") == "inbound/" for rule in rules().values())
    assert rules(MailRetentionDays="30")["expire-mail"]["ExpirationInDays"] in {30, "30"}


def test_a_key_of_ones_own_encrypts_mail_and_every_role_that_reads_it_may_use_it_alone() -> None:
    found = resources(MailKeyArn=KEY)
    [rule] = found["MailBucket"]["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}
    for role in (r for r in found.values() if r["Type"] == "AWS::IAM::Role"):
        statements = [s for policy in role["Properties"]["Policies"] for s in policy["PolicyDocument"]["Statement"]]
        actions = [
            action for s in statements for action in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"])
        ]
        # The index of messages has the same key; what reads or writes it has DynamoDB decrypt the table's own key.
        indexed = any("table/mailstep-index" in json.dumps(s["Resource"]) for s in statements)
        reads, writes = indexed or "s3:GetObject" in actions, "s3:PutObject" in actions
        assert ("kms:Decrypt" in actions, "kms:GenerateDataKey" in actions) == (reads, writes), role["Arn"]
        assert all(s["Resource"] == KEY for s in statements if "kms:" in json.dumps(s["Action"]))
    store = transformed("receiving.yaml", DOMAIN | {"MailKeyArn": KEY})["StoreRole"]["Properties"]["Policies"]
    assert '"kms:GenerateDataKey"' in json.dumps(store)
    plain = json.dumps(resources())
    assert "kms:" not in plain.replace("aws:kms", "")


@pytest.mark.parametrize(("given", "reserved"), [("0", None), ("5", 5)])
def test_the_application_is_overrun_by_no_more_than_was_said(given: str, reserved: int | None) -> None:
    process = resources(ProcessConcurrency=given)["ProcessFunction"]["Properties"]
    assert int(process.get("ReservedConcurrentExecutions") or 0) == (reserved or 0)


def test_operators_are_told_by_mail_and_by_https_where_they_say_so() -> None:
    def told(**parameters: str) -> set[tuple[str, str]]:
        return {(s["Protocol"], s["Endpoint"]) for s in of_type("AWS::SNS::Subscription", **parameters).values()}

    assert {"email", "https"}.isdisjoint(protocol for protocol, _ in told())
    both = told(OperatorEmail="ops@example.com", OperatorUrl="https://pager.example/hook")
    assert {("email", "ops@example.com"), ("https", "https://pager.example/hook")} <= both


def test_a_team_hears_of_each_message_by_mail_and_by_https_where_it_says_so() -> None:
    def told(**parameters: str) -> set[tuple[str, str, str]]:
        subscriptions = of_type("AWS::SNS::Subscription", **parameters).values()
        return {(s["TopicArn"].rpartition(":")[2], s["Protocol"], s["Endpoint"]) for s in subscriptions}

    both = told(ArrivalsEmail="team@example.com", ArrivalsUrl="https://chat.example/hook")
    assert both - told() == {
        ("mailstep-email-received", "email", "team@example.com"),
        ("mailstep-email-received", "https", "https://chat.example/hook"),
    }


def test_mail_is_started_by_an_alias_of_the_workflow() -> None:
    found = resources()
    [alias] = of_type("AWS::StepFunctions::StateMachineAlias").values()
    started = found["StartFunction"]["Properties"]["Environment"]["Variables"]["STATE_MACHINE_ARN"]
    assert started == f"{found['EmailWorkflow']['Arn']}:{alias['Name']}"
    [version] = [r for r in found.values() if r["Type"] == "AWS::StepFunctions::StateMachineVersion"]
    assert version["Properties"]["StateMachineArn"] == found["EmailWorkflow"]["Arn"]
    assert version["UpdateReplacePolicy"] == "Retain", "a canary needs the version before"
    assert alias["DeploymentPreference"]["StateMachineVersionArn"] == version["Arn"]


@pytest.mark.parametrize(
    ("given", "shift", "stopped_by"),
    [
        ({}, {"Type": "ALL_AT_ONCE"}, set()),
        (
            {"CanaryMinutes": "10"},
            {"Type": "CANARY", "Percentage": 10, "Interval": "10"},
            {"ExecutionsFailed", "ExecutionsTimedOut"},
        ),
    ],
)
def test_a_changed_workflow_is_shifted_as_the_parameter_says(
    given: dict[str, str], shift: dict[str, Any], stopped_by: set[str]
) -> None:
    [alias] = of_type("AWS::StepFunctions::StateMachineAlias", **given).values()
    preference = dict(alias["DeploymentPreference"])
    alarms = {a["AlarmName"]: a["MetricName"] for a in of_type("AWS::CloudWatch::Alarm").values()}
    assert {alarms[name] for name in preference.pop("Alarms", [])} == stopped_by
    del preference["StateMachineVersionArn"]
    assert preference == shift


def test_the_ledger_outlives_the_stack_and_can_be_turned_back() -> None:
    ledger = resources()["LedgerTable"]
    assert ledger["DeletionPolicy"] == "RetainExceptOnCreate"
    assert ledger["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def wildcards(template: str, parameters: dict[str, str]) -> set[tuple[str, str]]:
    """Who is allowed something on what ends in `*`, and that end."""
    found = set()
    for name, resource in transformed(template, parameters).items():
        properties = resource["Properties"]
        inline = [policy for policy in properties.get("Policies", []) if isinstance(policy, dict)]
        for policy in [*inline, properties]:
            document = policy.get("PolicyDocument")
            for statement in document["Statement"] if isinstance(document, dict) else []:
                assert statement["Effect"] == "Deny" or "*" not in json.dumps(statement["Action"]), name
                named = statement.get("Resource", [])
                if statement["Effect"] == "Allow":
                    found |= {(name, arn) for arn in ([named] if isinstance(named, str) else named) if "*" in arn}
    return {(name, _tail(arn)) for name, arn in found}


def _tail(arn: str) -> str:
    """What a reader knows a resource by: the key in a bucket, the kind and name elsewhere."""
    if arn.startswith("arn:aws:s3:"):
        return arn.partition("/")[2]
    return re.sub(r"^log-group:.*", "log-group:*", arn.split(":", 5)[-1])


def test_every_wildcard_is_one_that_the_page_gives_a_reason_for() -> None:
    page = (PROJECT / "docs" / "security.md").read_text()
    listed = set(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", page, re.MULTILINE))
    used = {found for template, options in ALL_OPTIONS.items() for found in wildcards(template, DOMAIN | options)}
    assert used == listed


# What `mailstep history`, `redrive` and `erase` ask of an execution (docs/runbook.md).
@pytest.mark.parametrize(
    "action", ["DescribeExecution", "GetExecutionHistory", "DescribeStateMachineForExecution", "RedriveExecution"]
)
def test_the_operators_rights_reach_the_executions_of_emails_and_of_later_answers(action: str) -> None:
    page = (PROJECT / "docs" / "security.md").read_text()
    [policy] = re.findall(r"^```json\n(\{.*?^\})\n```$", page, re.MULTILINE | re.DOTALL)
    allowed = [
        arn
        for statement in json.loads(policy)["Statement"]
        if f"states:{action}" in statement["Action"]
        for arn in statement["Resource"]
    ]
    machines = of_type("AWS::StepFunctions::StateMachine")
    for workflow in ("EmailWorkflow", "LaterAnswerWorkflow"):
        execution = f"arn:aws:states:us-east-1:000000000000:execution:{machines[workflow]['StateMachineName']}:x"
        assert any(fnmatchcase(execution, arn) for arn in allowed), workflow
