"""template.yaml and the workflow against each other: what no emulation checks is compared here."""

import json
import re
from typing import Any

import pytest

from mailstep.aws.message_index import By
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


@pytest.mark.parametrize(("role", "queue"), [("StartRole", "InboundQueue"), ("IndexRole", "IndexQueue")])
def test_a_role_can_do_what_its_event_source_needs(role: str, queue: str) -> None:
    """AWS Lambda Developer Guide, "Using Lambda with Amazon SQS"; MiniStack does not enforce it."""
    for action in ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"):
        assert allowed(role, action) == [json.dumps({"Fn::GetAtt": [queue, "Arn"]})]


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
        ("ReplayWorkflowRole", "logs"),
        ("ReplayWorkflowRole", "xray"),
        ("FunctionTelemetryPolicy", "xray"),
    }


def test_every_function_has_a_role_of_its_own() -> None:
    roles = [json.dumps(function["Role"]) for function in FUNCTIONS.values()]
    assert len(set(roles)) == len(FUNCTIONS)


# What a role has though no emulation misses it, and who says that AWS does.
NEEDED_ON_AWS = {
    ("FeedbackRole", "sqs:SendMessage"): "AWS Lambda Developer Guide, Capturing records of asynchronous invocations",
    ("SweepRole", "sqs:SendMessage"): "AWS Lambda Developer Guide, Capturing records of asynchronous invocations",
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


@pytest.mark.parametrize(("queue", "function"), [("InboundQueue", "StartFunction"), ("IndexQueue", "IndexFunction")])
def test_a_record_stays_hidden_six_times_as_long_as_its_function_may_run(queue: str, function: str) -> None:
    """AWS Lambda Developer Guide, "Using Lambda with Amazon SQS"."""
    assert RESOURCES[queue]["Properties"]["VisibilityTimeout"] >= 6 * FUNCTIONS[function]["Timeout"]


def test_a_failed_sweep_and_an_event_without_a_queue_wait_where_the_index_has_its_dead_letters() -> None:
    dead_letters = {"Fn::GetAtt": ["IndexDeadLetterQueue", "Arn"]}
    assert FUNCTIONS["SweepFunction"]["DeadLetterQueue"]["TargetArn"] == dead_letters
    assert allowed("SweepRole", "sqs:SendMessage") == [json.dumps(dead_letters)]
    [target] = RESOURCES["ExecutionStatusRule"]["Properties"]["Targets"]
    assert target["DeadLetterConfig"]["Arn"] == dead_letters


def test_the_index_hears_of_every_status_of_the_workflow_and_of_no_other() -> None:
    pattern = RESOURCES["ExecutionStatusRule"]["Properties"]["EventPattern"]
    assert pattern["detail"] == {"stateMachineArn": [{"Ref": "EmailWorkflow"}]}


def test_a_sweep_looks_back_as_far_as_an_execution_can_be_redriven_and_as_often_as_it_looks() -> None:
    """AWS Step Functions Developer Guide, "Redriving executions": within 14 days."""
    events = [event["Properties"] for event in FUNCTIONS["SweepFunction"]["Events"].values()]
    looks = {event["Schedule"]: json.loads(event["Input"])["hours"] for event in events}
    assert looks.keys() == {"rate(1 hour)", "rate(1 day)"}
    assert looks["rate(1 hour)"] > 1
    assert looks["rate(1 day)"] > 14 * 24


def test_the_table_of_the_index_has_an_index_for_each_way_to_find_an_email() -> None:
    indexes = {one["IndexName"]: one for one in RESOURCES["MessageIndex"]["Properties"]["GlobalSecondaryIndexes"]}
    assert {by.index_name: by.value for by in By} == {
        name: one["KeySchema"][0]["AttributeName"] for name, one in indexes.items()
    }


def test_the_index_is_encrypted_by_the_key_of_the_mail_bucket_if_there_is_one() -> None:
    condition, own, none = RESOURCES["MessageIndex"]["Properties"]["SSESpecification"]["Fn::If"]
    assert condition == "HasMailKey"
    assert own == {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": {"Ref": "MailKeyArn"}}
    assert none == {"Ref": "AWS::NoValue"}


def test_no_copy_of_the_index_outlives_it() -> None:
    """It has senders and subjects in clear (docs/security.md), and can be made again."""
    table = RESOURCES["MessageIndex"]
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Delete", "Delete")
    assert "PointInTimeRecoverySpecification" not in table["Properties"]
    assert table["Properties"]["TimeToLiveSpecification"] == {"AttributeName": "expiration", "Enabled": True}


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
    steps = ["Start", "Parse", "Validate", "Process", "Reply", "Feedback", "Index", "Sweep"]
    assert list(FUNCTIONS) == [f"{step}Function" for step in steps]
