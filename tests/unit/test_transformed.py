"""Both templates as CloudFormation would create them: every reference leads where it should, every policy is narrow."""

from typing import Any

import pytest

from tests.transformed import ACCOUNT, outputs, transformed

HOME = "ap-southeast-1"
Resources = dict[str, Any]


def properties(resources: Resources, name: str) -> dict[str, Any]:
    found: dict[str, Any] = resources[name]["Properties"]
    return found


def by_type(resources: Resources, kind: str) -> dict[str, dict[str, Any]]:
    return {name: r["Properties"] for name, r in resources.items() if r["Type"] == kind}


@pytest.fixture(params=[HOME, "us-east-1"])
def home(request: pytest.FixtureRequest) -> Resources:
    return transformed("template.yaml", {}, region=request.param)


def test_a_resource_without_its_condition_is_left_out() -> None:
    assert "OperatorSubscription" not in transformed("template.yaml", {})
    assert "OperatorSubscription" in transformed("template.yaml", {"OperatorEmail": "ops@example.com"})


def test_the_bucket_tells_the_topic_that_feeds_the_queue_that_feeds_the_starter(home: Resources) -> None:
    [notification] = properties(home, "MailBucket")["NotificationConfiguration"]["TopicConfigurations"]
    [subscription] = [s for s in by_type(home, "AWS::SNS::Subscription").values() if s["Protocol"] == "sqs"]
    [mapping] = by_type(home, "AWS::Lambda::EventSourceMapping").values()
    assert notification["Filter"]["S3Key"]["Rules"] == [{"Name": "prefix", "Value": "inbound/"}]
    assert notification["Topic"] == subscription["TopicArn"]
    assert subscription["Endpoint"] == mapping["EventSourceArn"]
    assert mapping["FunctionName"] == properties(home, "StartFunction")["FunctionName"]


def test_names_and_arns_are_those_of_the_region(home: Resources) -> None:
    region = properties(home, "InboundSubscription")["TopicArn"].split(":")[3]
    assert properties(home, "InboundSubscription")["Endpoint"] == f"arn:aws:sqs:{region}:{ACCOUNT}:mailstep-inbound"
    assert outputs("template.yaml", {}, region=region)["MailBucketName"] == f"mailstep-mail-{ACCOUNT}"
