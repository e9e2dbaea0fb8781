"""The checks from the bucket to the workflow, of the application behind it, and of the operators' alerts."""

import socket
import ssl
from typing import Any
from urllib.parse import urlsplit

from mailstep import keys
from mailstep_cli import stored_mail as stored
from mailstep_cli.doctor.deployed_stack import Site, reserved
from mailstep_cli.doctor.findings import Finding, fault, judged, ok, unknown, warning
from mailstep_cli.doctor.policies import allows
from mailstep_cli.terminal import counted

_CONNECT_SECONDS = 5
_POLLED = {"Enabled", "Enabling", "Updating"}
_AGAIN = "deploy the home stack again: sam build && sam deploy"


def notification(site: Site) -> Finding:
    """S3 notifies the topic of every object under inbound/, and the inbound queue of those under answers/."""
    found = site.client("s3").get_bucket_notification_configuration(Bucket=site.bucket)
    wanted = (
        ("TopicConfigurations", "TopicArn", site.home.outputs["EmailReceivedTopicArn"], keys.INBOUND),
        ("QueueConfigurations", "QueueArn", _queue_arn(site, site.home.outputs["InboundQueueUrl"]), keys.ANSWERS),
    )
    problems = [
        f"the bucket does not notify {target} of new objects under {prefix}"
        for kind, field, target, prefix in wanted
        if not any(
            entry[field] == target and "s3:ObjectCreated:*" in entry["Events"] and _prefix(entry) == prefix
            for entry in found.get(kind, [])
        )
    ]
    return judged(
        problems,
        _put_back("MailBucket"),
        f"the bucket notifies the topic of s3:ObjectCreated:* under {keys.INBOUND}, and the queue under {keys.ANSWERS}",
    )


def topic_policy(site: Site) -> Finding:
    """The policy lets S3 publish to the topic for this bucket."""
    topic = site.home.outputs["EmailReceivedTopicArn"]
    policy = site.client("sns").get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]
    context = {"aws:SourceAccount": site.account_id, "aws:SourceArn": f"arn:{site.partition}:s3:::{site.bucket}"}
    allowed = allows(policy, "sns:Publish", topic, service="s3.amazonaws.com", context=context)
    return judged(
        [] if allowed else [f"the policy of {topic} does not let the mail bucket publish"],
        _put_back("EmailReceivedTopicPolicy"),
        "the policy lets the mail bucket publish",
    )


def inbound_subscription(site: Site) -> Finding:
    """The inbound queue is subscribed, with raw delivery and a dead-letter queue for undeliverable notifications."""
    queue = _queue_arn(site, site.home.outputs["InboundQueueUrl"])
    found = [s for s in _subscriptions(site, site.home.outputs["EmailReceivedTopicArn"]) if s["Endpoint"] == queue]
    if not found:
        return fault(f"{queue} is not subscribed to the topic", _put_back("InboundSubscription"))
    attributes = site.client("sns").get_subscription_attributes(SubscriptionArn=found[0]["SubscriptionArn"])[
        "Attributes"
    ]
    problems = []
    if attributes.get("RawMessageDelivery") != "true":
        problems.append("the queue's subscription does not use raw delivery")
    if "deadLetterTargetArn" not in attributes.get("RedrivePolicy", ""):
        problems.append("the queue's subscription has no dead-letter queue")
    return judged(
        problems, _put_back("InboundSubscription"), "the queue is subscribed, with raw delivery and a dead-letter queue"
    )


def queue_policy(site: Site) -> Finding:
    """The policies let the topic send to the inbound queue and its own dead-letter queue, and S3 to the former."""
    context = {
        "aws:SourceAccount": site.account_id,
        "aws:SourceArn": site.home.outputs["EmailReceivedTopicArn"],
    }
    problems = []
    for url in (site.home.outputs["InboundQueueUrl"], site.home.outputs["SubscriptionDeadLetterQueueUrl"]):
        found = _queue_attributes(site, url)
        policy, arn = found.get("Policy", "{}"), found["QueueArn"]
        if not allows(policy, "sqs:SendMessage", arn, service="sns.amazonaws.com", context=context):
            problems.append(f"the policy of {arn} does not let the topic send")
    found = _queue_attributes(site, site.home.outputs["InboundQueueUrl"])
    bucket = {"aws:SourceAccount": site.account_id, "aws:SourceArn": f"arn:{site.partition}:s3:::{site.bucket}"}
    if not allows(
        found.get("Policy", "{}"), "sqs:SendMessage", found["QueueArn"], service="s3.amazonaws.com", context=bucket
    ):
        problems.append(f"the policy of {found['QueueArn']} does not let the mail bucket send")
    return judged(problems, _put_back("InboundQueuePolicy"), "the policies let the topic and the mail bucket send")


def event_source(site: Site) -> Finding:
    """The event source mapping from the inbound queue is enabled."""
    queue = _queue_arn(site, site.home.outputs["InboundQueueUrl"])
    found = site.client("lambda").list_event_source_mappings(EventSourceArn=queue)["EventSourceMappings"]
    enabled = [mapping for mapping in found if mapping["State"] in _POLLED]
    if found and not enabled:
        uuid = found[0]["UUID"]
        return fault(
            "StartFunction does not poll the inbound queue: its event source mapping is disabled",
            f"aws lambda update-event-source-mapping --enabled --uuid {uuid}",
        )
    return judged(
        [] if enabled else ["no function polls the inbound queue"], _AGAIN, "StartFunction polls the inbound queue"
    )


def index(site: Site) -> Finding:
    """The rule sends the workflow's events to the queue of the index, and IndexFunction polls it."""
    rule, queue = site.home.resources["ExecutionStatusRule"][1], site.home.resources["IndexQueue"][1]
    events, arn = site.client("events"), _queue_arn(site, queue)
    targets = events.list_targets_by_rule(Rule=rule)["Targets"]
    problems = []
    if events.describe_rule(Name=rule)["State"] != "ENABLED" or arn not in [one["Arn"] for one in targets]:
        problems.append(f"the rule {rule} does not send events to {arn}")
    mappings = site.client("lambda").list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]
    if not any(mapping["State"] in _POLLED for mapping in mappings):
        problems.append("IndexFunction does not poll its queue")
    return judged(
        problems,
        f"{_put_back('ExecutionStatusRule or IndexFunction')}. Mail is not affected",
        "the workflow's events reach the index of messages",
    )


def stored_mail(site: Site) -> Finding:
    """All mail of the routes has been processed, and no mail of a removed route is stored."""
    s3 = site.client("s3")
    waiting = {name: len(stored.unprocessed(s3, site.bucket, name)) for name in site.routes}
    problems = [f"not processed: {counted(count, 'message')} to {name}" for name, count in waiting.items() if count]
    if problems:
        return fault("; ".join(problems), "; ".join(_replay(site, name) for name, count in waiting.items() if count))
    strays = [name for name in stored.routes_with_mail(s3, site.bucket) if name not in site.routes]
    if strays:
        again = " and ".join(_replay(site, name) for name in strays)
        return warning(
            f"mail is stored under {', '.join(keys.inbound(name) for name in strays)}, which belongs to no route",
            f"if you want it processed, add the route to routes.toml, deploy both stacks, and run: {again}; or else "
            "delete it",
        )
    return ok("all stored mail was processed")


def _replay(site: Site, route: str) -> str:
    return f"mailstep replay --stored {route} --stack {site.home.name}"


def subscribers(site: Site) -> Finding:
    """The operators' topic has a subscriber, and every subscription is confirmed."""
    operators = _subscriptions(site, site.home.outputs["OperatorTopicArn"])
    if not operators:
        return fault(
            "the operators' topic has no subscriber, so alerts reach no one",
            "aws sns subscribe --protocol email --notification-endpoint <address> --topic-arn "
            + site.home.outputs["OperatorTopicArn"],
        )
    every = [*operators, *_subscriptions(site, site.home.outputs["EmailReceivedTopicArn"])]
    pending = [s["Endpoint"] for s in every if not s["SubscriptionArn"].startswith("arn:") or _pending(site, s)]
    if not pending:
        return ok(f"{len(operators)} subscribed to the operators' topic, all confirmed")
    if all(reserved(endpoint.rpartition("@")[2]) for endpoint in pending):
        return unknown(f"{', '.join(pending)} cannot confirm: the domain is reserved for examples")
    return fault(
        f"not confirmed by {', '.join(pending)}",
        "follow the link in the confirmation mail from SNS, or subscribe again",
    )


def alarms(site: Site) -> Finding:
    """Every alarm of the stacks exists, and none is in ALARM."""
    problems, quiet = [], 0
    for stack in (site.home, site.receiving):
        names = list(stack.of_type("AWS::CloudWatch::Alarm").values())
        found = _alarm_states(site, names, stack.region)
        problems += [f"{name} was deleted" for name in names if name not in found]
        problems += [f"{name} is in ALARM: {why}" for name, (state, why) in found.items() if state == "ALARM"]
        quiet += sum(state != "ALARM" for state, _ in found.values())
    return judged(
        problems,
        "docs/runbook.md explains each alarm, and how to repair a stack",
        f"{counted(quiet, 'alarm')}, none in ALARM",
    )


def application(site: Site) -> Finding:
    """Each application endpoint accepts a TCP connection, and TLS for https."""
    urls = sorted({route.url for route in site.routes.values() if route.url})
    problems = [f"{url}: {why}" for url in urls if (why := _unreachable(url))]
    return judged(
        problems,
        "check the URL in routes.toml and the endpoint; it may be reachable only from the functions' network",
        f"{', '.join(urls)} reachable from here" if urls else "no route has an application URL",
    )


def _unreachable(url: str) -> str | None:
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    try:
        with socket.create_connection(
            (parts.hostname or "", parts.port or (443 if secure else 80)), _CONNECT_SECONDS
        ) as plain:
            if secure:
                with ssl.create_default_context().wrap_socket(plain, server_hostname=parts.hostname):
                    pass
    except (OSError, ValueError) as error:
        return str(error)
    return None


def _put_back(logical_id: str) -> str:
    return f'{logical_id} was changed by hand: docs/runbook.md, "Changed by hand"'


def _prefix(entry: dict[str, Any]) -> str:
    rules = entry.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    return next((rule["Value"] for rule in rules if rule["Name"].lower() == "prefix"), "")


def _queue_attributes(site: Site, url: str) -> dict[str, str]:
    found: dict[str, str] = site.client("sqs").get_queue_attributes(
        QueueUrl=url, AttributeNames=["Policy", "QueueArn"]
    )["Attributes"]
    return found


def _queue_arn(site: Site, url: str) -> str:
    return _queue_attributes(site, url)["QueueArn"]


def _subscriptions(site: Site, topic: str) -> list[dict[str, str]]:
    pages = site.client("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    return [subscription for page in pages for subscription in page["Subscriptions"]]


def _pending(site: Site, subscription: dict[str, str]) -> bool:
    found = site.client("sns").get_subscription_attributes(SubscriptionArn=subscription["SubscriptionArn"])[
        "Attributes"
    ]
    return bool(found.get("PendingConfirmation") == "true")


def _alarm_states(site: Site, names: list[str], region: str) -> dict[str, tuple[str, str]]:
    if not names:
        return {}
    pages = site.client("cloudwatch", region).get_paginator("describe_alarms").paginate(AlarmNames=names)
    return {a["AlarmName"]: (a["StateValue"], a.get("StateReason", "")) for page in pages for a in page["MetricAlarms"]}
