"""receiving.yaml as deployed: its rules say what is taken, its role what is stored, its activation what is touched."""

import json
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mailstep_local.account import Account
from mailstep_local.cloud import DOMAIN, LocalCloud
from mailstep_local.deployment import RECEIVING_STACK, route_names
from mailstep_local.patches.ses_rules import SETUP_NOTIFICATION
from tests.support.cloud import physical_id, role_without
from tests.support.custom_resources import CloudFormation
from tests.support.permissions import ACTIVATION, ORDERING, STORING
from tests.support.receiving_stack import Stack

ORDERS = f"orders@{DOMAIN}"
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
ANYBODY_ASSUMES = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}
MESSAGE = b"From: a@shop.example\r\nSubject: x\r\n\r\nx\r\n"


def answers(cloud: LocalCloud, recipient: str) -> tuple[int, int | None]:
    """The codes of SES's answers to RCPT and, where that was accepted, to DATA."""
    with smtplib.SMTP("127.0.0.1", cloud.smtp_port) as smtp:
        smtp.ehlo()
        smtp.mail("a@shop.example")
        code = smtp.rcpt(recipient)[0]
        return code, smtp.data(MESSAGE)[0] if code == 250 else None


def taken(cloud: LocalCloud, recipient: str) -> int:
    with smtplib.SMTP("127.0.0.1", cloud.smtp_port) as smtp:
        smtp.ehlo()
        smtp.mail("a@shop.example")
        return smtp.rcpt(recipient)[0]


def active(account: Account) -> dict[str, Any]:
    found: dict[str, Any] = account.client("ses").describe_active_receipt_rule_set()
    return found


@contextmanager
def rule_of_somebody_else(account: Account, rule_set: str, **rule: Any) -> Iterator[None]:
    ses = account.client("ses")
    ses.create_receipt_rule(RuleSetName=rule_set, Rule={"Name": "theirs", "Enabled": True, **rule})
    try:
        yield
    finally:
        ses.delete_receipt_rule(RuleSetName=rule_set, RuleName="theirs")


@pytest.fixture
def stack(cloud: LocalCloud, request: pytest.FixtureRequest) -> Iterator[Stack]:
    made = Stack(cloud, "second", request.param)
    yield made
    assert made.delete() == "DELETE_COMPLETE", made.failures()


here = pytest.mark.parametrize("stack", ["us-east-1"], indirect=True)
elsewhere = pytest.mark.parametrize("stack", ["us-west-2"], indirect=True)


def test_each_route_is_received_and_nothing_else(cloud: LocalCloud) -> None:
    assert active(cloud.account)["Metadata"]["Name"] == RECEIVING_STACK
    for route in route_names():
        assert taken(cloud, f"{route}@{DOMAIN}") == 250
        setup = f"inbound/{route}/{SETUP_NOTIFICATION}"
        cloud.account.client("s3").head_object(Bucket=cloud.outputs["MailBucketName"], Key=setup)
    assert taken(cloud, f"nobody@{DOMAIN}") == 550
    assert taken(cloud, "orders@elsewhere.example") == 550


def test_ses_stores_with_the_rights_of_its_role_only(cloud: LocalCloud) -> None:
    role, action = STORING
    with role_without(cloud, physical_id(cloud, role), action):
        assert answers(cloud, ORDERS) == (250, 451)
    assert answers(cloud, ORDERS) == (250, 250)


def test_no_role_but_that_of_ses_may_put_mail_into_the_bucket(cloud: LocalCloud) -> None:
    """Though its own policy allows everything, as an administrator's does."""
    iam, sts, trust = cloud.account.client("iam"), cloud.account.client("sts"), json.dumps(ANYBODY_ASSUMES)
    arn = iam.create_role(RoleName="administrator", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName="administrator", PolicyName="all", PolicyDocument=json.dumps(EVERYTHING))
    try:
        session = sts.assume_role(RoleArn=arn, RoleSessionName="somebody")["Credentials"]
        s3, bucket = cloud.account.client_as("s3", session), cloud.outputs["MailBucketName"]
        s3.put_object(Bucket=bucket, Key="elsewhere/forged", Body=b"x")
        with pytest.raises(ClientError, match="explicit deny"):
            s3.put_object(Bucket=bucket, Key="inbound/orders/forged", Body=b"x")
    finally:
        iam.delete_role_policy(RoleName="administrator", PolicyName="all")
        iam.delete_role(RoleName="administrator")
    assert answers(cloud, ORDERS) == (250, 250)


def test_ses_takes_the_role_for_the_stacks_own_rules_only(cloud: LocalCloud) -> None:
    arn = cloud.account.client("iam").get_role(RoleName=physical_id(cloud, "StoreRole"))["Role"]["Arn"]
    target = {"BucketName": cloud.outputs["MailBucketName"], "ObjectKeyPrefix": "inbound/orders/", "IamRoleArn": arn}
    theirs = f"theirs@{DOMAIN}"
    theirs_too = rule_of_somebody_else(
        cloud.account, RECEIVING_STACK, Recipients=[theirs], Actions=[{"S3Action": target}]
    )
    with pytest.raises(ClientError, match=r"InvalidS3Configuration.*sts:AssumeRole"), theirs_too:
        pass
    assert taken(cloud, theirs) == 550


def test_a_rule_that_requires_tls_takes_nothing_without(cloud: LocalCloud) -> None:
    theirs = f"theirs@{DOMAIN}"
    with rule_of_somebody_else(cloud.account, RECEIVING_STACK, Recipients=[theirs], TlsPolicy="Require", Actions=[]):
        assert taken(cloud, theirs) == 530


@here
def test_an_active_set_is_not_displaced(cloud: LocalCloud, stack: Stack) -> None:
    assert stack.change("create", Domain="second.example", Routes="orders") == "ROLLBACK_COMPLETE"
    assert f"Deploy with ActiveRuleSet={RECEIVING_STACK} to add our rules to it" in stack.failures()
    assert active(cloud.account)["Metadata"]["Name"] == RECEIVING_STACK
    assert taken(cloud, "orders@second.example") == 550


@here
def test_rules_are_added_to_an_active_set_and_taken_out_again(cloud: LocalCloud, stack: Stack) -> None:
    before = [rule["Name"] for rule in active(cloud.account)["Rules"]]
    given = {"Domain": "second.example", "ActiveRuleSet": RECEIVING_STACK}
    assert stack.change("create", Routes="purchase-orders,orders", **given) == "CREATE_COMPLETE", stack.failures()
    assert {taken(cloud, f"{route}@second.example") for route in ("purchase-orders", "orders")} == {250}
    assert answers(cloud, "orders@second.example") == (250, 250)
    assert stack.change("update", Routes="orders,notes", **given) == "UPDATE_COMPLETE", stack.failures()
    assert taken(cloud, "purchase-orders@second.example") == 550
    assert taken(cloud, "notes@second.example") == 250
    assert stack.delete() == "DELETE_COMPLETE", stack.failures()
    assert [rule["Name"] for rule in active(cloud.account)["Rules"]] == before
    assert active(cloud.account)["Metadata"]["Name"] == RECEIVING_STACK


@elsewhere
def test_in_another_region_it_stores_in_the_home_bucket_and_leaves_nothing_active(
    cloud: LocalCloud, stack: Stack
) -> None:
    there = cloud.account.seen_from("us-west-2")
    assert stack.change("create", Domain="west.example", Routes="west") == "CREATE_COMPLETE", stack.failures()
    assert active(there)["Metadata"]["Name"] == stack.name
    cloud.account.client("s3").head_object(
        Bucket=cloud.outputs["MailBucketName"], Key=f"inbound/west/{SETUP_NOTIFICATION}"
    )
    assert stack.delete() == "DELETE_COMPLETE", stack.failures()
    assert "Metadata" not in active(there)


def test_the_activation_needs_each_of_its_permissions(cloud: LocalCloud) -> None:
    ses, functions = cloud.account.client("ses"), cloud.account.client("lambda")
    name = physical_id(cloud, "ActivateFunction")

    def call(event: dict[str, Any]) -> None:
        functions.invoke(FunctionName=name, Payload=json.dumps(event))

    with CloudFormation(own=RECEIVING_STACK, call=call) as cloudformation:
        for action, request in ACTIVATION.items():
            ses.set_active_receipt_rule_set()
            with role_without(cloud, physical_id(cloud, "ActivateRole"), action):
                answer = cloudformation.ask(request)
            assert answer["Status"] == "FAILED"
            assert f"not authorized to perform: {action}" in answer["Reason"]
        assert cloudformation.ask("Update")["Status"] == "SUCCESS"
        first, *_, last = [rule["Name"] for rule in active(cloud.account)["Rules"]]
        position = {
            "RequestType": "Create",
            "StackId": "stack",
            "RequestId": "request",
            "LogicalResourceId": "CatchAllPosition",
            "ResourceProperties": {"RuleSetName": RECEIVING_STACK, "RuleName": first},
        }
        role, action = ORDERING
        with role_without(cloud, physical_id(cloud, role), action):
            assert f"not authorized to perform: {action}" in cloudformation.answer_to(position)["Reason"]
        assert cloudformation.answer_to(position)["Status"] == "SUCCESS"
    assert active(cloud.account)["Metadata"]["Name"] == RECEIVING_STACK
    assert [rule["Name"] for rule in active(cloud.account)["Rules"]][-2:] == [last, first]
