"""docs/deployer-policy.json allows to deploy both stacks: a right for each resource, and no service without one."""

import json
from fnmatch import fnmatchcase
from typing import Any

import pytest

from tests.support.project import PROJECT
from tests.support.transformed import transformed

POLICY = json.loads((PROJECT / "docs" / "deployer-policy.json").read_text())
LARGEST = 6144
"""Characters of a customer managed policy, white space not counted (IAM User Guide, "IAM and AWS STS quotas")."""
CREATE = {
    "AWS::CloudWatch::Alarm": "cloudwatch:PutMetricAlarm",
    "AWS::CloudWatch::Dashboard": "cloudwatch:PutDashboard",
    "AWS::DynamoDB::Table": "dynamodb:CreateTable",
    "AWS::Events::Rule": "events:PutRule",
    "AWS::IAM::ManagedPolicy": "iam:CreatePolicy",
    "AWS::IAM::Role": "iam:CreateRole",
    "AWS::Lambda::EventSourceMapping": "lambda:CreateEventSourceMapping",
    "AWS::Lambda::Function": "lambda:CreateFunction",
    "AWS::Lambda::Permission": "lambda:AddPermission",
    "AWS::Logs::LogGroup": "logs:CreateLogGroup",
    "AWS::S3::Bucket": "s3:CreateBucket",
    "AWS::S3::BucketPolicy": "s3:PutBucketPolicy",
    "AWS::SES::ConfigurationSet": "ses:CreateConfigurationSet",
    "AWS::SES::ConfigurationSetEventDestination": "ses:CreateConfigurationSetEventDestination",
    "AWS::SES::EmailIdentity": "ses:CreateEmailIdentity",
    "AWS::SES::ReceiptRule": "ses:CreateReceiptRule",
    "AWS::SES::ReceiptRuleSet": "ses:CreateReceiptRuleSet",
    "AWS::SNS::Subscription": "sns:Subscribe",
    "AWS::SNS::Topic": "sns:CreateTopic",
    "AWS::SNS::TopicPolicy": "sns:SetTopicAttributes",
    "AWS::SQS::Queue": "sqs:CreateQueue",
    "AWS::SQS::QueuePolicy": "sqs:SetQueueAttributes",
    "AWS::StepFunctions::StateMachine": "states:CreateStateMachine",
    "AWS::StepFunctions::StateMachineAlias": "states:CreateStateMachineAlias",
    "AWS::StepFunctions::StateMachineVersion": "states:PublishStateMachineVersion",
    # CloudFormation calls the function of a custom resource with the rights of the person.
    "Custom::ActiveReceiptRuleSet": "lambda:InvokeFunction",
    "Custom::LastReceiptRule": "lambda:InvokeFunction",
}
"""The action that creates a resource of the type (Service Authorization Reference)."""
OF_ANOTHER = {
    "AWS::S3::BucketPolicy": "Bucket",
    "AWS::SNS::Subscription": "TopicArn",
    "AWS::SNS::TopicPolicy": "Topics",
    "AWS::SQS::QueuePolicy": "Queues",
    "AWS::Lambda::Permission": "FunctionName",
    "AWS::StepFunctions::StateMachineVersion": "StateMachineArn",
    "Custom::ActiveReceiptRuleSet": "ServiceToken",
    "Custom::LastReceiptRule": "ServiceToken",
}
"""Types whose action is on the resource that a property names."""


def resources() -> dict[str, dict[str, Any]]:
    everything = {
        "template.yaml": {
            "ReceivingRegion": "us-west-2", "OperatorEmail": "a@b.example", "OperatorUrl": "https://b.example",
            "ArrivalsEmail": "a@b.example", "ArrivalsUrl": "https://b.example", "CanaryMinutes": "10",
        },
        "receiving.yaml": {"Routes": "orders,tickets", "CatchAllRoute": "rest"},
    }  # fmt: skip
    return {
        f"{template} {name}": resource
        for template, given in everything.items()
        for name, resource in transformed(template, {"Domain": "mail.example.com"} | given).items()
    }


ALL = resources()


def allowed(action: str, arn: str) -> bool:
    for statement in POLICY["Statement"]:
        actions, arns = (
            [found] if isinstance(found := statement[part], str) else found for part in ("Action", "Resource")
        )
        if any(fnmatchcase(action, one) for one in actions) and any(fnmatchcase(arn, one) for one in arns):
            return True
    return False


def arn_of(resource: dict[str, Any]) -> str:
    """The resource that creating it acts on, as an ARN."""
    found = resource["Properties"].get(OF_ANOTHER.get(resource["Type"], ""), resource["Arn"])
    named = found[0] if isinstance(found, list) else found
    named = named["Ref"] if isinstance(named, dict) else named
    match resource["Type"], named:
        case "AWS::StepFunctions::StateMachineAlias", _:
            return f"{ALL['template.yaml EmailWorkflow']['Arn']}:{resource['Properties']['Name']}"
        case "AWS::S3::BucketPolicy", bucket:
            return f"arn:aws:s3:::{bucket}"
        case "AWS::SQS::QueuePolicy", url:
            return f"arn:aws:sqs:us-east-1:123456789012:{url.rpartition('/')[2]}"
        case "AWS::Lambda::Permission", name:
            return f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
        case _:
            return str(named)


@pytest.mark.parametrize("name", ALL)
def test_the_deployer_may_create_each_resource_of_both_stacks(name: str) -> None:
    assert allowed(CREATE[ALL[name]["Type"]], arn_of(ALL[name])), arn_of(ALL[name])


@pytest.mark.parametrize(
    ("action", "arn"),
    [
        ("iam:CreateRole", "arn:aws:iam::123456789012:role/admin"),
        ("iam:PassRole", "arn:aws:iam::123456789012:role/admin"),
        ("iam:CreateUser", "arn:aws:iam::123456789012:user/eve"),
        ("s3:GetObject", "arn:aws:s3:::payroll/2026"),
        ("lambda:UpdateFunctionCode", "arn:aws:lambda:us-east-1:123456789012:function:other"),
        ("ec2:RunInstances", "*"),
    ],
)
def test_the_deployer_may_touch_nothing_of_other_names(action: str, arn: str) -> None:
    assert not allowed(action, arn)


def test_every_service_of_the_policy_is_one_that_the_stacks_use() -> None:
    used = {action.partition(":")[0] for kind, action in CREATE.items() if kind in {r["Type"] for r in ALL.values()}}
    listed = {
        action.partition(":")[0]
        for statement in POLICY["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    assert listed - {"cloudformation"} == used


def test_an_administrator_can_paste_the_policy() -> None:
    assert len(json.dumps(POLICY, separators=(",", ":"))) <= LARGEST
    assert [statement["Sid"].isalnum() for statement in POLICY["Statement"]] == [True] * len(POLICY["Statement"])
