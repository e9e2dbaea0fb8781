"""The doctor finds each fault that is made here, by the check that is for it alone, and none in a healthy cloud."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from mailstep_cli.doctor import checks
from mailstep_cli.doctor.deployed_stack import Site, visit
from mailstep_local.cloud import LocalCloud
from tests.support.cloud import Desk, function_configuration, not_polled
from tests.support.project import run


@pytest.fixture(scope="module")
def site(cloud: LocalCloud) -> Iterator[Site]:
    with pytest.MonkeyPatch.context() as environment:
        for name, value in cloud.account.variables().items():
            environment.setenv(name, value)
        yield visit("mailstep", "mailstep-receiving", None)


def states(site: Site) -> dict[str, str]:
    return {result.name: result.finding.state for result in checks.run(site)}


def test_a_healthy_cloud_has_no_fault_and_what_cannot_be_asked_here_says_so(cloud: LocalCloud) -> None:
    ended = run("doctor", "--json", **cloud.account.variables())
    assert ended.returncode == 0, ended.stdout + ended.stderr
    results = json.loads(ended.stdout)
    assert [result["name"] for result in results] == list(checks.CHECKS)
    unknown = {result["name"] for result in results if result["state"] == "unknown"}
    assert unknown == {"DKIM", "MX", "SPF", "DMARC"}


def recreate(cloud: LocalCloud, site: Site, name: str, **changes: Any) -> dict[str, Any]:
    """Make a rule anew, changed (MiniStack has no UpdateReceiptRule); answer it as it was."""
    ses = cloud.account.client("ses")
    rules = [rule["Name"] for rule in site.rules()]
    before: dict[str, Any] = ses.describe_receipt_rule(RuleSetName=site.rule_set, RuleName=name)["Rule"]
    ses.delete_receipt_rule(RuleSetName=site.rule_set, RuleName=name)
    place = rules.index(name)
    after = {"After": rules[place - 1]} if place else {}
    ses.create_receipt_rule(RuleSetName=site.rule_set, Rule=before | changes, **after)
    return before


@contextmanager
def rule_changed(cloud: LocalCloud, site: Site, **changes: Any) -> Iterator[None]:
    name = next(rule["Name"] for rule in site.rules() if f"orders@{site.domain}" in rule["Recipients"])
    before = recreate(cloud, site, name, **changes)
    try:
        yield
    finally:
        recreate(cloud, site, name, **before)


def rule_disabled(cloud: LocalCloud, site: Site) -> AbstractContextManager[None]:
    return rule_changed(cloud, site, Enabled=False)


def rule_for_another_recipient(cloud: LocalCloud, site: Site) -> AbstractContextManager[None]:
    return rule_changed(cloud, site, Recipients=["order@mailstep.example"])


def rule_without_scanning(cloud: LocalCloud, site: Site) -> AbstractContextManager[None]:
    return rule_changed(cloud, site, ScanEnabled=False)


@contextmanager
def rule_missing(cloud: LocalCloud, site: Site) -> Iterator[None]:
    ses, rules = cloud.account.client("ses"), site.rules()
    place = next(n for n, rule in enumerate(rules) if f"feedback@{site.domain}" in rule["Recipients"])
    ses.delete_receipt_rule(RuleSetName=site.rule_set, RuleName=rules[place]["Name"])
    try:
        yield
    finally:
        ses.create_receipt_rule(RuleSetName=site.rule_set, Rule=rules[place], After=rules[place - 1]["Name"])


@contextmanager
def unknown_route(cloud: LocalCloud, site: Site) -> Iterator[None]:
    ses = cloud.account.client("ses")
    rule = site.rules()[0]
    [action] = [action["S3Action"] for action in rule["Actions"] if "S3Action" in action]
    name = rule["Name"].rpartition("-")[0] + "-returns"
    other = {
        "Name": name,
        "Recipients": ["returns@mailstep.example"],
        "Actions": [{"S3Action": action | {"ObjectKeyPrefix": "inbound/returns/"}}],
    }
    ses.create_receipt_rule(RuleSetName=site.rule_set, Rule=rule | other)
    try:
        yield
    finally:
        ses.delete_receipt_rule(RuleSetName=site.rule_set, RuleName=name)


@contextmanager
def other_rule_set_active(cloud: LocalCloud, site: Site) -> Iterator[None]:
    ses = cloud.account.client("ses")
    ses.create_receipt_rule_set(RuleSetName="theirs")
    ses.set_active_receipt_rule_set(RuleSetName="theirs")
    try:
        yield
    finally:
        ses.set_active_receipt_rule_set(RuleSetName=site.rule_set)
        ses.delete_receipt_rule_set(RuleSetName="theirs")


@contextmanager
def roles_policy_wrong(cloud: LocalCloud, site: Site) -> Iterator[None]:
    iam, role, policy = cloud.account.client("iam"), site.receiving.resources["StoreRole"][1], "store"
    before = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    wrong = json.dumps(before).replace(f"{site.bucket}/inbound/", f"{site.bucket}/incoming/")
    assert wrong != json.dumps(before)
    iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=wrong)
    try:
        yield
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(before))


@contextmanager
def notification_removed(cloud: LocalCloud, site: Site) -> Iterator[None]:
    s3 = cloud.account.client("s3")
    before = s3.get_bucket_notification_configuration(Bucket=site.bucket)
    s3.put_bucket_notification_configuration(Bucket=site.bucket, NotificationConfiguration={})
    try:
        yield
    finally:
        before.pop("ResponseMetadata")
        s3.put_bucket_notification_configuration(Bucket=site.bucket, NotificationConfiguration=before)


@contextmanager
def subscription_missing(cloud: LocalCloud, site: Site) -> Iterator[None]:
    sns, topic = cloud.account.client("sns"), site.home.outputs["EmailReceivedTopicArn"]
    # Other tests of this account subscribe queues of their own.
    queue = site.home.outputs["InboundQueueUrl"].rpartition("/")[2]
    subscriptions = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    [found] = [one for one in subscriptions if one["Endpoint"].endswith(f":{queue}")]
    attributes = sns.get_subscription_attributes(SubscriptionArn=found["SubscriptionArn"])["Attributes"]
    sns.unsubscribe(SubscriptionArn=found["SubscriptionArn"])
    try:
        yield
    finally:
        kept = {name: attributes[name] for name in ("RawMessageDelivery", "RedrivePolicy")}
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=found["Endpoint"], Attributes=kept)


@contextmanager
def queue_policy_wrong(cloud: LocalCloud, site: Site) -> Iterator[None]:
    sqs, url = cloud.account.client("sqs"), site.home.outputs["InboundQueueUrl"]
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": before.replace("-email-received", "-other")})
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": before})


@contextmanager
def topic_policy_wrong(cloud: LocalCloud, site: Site) -> Iterator[None]:
    sns, topic = cloud.account.client("sns"), site.home.outputs["EmailReceivedTopicArn"]
    before = sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]
    wrong = before.replace(f"arn:aws:s3:::{site.bucket}", "arn:aws:s3:::another")
    assert wrong != before
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=wrong)
    try:
        yield
    finally:
        sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=before)


def reply_address_elsewhere(cloud: LocalCloud, site: Site) -> AbstractContextManager[None]:
    return function_configuration(cloud, "ReplyFunction", variables={"REPLY_FROM": "desk@unverified.example"})


def application_unreachable(cloud: LocalCloud, site: Site) -> AbstractContextManager[None]:
    return function_configuration(cloud, "ProcessFunction", variables={"APPLICATION_URL": "https://127.0.0.1:1/"})


def event_source_disabled(cloud: LocalCloud, site: Site) -> AbstractContextManager[None]:
    return not_polled(cloud)


@contextmanager
def index_rule_disabled(cloud: LocalCloud, site: Site) -> Iterator[None]:
    events, rule = cloud.account.client("events"), "mailstep-execution-status"
    events.disable_rule(Name=rule)
    try:
        yield
    finally:
        events.enable_rule(Name=rule)


@contextmanager
def alarm_missing(cloud: LocalCloud, site: Site) -> Iterator[None]:
    cloudwatch, name = cloud.account.client("cloudwatch"), "mailstep-inbound-dlq"
    [alarm] = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    cloudwatch.delete_alarms(AlarmNames=[name])
    try:
        yield
    finally:
        read_only = ("AlarmArn", "AlarmConfigurationUpdatedTimestamp", "State")
        cloudwatch.put_metric_alarm(**{name: value for name, value in alarm.items() if not name.startswith(read_only)})


Fault = Callable[[LocalCloud, Site], AbstractContextManager[None]]


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        (rule_missing, "rules"),
        (rule_disabled, "rules"),
        (rule_for_another_recipient, "rules"),
        (rule_without_scanning, "rules"),
        (unknown_route, "unknown routes"),
        (other_rule_set_active, "active rule set"),
        (roles_policy_wrong, "storing"),
        (notification_removed, "notification"),
        (topic_policy_wrong, "topic policy"),
        (subscription_missing, "subscription"),
        (queue_policy_wrong, "queue policy"),
        (event_source_disabled, "event source"),
        (reply_address_elsewhere, "reply addresses"),
        (application_unreachable, "application"),
        (index_rule_disabled, "index"),
        (alarm_missing, "alarms"),
    ],
)
def test_each_fault_is_found_by_its_check_alone(cloud: LocalCloud, site: Site, fault: Fault, check: str) -> None:
    with fault(cloud, site):
        # The routes are read once a visit, the variables that fill them in included.
        found = states(visit("mailstep", "mailstep-receiving", None))
    assert [name for name, state in found.items() if state == "fault"] == [check]
    assert "fault" not in states(site).values()


def test_a_test_message_is_answered(cloud: LocalCloud, desk: Desk) -> None:
    """Even though another message to the route was deleted a moment ago."""
    [other] = desk.send("note.eml", route="orders")
    sfn, s3 = cloud.account.client("stepfunctions"), cloud.account.client("s3")
    stored = json.loads(sfn.describe_execution(executionArn=other.execution_arn)["input"])
    s3.delete_object(Bucket=stored["bucket"], Key=stored["key"])
    ended = run("doctor", "--json", "--send-test", "orders", **cloud.account.variables())
    assert ended.returncode == 0, ended.stdout + ended.stderr
    said = json.loads(ended.stdout)[-1]
    assert (said["name"], said["state"]) == ("test message", "ok")
    [reply] = [file for file in cloud.outbox.iterdir() if file.stem in said["detail"]]
    assert b"To: operators@mailstep.example" in reply.read_bytes()


def test_a_test_message_that_cannot_be_sent_is_one_clear_line(cloud: LocalCloud) -> None:
    unsigned = run("doctor", "--send-test", "orders", "--from", "me@elsewhere.example", **cloud.account.variables())
    assert unsigned.returncode == 2
    assert "SES does not sign for elsewhere.example in us-east-1" in unsigned.stderr
    no_route = run("doctor", "--send-test", "nowhere", **cloud.account.variables())
    assert (no_route.returncode, no_route.stdout) == (2, "")
    assert "there is no route 'nowhere'" in no_route.stderr
