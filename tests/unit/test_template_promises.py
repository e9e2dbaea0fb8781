"""What no emulation shows of the home stack: nothing is lost on the way, what is kept outlives it, nothing leaks."""

from typing import Any

import pytest

from tests.support.transformed import transformed

RESOURCES = transformed("template.yaml", {"Domain": "mail.example.com"})


def properties(name: str) -> dict[str, Any]:
    found: dict[str, Any] = RESOURCES[name]["Properties"]
    return found


@pytest.mark.parametrize(
    ("source", "dead_letters"),
    [
        ("InboundQueue", "InboundDeadLetterQueue"),
        ("InboundSubscription", "SubscriptionDeadLetterQueue"),
        ("ApplicationQueue", "ApplicationDeadLetterQueue"),
        ("IndexQueue", "IndexDeadLetterQueue"),
    ],
)
def test_a_record_that_cannot_be_delivered_waits_in_a_dead_letter_queue(source: str, dead_letters: str) -> None:
    assert properties(source)["RedrivePolicy"]["deadLetterTargetArn"] == RESOURCES[dead_letters]["Arn"]
    # The longest that SQS keeps a message (Amazon SQS Developer Guide, "Quotas"): 14 days.
    assert properties(dead_letters)["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_only_the_records_that_failed_go_back_to_the_queue() -> None:
    """AWS Lambda Developer Guide, "Implementing partial batch responses"."""
    mappings = [r for r in RESOURCES.values() if r["Type"] == "AWS::Lambda::EventSourceMapping"]
    assert len(mappings) == 2
    assert all(one["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"] for one in mappings)


@pytest.mark.parametrize("name", ["MailBucket", "LedgerTable"])
def test_mail_and_what_was_sent_outlive_the_stack(name: str) -> None:
    """CloudFormation, "DeletionPolicy attribute" and "UpdateReplacePolicy attribute"."""
    assert RESOURCES[name]["DeletionPolicy"] == "RetainExceptOnCreate"
    assert RESOURCES[name]["UpdateReplacePolicy"] == "Retain"


def test_an_object_that_is_overwritten_or_deleted_can_be_had_back() -> None:
    assert properties("MailBucket")["VersioningConfiguration"] == {"Status": "Enabled"}


def test_the_mail_bucket_is_never_public() -> None:
    """Amazon S3 User Guide, "Blocking public access": all four settings."""
    blocked = properties("MailBucket")["PublicAccessBlockConfiguration"]
    assert blocked == dict.fromkeys(
        ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
    )


def test_records_of_the_ledger_expire_by_the_attribute_that_the_code_writes() -> None:
    """`expiration`, in seconds since 1970 (Amazon DynamoDB Developer Guide, "Time to Live"; Powertools' default)."""
    assert properties("LedgerTable")["TimeToLiveSpecification"] == {"AttributeName": "expiration", "Enabled": True}


def test_senders_do_not_stand_in_the_log_of_the_workflow() -> None:
    for workflow in ("EmailWorkflow", "LaterAnswerWorkflow", "ReplayWorkflow"):
        logging = properties(workflow)["LoggingConfiguration"]
        assert (logging["Level"], logging["IncludeExecutionData"]) == ("ERROR", False)


def test_every_way_an_execution_can_fail_alerts_the_operators() -> None:
    """AWS Step Functions Developer Guide, "Step Functions event reference": the statuses that are no success."""
    rule = properties("ExecutionFailedRule")
    assert set(rule["EventPattern"]["detail"]["status"]) == {"FAILED", "TIMED_OUT", "ABORTED"}
    assert rule["EventPattern"]["detail"]["stateMachineArn"] == [
        RESOURCES["EmailWorkflow"]["Arn"],
        RESOURCES["LaterAnswerWorkflow"]["Arn"],
    ]
    assert [target["Arn"] for target in rule["Targets"]] == [RESOURCES["OperatorTopic"]["Arn"]]


@pytest.mark.parametrize(
    ("template", "identity"), [("template.yaml", "SendingIdentity"), ("receiving.yaml", "DomainIdentity")]
)
def test_ses_does_not_forward_bounces_to_the_domain_whose_mail_comes_here(template: str, identity: str) -> None:
    """Amazon SES API v2 Reference, FeedbackAttributes: forwarding is on unless an identity turns it off."""
    parameters = {"Domain": "mail.example.com", "ReceivingRegion": "eu-west-1"}
    wanted = parameters if template == "template.yaml" else {"Domain": "mail.example.com"}
    created = transformed(template, wanted, region="eu-central-1")[identity]["Properties"]
    assert created["FeedbackAttributes"] == {"EmailForwardingEnabled": False}
