"""AWS's own rules hold within the local account, too: for a workflow's data and calls, and a function's answer."""

import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mailstep_local.cloud import LocalCloud, empty_account
from tests.support.cloud import eventually

CODE = """
def handler(event, context):
    return "x" * event["length"]
"""


@pytest.fixture(scope="module")
def answering(cloud: LocalCloud) -> Iterator[str]:
    """The ARN of a function that answers with as many characters as it is asked for."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("answering.py", CODE)
    client = cloud.account.client("lambda")
    role = client.get_function_configuration(FunctionName=cloud.functions["ParseFunction"])["Role"]
    created = client.create_function(
        FunctionName="answering",
        Runtime="python3.13",
        Role=role,
        Handler="answering.handler",
        Code={"ZipFile": code.getvalue()},
    )
    yield created["FunctionArn"]
    client.delete_function(FunctionName="answering")


@pytest.fixture
def run(cloud: LocalCloud) -> Iterator[Callable[[dict[str, Any]], dict[str, Any]]]:
    """Runs one state as a workflow that may do everything; returns DescribeExecution."""
    iam, sfn = cloud.account.client("iam"), cloud.account.client("stepfunctions")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    role = iam.create_role(RoleName="rules", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName="rules", PolicyName="all", PolicyDocument=json.dumps(everything))
    made: list[str] = []

    def run_state(state: dict[str, Any]) -> dict[str, Any]:
        definition = {"QueryLanguage": "JSONata", "StartAt": "Only", "States": {"Only": {**state, "End": True}}}
        machine = sfn.create_state_machine(name=f"rules-{len(made)}", definition=json.dumps(definition), roleArn=role)[
            "stateMachineArn"
        ]
        made.append(machine)
        execution = sfn.start_execution(stateMachineArn=machine, input="{}")["executionArn"]
        assert eventually(lambda: sfn.describe_execution(executionArn=execution)["status"] != "RUNNING")
        found: dict[str, Any] = sfn.describe_execution(executionArn=execution)
        return found

    yield run_state
    for machine in made:
        sfn.delete_state_machine(stateMachineArn=machine)
    iam.delete_role_policy(RoleName="rules", PolicyName="all")
    iam.delete_role(RoleName="rules")


def test_a_response_over_6_mb_is_refused(cloud: LocalCloud, answering: str) -> None:
    def invoke(length: int) -> dict[str, Any]:
        found: dict[str, Any] = cloud.account.client("lambda").invoke(
            FunctionName=answering, Payload=json.dumps({"length": length})
        )
        return found

    # The quotation marks count too.
    assert "FunctionError" not in invoke(6291556 - 2)
    assert json.loads(invoke(6291556 - 1)["Payload"].read())["errorType"] == "Function.ResponseSizeTooLarge"


@pytest.mark.parametrize(("octets", "accepted"), [(250 * 1024 * 1024, True), (250 * 1024 * 1024 + 1, False)])
def test_code_from_s3_unpacks_to_250_mb_at_most(cloud: LocalCloud, octets: int, accepted: bool) -> None:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("large", bytes(octets))
    s3, client = cloud.account.client("s3"), cloud.account.client("lambda")
    where = {"S3Bucket": "large-code", "S3Key": "code.zip"}
    s3.create_bucket(Bucket=where["S3Bucket"])
    s3.put_object(Bucket=where["S3Bucket"], Key=where["S3Key"], Body=code.getvalue())
    role = client.get_function_configuration(FunctionName=cloud.functions["ParseFunction"])["Role"]
    refused = pytest.raises(client.exceptions.InvalidParameterValueException, match="Unzipped size must be smaller")
    with nullcontext() if accepted else refused:
        client.create_function(FunctionName="large", Runtime="python3.13", Role=role, Handler="f.handler", Code=where)
    if accepted:
        client.delete_function(FunctionName="large")
    s3.delete_object(Bucket=where["S3Bucket"], Key=where["S3Key"])
    s3.delete_bucket(Bucket=where["S3Bucket"])


def test_a_workflows_data_is_at_most_256_kib_and_states_all_does_not_catch_more(
    run: Callable[[dict[str, Any]], dict[str, Any]], answering: str
) -> None:
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 60}],
    }
    arguments = {"FunctionName": answering, "Payload": {"length": 256 * 1024}}
    ended = run({**task, "Arguments": arguments})
    assert (ended["status"], ended["error"]) == ("FAILED", "States.DataLimitExceeded")
    assert run({**task, "Arguments": {**arguments, "Payload": {"length": 250 * 1024}}})["status"] == "SUCCEEDED"


def test_a_workflows_call_keeps_the_called_services_rules(
    cloud: LocalCloud, run: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    arguments = {"TopicArn": cloud.outputs["OperatorTopicArn"], "Message": "x", "Subject": "s" * 100}
    ended = run({"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "Arguments": arguments})
    assert (ended["status"], ended["error"]) == ("FAILED", "SNS.InvalidParameter")


def test_a_stack_whose_resolved_names_break_a_rule_is_refused(cloud: LocalCloud) -> None:
    client = cloud.account.client("cloudformation")
    template = {
        "Resources": {
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "RoleName": {"Fn::Sub": "${AWS::StackName}-" + "r" * 60},
                    "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []},
                },
            }
        }
    }
    client.create_stack(
        StackName="breaks-a-rule", TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_NAMED_IAM"]
    )

    def ended() -> bool:
        [stack] = client.describe_stacks(StackName="breaks-a-rule")["Stacks"]
        return bool(stack["StackStatus"] != "CREATE_IN_PROGRESS")

    assert eventually(ended)
    events = client.describe_stack_events(StackName="breaks-a-rule")["StackEvents"]
    reasons = [event.get("ResourceStatusReason", "") for event in events if event["ResourceStatus"] == "CREATE_FAILED"]
    assert any("Properties validation failed for resource Role with message: #/RoleName" in text for text in reasons)
    client.delete_stack(StackName="breaks-a-rule")


def test_the_rules_are_off_only_where_a_setting_says_so(
    tmp_path_factory: pytest.TempPathFactory, cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "MAILSTEP_LOCAL_RULES" not in os.environ
    with pytest.raises(ClientError, match="InvalidParameterException"):
        cloud.account.client("logs").create_log_group(logGroupName="a b")
    monkeypatch.setenv("MAILSTEP_LOCAL_RULES", "off")
    with empty_account(tmp_path_factory.mktemp("rules") / "run") as (account, _):
        account.client("logs").create_log_group(logGroupName="a b")
