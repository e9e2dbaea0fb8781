"""Both templates as CloudFormation would create them: every reference leads where it should, every policy is narrow."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import pytest

from mailstep_local.deployment import route_names
from tests.support.transformed import ACCOUNT, outputs, transformed

Resources = dict[str, Any]
DOMAIN = "mail.example.com"


@dataclass(frozen=True)
class Stacks:
    """The two stacks, each in its Region."""

    home_region: str
    ses_region: str
    home: Resources
    receiving: Resources


@pytest.fixture(params=[("ap-southeast-1", "us-west-2"), ("us-east-1", "us-east-1")], ids=["two Regions", "one Region"])
def stacks(request: pytest.FixtureRequest) -> Stacks:
    home, ses = request.param
    return Stacks(
        home,
        ses,
        transformed(
            "template.yaml",
            {"Domain": DOMAIN, "OperatorEmail": "ops@example.com", "ReceivingRegion": ses},
            region=home,
        ),
        transformed("receiving.yaml", {"Domain": DOMAIN}, region=ses),
    )


def properties(resources: Resources, name: str) -> dict[str, Any]:
    found: dict[str, Any] = resources[name]["Properties"]
    return found


def by_type(resources: Resources, kind: str) -> list[dict[str, Any]]:
    return [r["Properties"] for r in resources.values() if r["Type"] == kind]


def rules(receiving: Resources) -> list[dict[str, Any]]:
    return [rule["Rule"] for rule in by_type(receiving, "AWS::SES::ReceiptRule")]


def policies(resources: Resources) -> list[tuple[str, dict[str, Any]]]:
    """Each statement that a resource makes about who may use it, with the resource's logical id."""
    documents = [
        (name, r["Properties"][key])
        for name, r in resources.items()
        for key in ("PolicyDocument", "AssumeRolePolicyDocument", "KeyPolicy")
        if key in r.get("Properties", {}) and r["Type"] != "AWS::IAM::ManagedPolicy"
    ]
    return [(name, statement) for name, document in documents for statement in document["Statement"]]


def test_a_resource_without_its_condition_is_left_out() -> None:
    assert "OperatorSubscription" not in transformed("template.yaml", {"Domain": DOMAIN})
    assert "OperatorSubscription" in transformed(
        "template.yaml", {"Domain": DOMAIN, "OperatorEmail": "ops@example.com"}
    )


def test_every_route_has_its_rule(stacks: Stacks) -> None:
    assert {rule["Recipients"][0] for rule in rules(stacks.receiving)} == {f"{r}@{DOMAIN}" for r in route_names()}


def test_a_route_may_have_a_dash() -> None:
    receiving = transformed("receiving.yaml", {"Domain": DOMAIN, "Routes": "purchase-orders"})
    [rule] = rules(receiving)
    assert rule["Recipients"] == [f"purchase-orders@{DOMAIN}"]
    assert rule["Actions"][0]["S3Action"]["ObjectKeyPrefix"] == "inbound/purchase-orders/"


def test_each_rule_stores_in_the_bucket_as_a_role_that_may(stacks: Stacks) -> None:
    role = stacks.receiving["StoreRole"]
    [allowed] = role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    [trusted] = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    for rule in rules(stacks.receiving):
        [action] = rule["Actions"]
        stored = action["S3Action"]
        route = rule["Recipients"][0].partition("@")[0]
        assert stored["BucketName"] == properties(stacks.home, "MailBucket")["BucketName"]
        assert stored["ObjectKeyPrefix"] == f"inbound/{route}/"
        assert stored["IamRoleArn"] == role["Arn"]
        key = f"{stacks.home['MailBucket']['Arn']}/{stored['ObjectKeyPrefix']}message"
        assert allowed["Action"] == "s3:PutObject"
        assert fnmatchcase(key, allowed["Resource"])
        assert allowed["Condition"] == {"StringEquals": {"aws:ResourceAccount": ACCOUNT}}
        set_arn = stacks.receiving["RuleSet"]["Arn"]
        assert set_arn == f"arn:aws:ses:{stacks.ses_region}:{ACCOUNT}:receipt-rule-set/mailstep-receiving"
        pattern = trusted["Condition"]["ArnLike"]["aws:SourceArn"]
        assert fnmatchcase(f"{set_arn}:receipt-rule/{rule['Name']}", pattern)
        assert not fnmatchcase(f"{set_arn}:receipt-rule/theirs", pattern)
        assert rule["ScanEnabled"] is True


def test_the_bucket_tells_the_topic_that_feeds_the_queue_that_feeds_the_starter(stacks: Stacks) -> None:
    home = stacks.home
    [notification] = properties(home, "MailBucket")["NotificationConfiguration"]["TopicConfigurations"]
    [subscription] = [s for s in by_type(home, "AWS::SNS::Subscription") if s["Protocol"] == "sqs"]
    mapped = by_type(home, "AWS::Lambda::EventSourceMapping")
    [mapping] = [one for one in mapped if one.get("EventSourceArn") == home["InboundQueue"]["Arn"]]
    assert notification["Filter"]["S3Key"]["Rules"] == [{"Name": "prefix", "Value": "inbound/"}]
    assert notification["Topic"] == home["EmailReceivedTopic"]["Arn"] == subscription["TopicArn"]
    assert subscription["Endpoint"] == mapping["EventSourceArn"]
    assert mapping["FunctionName"] in (properties(home, "StartFunction")["FunctionName"], home["StartFunction"]["Arn"])
    started = properties(home, "StartFunction")["Environment"]["Variables"]["STATE_MACHINE_ARN"]
    assert started.startswith(home["EmailWorkflow"]["Arn"])
    assert all(
        f":{stacks.home_region}:" in arn for arn in (started, subscription["Endpoint"], subscription["TopicArn"])
    )


def test_the_workflow_calls_functions_of_the_stack(stacks: Stacks) -> None:
    called = properties(stacks.home, "EmailWorkflow")["DefinitionSubstitutions"]
    functions = [arn for name, arn in called.items() if name.endswith("FunctionArn")]
    assert functions
    assert {arn for arn in functions} <= {r["Arn"] for r in stacks.home.values()}  # noqa: C416


def test_every_condition_of_a_resource_policy_names_what_is_there(stacks: Stacks) -> None:
    seen = 0
    for resources, region in ((stacks.home, stacks.home_region), (stacks.receiving, stacks.ses_region)):
        arns = {r["Arn"] for r in resources.values()}
        arns |= {f"{stacks.receiving['RuleSet']['Arn']}:receipt-rule/{r['Name']}" for r in rules(stacks.receiving)}
        for name, statement in policies(resources):
            for operator, keys in statement.get("Condition", {}).items():
                for key, value in keys.items():
                    seen += 1
                    match operator, key:
                        case "StringEquals", "aws:SourceAccount":
                            assert value == ACCOUNT, name
                        case (("ArnEquals" | "ArnLike" | "StringEquals"), "aws:SourceArn"):
                            assert any(fnmatchcase(arn, value) for arn in arns), (name, value)
                            assert value.split(":")[3] in ("", region), name
                        case "ArnNotLike", "aws:PrincipalArn":
                            assert statement["Effect"] == "Deny", name
                            assert fnmatchcase(f"{stacks.receiving['StoreRole']['Arn']}-1ABCDEFGHIJKL", value)
                        case "Bool", "aws:SecureTransport":
                            assert (statement["Effect"], value) == ("Deny", "false"), name
                        case _:
                            pytest.fail(f"{name}: {operator} {key} is a condition that no test knows")
    assert seen > 5


def test_a_service_may_use_a_resource_only_for_this_account(stacks: Stacks) -> None:
    without = {
        (name, statement["Principal"]["Service"])
        for resources in (stacks.home, stacks.receiving)
        for name, statement in policies(resources)
        if statement["Effect"] == "Allow" and "Condition" not in statement
    }
    # Lambda assumes a function's role without one.
    assert {service for _, service in without} == {"lambda.amazonaws.com"}


def test_the_dns_records_are_those_of_the_region_that_receives(stacks: Stacks) -> None:
    records = outputs("receiving.yaml", {"Domain": DOMAIN}, region=stacks.ses_region)
    assert records["MxRecord"] == f"{DOMAIN}. MX 10 inbound-smtp.{stacks.ses_region}.amazonaws.com."
    assert {name for name in records if name.endswith(("Record", "Record1", "Record2", "Record3"))} == {
        "MxRecord", "DkimRecord1", "DkimRecord2", "DkimRecord3", "SpfRecord", "DmarcRecord",
    }  # fmt: skip


def test_the_domain_is_an_identity_once_in_each_region(stacks: Stacks) -> None:
    expected = 2 if stacks.home_region != stacks.ses_region else 1
    found = by_type(stacks.home, "AWS::SES::EmailIdentity") + by_type(stacks.receiving, "AWS::SES::EmailIdentity")
    assert [identity["EmailIdentity"] for identity in found] == [DOMAIN] * expected


def test_rules_go_into_another_set_that_is_active() -> None:
    receiving = transformed("receiving.yaml", {"Domain": DOMAIN, "ActiveRuleSet": "company", "CreateIdentity": "false"})
    assert "RuleSet" not in receiving
    assert "DomainIdentity" not in receiving
    for rule in by_type(receiving, "AWS::SES::ReceiptRule"):
        assert rule["RuleSetName"] == "company"
        assert rule["Rule"]["Name"].startswith("mailstep-receiving-in-")
    activation = properties(receiving, "Activation")
    assert (activation["RuleSetName"], activation["Own"]) == ("company", "false")
    [trusted] = properties(receiving, "StoreRole")["AssumeRolePolicyDocument"]["Statement"]
    assert ":receipt-rule-set/company:receipt-rule/" in trusted["Condition"]["ArnLike"]["aws:SourceArn"]


def test_storing_under_a_key_of_ones_own_may_use_that_key_only() -> None:
    key = f"arn:aws:kms:ap-southeast-1:{ACCOUNT}:key/1"
    receiving = transformed("receiving.yaml", {"Domain": DOMAIN, "MailKeyArn": key})
    statements = properties(receiving, "StoreRole")["Policies"][0]["PolicyDocument"]["Statement"]
    assert [(s["Action"], s["Resource"]) for s in statements][1:] == [("kms:GenerateDataKey", key)]
