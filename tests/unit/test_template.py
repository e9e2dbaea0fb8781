"""template.yaml and the workflow against each other: what no emulation checks is compared here."""

import json
import re
from typing import Any

import pytest

from tests.support.project import DEFINITION, FUNCTIONS, RECEIVING, STATES, TEMPLATE

RESOURCES: dict[str, Any] = TEMPLATE["Resources"]


def statements(role: str) -> list[dict[str, Any]]:
    [policy] = RESOURCES[role]["Properties"]["Policies"]
    return [present(statement) for statement in policy["PolicyDocument"]["Statement"]]


def present(statement: dict[str, Any]) -> dict[str, Any]:
    """A statement, also where it is there under a condition only."""
    found: dict[str, Any] = statement["Fn::If"][1] if "Fn::If" in statement else statement
    return found


def allowed(role: str, action: str) -> list[str]:
    """The resources, as written, on which a role may do this."""
    return [
        json.dumps(resource)
        for statement in statements(role)
        if action in (statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]])
        for resource in (statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]])
    ]


def test_the_workflows_role_can_do_what_its_states_do_and_no_more() -> None:
    """MiniStack does not enforce the state machine's role."""
    called = set(re.findall(r"\$\{(\w+Function)Arn\}", DEFINITION))
    granted = {json.loads(arn)["Fn::GetAtt"][0] for arn in allowed("EmailWorkflowRole", "lambda:InvokeFunction")}
    assert granted == called
    assert allowed("EmailWorkflowRole", "sns:Publish") == ['{"Ref": "OperatorTopic"}']
    for action in ("s3:GetObject", "s3:GetObjectVersion"):
        [resource] = allowed("EmailWorkflowRole", action)
        assert "/inbound/*" in resource
    for action in ("s3:PutObject", "s3:PutObjectTagging"):
        [resource] = allowed("EmailWorkflowRole", action)
        assert "/quarantine/*" in resource
    integrations = {state["Resource"].rpartition(":::")[2] for state in STATES.values() if state["Type"] == "Task"}
    assert allowed("EmailWorkflowRole", "sqs:SendMessage") == ['{"Fn::GetAtt": ["ApplicationQueue", "Arn"]}']
    assert integrations == {
        "lambda:invoke",
        "sns:publish",
        "aws-sdk:s3:copyObject",
        "sqs:sendMessage.waitForTaskToken",
    }


def test_the_starters_role_can_do_what_its_event_source_needs() -> None:
    """AWS Lambda Developer Guide, "Using Lambda with Amazon SQS"; MiniStack does not enforce it."""
    for action in ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"):
        assert allowed("StartRole", action) == ['{"Fn::GetAtt": ["InboundQueue", "Arn"]}']


def test_only_what_takes_no_resource_is_allowed_on_everything() -> None:
    everything = []
    for name, resource in RESOURCES.items():
        for policy in [*resource["Properties"].get("Policies", []), resource["Properties"]]:
            for statement in map(present, policy.get("PolicyDocument", {}).get("Statement", [])):
                if statement["Effect"] == "Allow" and statement.get("Resource") == "*":
                    everything += [(name, action.partition(":")[0]) for action in statement["Action"]]
                assert statement["Effect"] == "Deny" or "*" not in json.dumps(statement["Action"]), name
    assert set(everything) == {
        ("EmailWorkflowRole", "logs"),
        ("EmailWorkflowRole", "xray"),
        ("LaterAnswerWorkflowRole", "logs"),
        ("LaterAnswerWorkflowRole", "xray"),
        ("FunctionTelemetryPolicy", "xray"),
    }


def test_every_function_has_a_role_of_its_own() -> None:
    roles = [json.dumps(function["Role"]) for function in FUNCTIONS.values()]
    assert len(set(roles)) == len(FUNCTIONS)


# What a role has though no emulation misses it, and who says that AWS does.
NEEDED_ON_AWS = {
    ("FeedbackRole", "sqs:SendMessage"): "AWS Lambda Developer Guide, Capturing records of asynchronous invocations",
}


@pytest.mark.parametrize(("role", "action"), NEEDED_ON_AWS)
def test_what_only_aws_asks_for_is_there(role: str, action: str) -> None:
    assert allowed(role, action)


def test_events_that_feedback_failed_on_or_never_got_share_a_dead_letter_queue() -> None:
    function = FUNCTIONS["FeedbackFunction"]
    queue = function["DeadLetterQueue"]["TargetArn"]
    assert function["Events"]["Feedback"]["Properties"]["RedrivePolicy"]["deadLetterTargetArn"] == queue
    assert allowed("FeedbackRole", "sqs:SendMessage") == [json.dumps(queue)]


def test_replies_come_from_the_domain_only() -> None:
    [sending] = [s for s in statements("ReplyRole") if s["Action"] == "ses:SendRawEmail"]
    assert sending["Condition"] == {"StringLike": {"ses:FromAddress": {"Fn::Sub": "*@${Domain}"}}}


def test_ses_tells_of_every_end_that_a_reply_can_take_but_delivery() -> None:
    """Amazon SES API v2 Reference, EventDestinationDefinition, MatchingEventTypes."""
    operators = RESOURCES["OperatorDestination"]["Properties"]["EventDestination"]
    assert set(operators["MatchingEventTypes"]) == {"bounce", "complaint", "reject", "deliveryDelay"}


def test_only_events_of_ses_suppress_an_address() -> None:
    feedback = RESOURCES["FeedbackDestination"]["Properties"]["EventDestination"]
    assert set(feedback["MatchingEventTypes"]) == {"bounce", "complaint"}
    topic = FUNCTIONS["FeedbackFunction"]["Events"]["Feedback"]["Properties"]["Topic"]
    assert feedback["SnsDestination"]["TopicARN"] == topic == {"Ref": "FeedbackTopic"}
    [statement] = RESOURCES["FeedbackTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "ses.amazonaws.com"}
    assert set(statement["Condition"]) == {"StringEquals", "ArnEquals"}


def test_a_hang_of_the_application_is_named_before_the_function_is_killed() -> None:
    process = FUNCTIONS["ProcessFunction"]
    assert int(process["Environment"]["Variables"]["APPLICATION_TIMEOUT_SECONDS"]) <= process["Timeout"] - 5


def test_a_record_stays_hidden_six_times_as_long_as_the_starter_may_run() -> None:
    assert RESOURCES["InboundQueue"]["Properties"]["VisibilityTimeout"] >= 6 * FUNCTIONS["StartFunction"]["Timeout"]


def test_parsed_mail_is_kept_longer_than_an_execution_can_be_redriven() -> None:
    """AWS Step Functions Developer Guide, "Redriving executions": within 14 days."""
    assert TEMPLATE["Parameters"]["ParsedRetentionDays"]["MinValue"] > 14


@pytest.mark.parametrize("template", [TEMPLATE, RECEIVING], ids=["template.yaml", "receiving.yaml"])
def test_every_parameter_has_a_label_and_a_place_in_one_group(template: dict[str, Any]) -> None:
    """AWS CloudFormation Template Reference, AWS::CloudFormation::Interface."""
    interface = template["Metadata"]["AWS::CloudFormation::Interface"]
    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    assert sorted(grouped) == sorted(template["Parameters"])
    assert interface["ParameterLabels"].keys() == template["Parameters"].keys()


def test_the_functions_stand_in_the_order_of_a_messages_way() -> None:
    steps = ["Start", "Parse", "Validate", "Process", "Reply", "Feedback"]
    assert list(FUNCTIONS) == [f"{step}Function" for step in steps]
