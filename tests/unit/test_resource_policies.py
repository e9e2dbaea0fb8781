"""Who may use a resource, and on whose behalf: each Condition of each resource policy, value by value.

A service that acts for any account may act here for this account's resources only (IAM User Guide, "The confused deputy
problem"; each service's own guide names the keys that it sends).
"""

from fnmatch import fnmatchcase
from typing import Any

import pytest

from tests.support.transformed import ACCOUNT, transformed

HOME, SES = "eu-central-1", "eu-west-1"
STACK = "mailstep"
DOMAIN = "mail.example.com"


def sent_by_topic(name: str) -> dict[str, Any]:
    """Amazon SNS Developer Guide, "Subscribing an Amazon SQS queue to an Amazon SNS topic"."""
    return {"ArnEquals": {"aws:SourceArn": f"arn:aws:sns:{HOME}:{ACCOUNT}:{STACK}-{name}"}}


OF_THIS_ACCOUNT = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
# Amazon SES Developer Guide, "Set up an Amazon SNS event destination for event publishing".
SENT_BY_SES = OF_THIS_ACCOUNT | {
    "ArnEquals": {"aws:SourceArn": f"arn:aws:ses:{HOME}:{ACCOUNT}:configuration-set/{STACK}-replies"}
}
FUNCTIONS = ("Start", "Parse", "Validate", "Process", "Reply", "Feedback", "Index", "Sweep")

EXPECTED: dict[tuple[str, str], dict[str, Any]] = {
    # Amazon S3 User Guide, "Security best practices": enforce encryption of data in transit.
    ("MailBucketPolicy", "TlsOnly"): {"Bool": {"aws:SecureTransport": "false"}},
    # IAM User Guide, "AWS global condition context keys": the role's ARN, also of a session of the role.
    ("MailBucketPolicy", "OnlySesStores"): {
        "ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/*-StoreRole-*"}
    },
    # Amazon S3 User Guide, "Granting permissions to publish event notification messages to a destination".
    ("EmailReceivedTopicPolicy", "s3.amazonaws.com"): OF_THIS_ACCOUNT
    | {"ArnEquals": {"aws:SourceArn": f"arn:aws:s3:::{STACK}-mail-{ACCOUNT}"}},
    ("InboundQueuePolicy", "s3.amazonaws.com"): OF_THIS_ACCOUNT
    | {"ArnEquals": {"aws:SourceArn": f"arn:aws:s3:::{STACK}-mail-{ACCOUNT}"}},
    ("InboundQueuePolicy", "sns.amazonaws.com"): sent_by_topic("email-received"),
    ("SubscriptionDeadLetterQueuePolicy", "sns.amazonaws.com"): sent_by_topic("email-received"),
    ("FeedbackDeadLetterQueuePolicy", "sns.amazonaws.com"): sent_by_topic("feedback"),
    ("FeedbackTopicPolicy", "ses.amazonaws.com"): SENT_BY_SES,
    ("OperatorTopicPolicy", "ses.amazonaws.com"): SENT_BY_SES,
    # Amazon CloudWatch User Guide, "Notifying users on alarm changes".
    ("OperatorTopicPolicy", "cloudwatch.amazonaws.com"): OF_THIS_ACCOUNT,
    # Amazon EventBridge User Guide, "Using IAM policy conditions in Amazon EventBridge".
    ("OperatorTopicPolicy", "events.amazonaws.com"): OF_THIS_ACCOUNT
    | {"ArnEquals": {"aws:SourceArn": f"arn:aws:events:{HOME}:{ACCOUNT}:rule/{STACK}-execution-failed"}},
    # The same guide, "Amazon SQS permissions".
    ("IndexQueuePolicy", "events.amazonaws.com"): OF_THIS_ACCOUNT
    | {"ArnEquals": {"aws:SourceArn": f"arn:aws:events:{HOME}:{ACCOUNT}:rule/{STACK}-execution-status"}},
    # AWS Step Functions Developer Guide, "Creating an IAM role for your state machine".
    ("EmailWorkflowRole", "states.amazonaws.com"): OF_THIS_ACCOUNT,
    ("LaterAnswerWorkflowRole", "states.amazonaws.com"): OF_THIS_ACCOUNT,
    ("ReplayWorkflowRole", "states.amazonaws.com"): OF_THIS_ACCOUNT,
    # Amazon SES Developer Guide, "Giving permissions to Amazon SES for email receiving".
    ("StoreRole", "ses.amazonaws.com"): OF_THIS_ACCOUNT
    | {
        "ArnLike": {
            "aws:SourceArn": f"arn:aws:ses:{SES}:{ACCOUNT}:receipt-rule-set/{STACK}-receiving:"
            f"receipt-rule/{STACK}-receiving-*"
        }
    },
    # AWS Lambda Developer Guide, "Execution role": a trust policy names the service, and no condition.
    **{(f"{function}Role", "lambda.amazonaws.com"): {} for function in (*FUNCTIONS, "Activate")},
}


def resource_policies() -> dict[tuple[str, str], dict[str, Any]]:
    """The Condition of each statement that a resource makes about who may use it, by resource and principal.

    A Deny for everybody has its Sid instead.
    """
    found = {}
    for template, region in (("template.yaml", HOME), ("receiving.yaml", SES)):
        parameters = {"Domain": DOMAIN} | ({"ReceivingRegion": SES} if region == HOME else {})
        for name, resource in transformed(template, parameters, region=region).items():
            properties = resource.get("Properties", {})
            identity_based = resource["Type"] == "AWS::IAM::ManagedPolicy"
            policy = properties.get("AssumeRolePolicyDocument") or properties.get("PolicyDocument")
            for statement in policy["Statement"] if policy and not identity_based else []:
                principal = statement["Principal"]
                service = statement["Sid"] if isinstance(principal, str) else principal["Service"]
                assert (name, service) not in found, "two statements for one principal"
                found[name, service] = statement.get("Condition", {})
    return found


@pytest.fixture(scope="module")
def conditions() -> dict[tuple[str, str], dict[str, Any]]:
    return resource_policies()


def test_every_resource_policy_is_known(conditions: dict[tuple[str, str], dict[str, Any]]) -> None:
    assert conditions.keys() == EXPECTED.keys()


@pytest.mark.parametrize("statement", EXPECTED, ids="-".join)
def test_a_service_may_use_a_resource_for_this_accounts_own_senders_only(
    conditions: dict[tuple[str, str], dict[str, Any]], statement: tuple[str, str]
) -> None:
    assert conditions[statement] == EXPECTED[statement]


def test_no_role_but_that_of_ses_stores_mail() -> None:
    """Each role of both stacks, by the name that CloudFormation gives it, against the Deny of the bucket's policy."""
    home = transformed("template.yaml", {"Domain": DOMAIN})
    [denied] = [
        s for s in home["MailBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"] if s["Sid"] == "OnlySesStores"
    ]
    assert (denied["Effect"], denied["Action"]) == ("Deny", "s3:PutObject")
    assert denied["Resource"] == f"{home['MailBucket']['Arn']}/inbound/*"
    roles = {
        name: f"{one['Arn']}-1ABCDEFGHIJKL"
        for template in ("template.yaml", "receiving.yaml")
        for name, one in transformed(template, {"Domain": DOMAIN}).items()
        if one["Type"] == "AWS::IAM::Role"
    }
    [excepted] = denied["Condition"]["ArnNotLike"].values()
    assert [name for name, arn in roles.items() if fnmatchcase(arn, excepted)] == ["StoreRole"]


def test_a_function_is_invoked_by_the_topic_and_the_schedules_of_its_own_stack_only() -> None:
    """AWS Lambda Developer Guide, "Granting Lambda function access to AWS services": SourceArn of the permission."""
    resources = transformed("template.yaml", {"Domain": DOMAIN}, region=HOME)
    permissions = [r["Properties"] for r in resources.values() if r["Type"] == "AWS::Lambda::Permission"]
    assert {(one["Principal"], one["SourceArn"]) for one in permissions} == {
        ("sns.amazonaws.com", f"arn:aws:sns:{HOME}:{ACCOUNT}:{STACK}-feedback"),
        ("events.amazonaws.com", resources["SweepFunctionHourly"]["Arn"]),
        ("events.amazonaws.com", resources["SweepFunctionDaily"]["Arn"]),
    }
