"""The local account does what AWS does beside answering calls: it speaks unasked, repeats itself, and has bounds.

Over 300 lines: one account for all of it, and small states and functions for each.
"""

import io
import json
import os
import signal
import smtplib
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mailstep_local.account import Account
from mailstep_local.cloud import LocalCloud, empty_account
from tests.support.cloud import Desk, eventually, gathered, hurried, processes_of, role_without, subscribe

STARTING = """
import time
time.sleep(2)
def handler(event, context):
    time.sleep(event["seconds"])
    return "done"
"""


@pytest.fixture(scope="module")
def new_account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account with a concurrency of 10, as a new AWS account has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAILSTEP_LOCAL_CONCURRENCY", "10")
        with empty_account(tmp_path_factory.mktemp("new") / "run") as (account, _):
            make_role(account)
            yield account


@pytest.fixture(scope="module", autouse=True)
def role(cloud: LocalCloud) -> Iterator[None]:
    """A role that may be given to anything and may do nothing."""
    make_role(cloud.account)
    yield
    cloud.account.client("iam").delete_role(RoleName="any")


def make_role(account: Account) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": ["lambda.amazonaws.com", "states.amazonaws.com"]},
        "Action": "sts:AssumeRole",
    }
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    account.client("iam").create_role(RoleName="any", AssumeRolePolicyDocument=trust)


def archive(code: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("function.py", code)
    return packed.getvalue()


@contextmanager
def function(account: Account, name: str, role: str, code: str = "def handler(event, context): pass") -> Iterator[str]:
    client = account.client("lambda")
    client.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=role,
        Handler="function.handler",
        Code={"ZipFile": archive(code)},
        Timeout=30,
    )
    yield name
    client.delete_function(FunctionName=name)


ANY_ROLE = "arn:aws:iam::000000000000:role/any"


def queue(account: Account, name: str, **attributes: str) -> tuple[str, str]:
    """A new queue's URL and ARN; S3 may send to it."""
    sqs = account.client("sqs")
    arn = f"arn:aws:sqs:{account.region}:000000000000:{name}"
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return sqs.create_queue(QueueName=name, Attributes={"Policy": policy, **attributes})["QueueUrl"], arn


def bodies(account: Account, url: str) -> list[str]:
    found = account.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [message["Body"] for message in found]


# It speaks unasked.


def test_a_new_event_destination_brings_sess_notice_to_its_topic(cloud: LocalCloud) -> None:
    sns, ses = cloud.account.client("sns"), cloud.account.client("sesv2")
    topic = sns.create_topic(Name="notices")["TopicArn"]
    heard = subscribe(cloud, topic, "notices")
    ses.create_configuration_set(ConfigurationSetName="notices")
    destination = {"Enabled": True, "MatchingEventTypes": ["BOUNCE"], "SnsDestination": {"TopicArn": topic}}
    where = {"ConfigurationSetName": "notices", "EventDestinationName": "topic", "EventDestination": destination}

    def let_publish(service: str) -> None:
        statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sns:Publish", "Resource": topic}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)

    let_publish("s3.amazonaws.com")
    with pytest.raises(ClientError, match="Could not publish to SNS topic"):
        ses.create_configuration_set_event_destination(**where)
    let_publish("ses.amazonaws.com")
    ses.create_configuration_set_event_destination(**where)
    [notice] = eventually(heard)
    assert json.loads(notice)["Message"] == "Successfully validated SNS topic for Amazon SES event publishing."
    ses.delete_configuration_set(ConfigurationSetName="notices")


def test_a_new_notification_configuration_brings_s3s_test_event(new_account: Account) -> None:
    s3 = new_account.client("s3")
    s3.create_bucket(Bucket="noticed")
    url, arn = queue(new_account, "test-event")
    configuration = {"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
    s3.put_bucket_notification_configuration(Bucket="noticed", NotificationConfiguration=configuration)
    [event] = [json.loads(body) for body in bodies(new_account, url)]
    assert (event["Service"], event["Event"], event["Bucket"]) == ("Amazon S3", "s3:TestEvent", "noticed")


def test_a_new_s3_action_puts_sess_set_up_object_or_is_refused(new_account: Account) -> None:
    s3, ses = new_account.client("s3"), new_account.client("ses")
    s3.create_bucket(Bucket="mail")
    ses.create_receipt_rule_set(RuleSetName="set")
    action = {"S3Action": {"BucketName": "mail", "ObjectKeyPrefix": "inbound/"}}
    ses.create_receipt_rule(RuleSetName="set", Rule={"Name": "stores", "Actions": [action]})
    [stored] = s3.list_objects_v2(Bucket="mail")["Contents"]
    assert stored["Key"] == "inbound/AMAZON_SES_SETUP_NOTIFICATION"
    missing = {"S3Action": {"BucketName": "no-such-bucket"}}
    with pytest.raises(ses.exceptions.InvalidS3ConfigurationException):
        ses.create_receipt_rule(RuleSetName="set", Rule={"Name": "fails", "Actions": [missing]})
    assert [rule["Name"] for rule in ses.describe_receipt_rule_set(RuleSetName="set")["Rules"]] == ["stores"]


# It repeats itself.


@contextmanager
def delivering_twice(cloud: LocalCloud) -> Iterator[None]:
    cloud.deliver_twice.touch()
    try:
        yield
    finally:
        cloud.deliver_twice.unlink()


def test_a_message_that_sns_delivers_twice_is_answered_once(cloud: LocalCloud, desk: Desk) -> None:
    heard = subscribe(cloud, cloud.outputs["EmailReceivedTopicArn"], "twice")
    with delivering_twice(cloud):
        [result] = desk.send("note.eml", route="orders")
        assert len(gathered(heard, lambda found: len(found) == 2)) == 2
    assert (result.status, result.outcome) == ("SUCCEEDED", "replied")
    assert result.execution_arn
    name = result.execution_arn.rpartition(":")[2]
    assert desk.executions(name) == [name]
    sent = [path for path in cloud.outbox.glob("*.eml") if name in path.read_text()]
    assert len(sent) == 1


# It has few resources.


def test_lambda_reserves_no_concurrency_below_100_unreserved(cloud: LocalCloud) -> None:
    client = cloud.account.client("lambda")
    limit = client.get_account_settings()["AccountLimit"]
    assert (limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"]) == (1000, 1000)
    with function(cloud.account, "reserved", ANY_ROLE) as name:
        with pytest.raises(client.exceptions.InvalidParameterValueException, match=r"minimum value of \[100\]"):
            client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=901)
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=900)
        assert client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"] == 100
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=899)
    assert client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"] == 1000


def test_a_new_account_reserves_nothing_but_zero(new_account: Account) -> None:
    client = new_account.client("lambda")
    assert client.get_account_settings()["AccountLimit"]["ConcurrentExecutions"] == 10
    with function(new_account, "reserved", ANY_ROLE) as name:
        with pytest.raises(client.exceptions.InvalidParameterValueException, match="UnreservedConcurrentExecution"):
            client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)


@pytest.mark.parametrize(("reserved", "status"), [(1, "ROLLBACK_COMPLETE"), (0, "CREATE_COMPLETE")])
def test_a_stack_that_reserves_what_the_account_has_not_fails(new_account: Account, reserved: int, status: str) -> None:
    code = {"ZipFile": "def handler(event, context): pass"}
    properties = {
        "Code": code,
        "Role": ANY_ROLE,
        "Runtime": "python3.13",
        "Handler": "index.handler",
        "ReservedConcurrentExecutions": reserved,
    }
    template = {"Resources": {"Function": {"Type": "AWS::Lambda::Function", "Properties": properties}}}
    client, name = new_account.client("cloudformation"), f"reserves-{reserved}"
    client.create_stack(StackName=name, TemplateBody=json.dumps(template))

    def ended() -> str:
        [stack] = client.describe_stacks(StackName=name)["Stacks"]
        return "" if stack["StackStatus"].endswith("IN_PROGRESS") else str(stack["StackStatus"])

    assert eventually(ended) == status
    client.delete_stack(StackName=name)


def test_an_environment_killed_while_it_starts_ends_no_other(cloud: LocalCloud) -> None:
    client = cloud.account.client("lambda")
    role = client.get_function_configuration(FunctionName=cloud.functions["ParseFunction"])["Role"]
    answers: dict[str, Any] = {}

    def invoke(key: str, seconds: float) -> threading.Thread:
        def run() -> None:
            answer = client.invoke(FunctionName="starting", Payload=json.dumps({"seconds": seconds}))
            answers[key] = json.loads(answer["Payload"].read())

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    with function(cloud.account, "starting", role, STARTING):
        first = invoke("first", 8)
        started: list[Path] = eventually(lambda: processes_of(cloud, "starting"))
        time.sleep(3)
        second = invoke("second", 0)
        [new] = eventually(lambda: [one for one in processes_of(cloud, "starting") if one not in started])
        os.kill(int(new.name), signal.SIGKILL)
        second.join()
        first.join()
    assert answers["second"]["errorType"] == "Runtime.ExitError"
    assert answers["first"] == "done"


# Queues and workflows.


def test_a_dead_letter_queue_is_redriven_to_its_source(new_account: Account) -> None:
    sqs = new_account.client("sqs")
    dead, dead_arn = queue(new_account, "dead")
    redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 1})
    source, source_arn = queue(new_account, "source", RedrivePolicy=redrive)
    with pytest.raises(ClientError, match="Dead Letter Queue"):
        sqs.start_message_move_task(SourceArn=source_arn)
    for number in range(12):
        sqs.send_message(
            QueueUrl=dead,
            MessageBody=f"{number}",
            MessageAttributes={"kept": {"DataType": "String", "StringValue": "yes"}},
        )
    sqs.start_message_move_task(SourceArn=dead_arn)

    def ended() -> Any:
        [task] = sqs.list_message_move_tasks(SourceArn=dead_arn)["Results"]
        return task if task["Status"] != "RUNNING" else None

    task = eventually(ended)
    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 12)
    found = []
    while messages := sqs.receive_message(QueueUrl=source, MaxNumberOfMessages=10, MessageAttributeNames=["All"]).get(
        "Messages"
    ):
        found += messages
    assert sorted(int(message["Body"]) for message in found) == list(range(12))
    assert {message["MessageAttributes"]["kept"]["StringValue"] for message in found} == {"yes"}
    assert bodies(new_account, dead) == []


@pytest.fixture
def waiting(new_account: Account) -> Iterator[Callable[[str, int], str]]:
    """Starts an execution that waits for as many seconds; returns its ARN."""
    sfn = new_account.client("stepfunctions")
    state = {"Type": "Wait", "Seconds": "{% $states.input.seconds %}", "End": True}
    definition = {"QueryLanguage": "JSONata", "StartAt": "Wait", "States": {"Wait": state}}
    machine = sfn.create_state_machine(name="waiting", definition=json.dumps(definition), roleArn=ANY_ROLE)
    arn = machine["stateMachineArn"]

    def start(name: str, seconds: int) -> str:
        answer = sfn.start_execution(stateMachineArn=arn, name=name, input=json.dumps({"seconds": seconds}))
        return str(answer["executionArn"])

    yield start
    sfn.delete_state_machine(stateMachineArn=arn)


def test_executions_are_listed_by_their_start(new_account: Account, waiting: Callable[[str, int], str]) -> None:
    sfn = new_account.client("stepfunctions")
    first = waiting("first", 2)
    time.sleep(0.01)
    second = waiting("second", 0)
    machine = sfn.describe_execution(executionArn=first)["stateMachineArn"]

    def all_ended() -> bool:
        return len(sfn.list_executions(stateMachineArn=machine, statusFilter="SUCCEEDED")["executions"]) == 2

    assert eventually(all_ended)
    listed = sfn.list_executions(stateMachineArn=machine)["executions"]
    assert [execution["executionArn"] for execution in listed] == [second, first]


def test_a_running_execution_is_started_once_by_the_same_call(
    new_account: Account, waiting: Callable[[str, int], str]
) -> None:
    sfn = new_account.client("stepfunctions")
    arn = waiting("same", 3)
    assert waiting("same", 3) == arn
    with pytest.raises(sfn.exceptions.ExecutionAlreadyExists):
        waiting("same", 5)
    assert eventually(lambda: sfn.describe_execution(executionArn=arn)["status"] == "SUCCEEDED")
    with pytest.raises(sfn.exceptions.ExecutionAlreadyExists):
        waiting("same", 3)


FAILING = """
import os
def handler(event, context):
    if "FIXED" not in os.environ:
        raise KeyError("not yet")
    return event
"""


def test_a_redrive_goes_on_with_the_state_that_failed(cloud: LocalCloud) -> None:
    sfn, iam, functions = (cloud.account.client(name) for name in ("stepfunctions", "iam", "lambda"))
    allowed = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.put_role_policy(RoleName="any", PolicyName="all", PolicyDocument=json.dumps(allowed))
    states = {
        "Before": {
            "Type": "Pass",
            "Assign": {"kept": "{% $uuid() %}"},
            "Output": {"first": "{% $states.input %}", "hostile": "{{% 1 %}}"},
            "Next": "Call",
        },
        "Call": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {"FunctionName": "failing", "Payload": {"kept": "{% $kept %}"}},
            "Output": {"kept": "{% $kept %}", "input": "{% $states.input %}", "answer": "{% $states.result.Payload %}"},
            "Next": "After",
        },
        "After": {"Type": "Pass", "End": True},
    }
    definition = {"QueryLanguage": "JSONata", "StartAt": "Before", "States": states}
    with function(cloud.account, "failing", ANY_ROLE, FAILING):
        arn = sfn.create_state_machine(name="redriven", definition=json.dumps(definition), roleArn=ANY_ROLE)
        execution = sfn.start_execution(stateMachineArn=arn["stateMachineArn"], input='{"a": 1}')["executionArn"]

        def ended(status: str) -> bool:
            return bool(sfn.describe_execution(executionArn=execution)["status"] == status)

        assert eventually(lambda: ended("FAILED"))
        assert sfn.describe_execution(executionArn=execution)["redriveStatus"] == "REDRIVABLE"
        before = sfn.get_execution_history(executionArn=execution)["events"]
        functions.update_function_configuration(FunctionName="failing", Environment={"Variables": {"FIXED": "1"}})
        sfn.redrive_execution(executionArn=execution)
        assert eventually(lambda: ended("SUCCEEDED"))
        found = sfn.describe_execution(executionArn=execution)
        after = sfn.get_execution_history(executionArn=execution)["events"]
        with pytest.raises(sfn.exceptions.ExecutionNotRedrivable):
            sfn.redrive_execution(executionArn=execution)
        sfn.delete_state_machine(stateMachineArn=arn["stateMachineArn"])
    iam.delete_role_policy(RoleName="any", PolicyName="all")
    output = json.loads(found["output"])
    assert output["input"] == {"first": {"a": 1}, "hostile": "{{% 1 %}}"}
    assert output["answer"] == {"kept": output["kept"]}
    assert (found["redriveCount"], found["redriveStatus"], found["input"]) == (1, "NOT_REDRIVABLE", '{"a": 1}')
    assert after[: len(before)] == before
    # As on AWS: the state is not entered again (tests/unit/test_history.py).
    assert [event["type"] for event in after[len(before) :]] == [
        "ExecutionRedriven",
        "TaskScheduled",
        "TaskSucceeded",
        "TaskStateExited",
        "PassStateEntered",
        "PassStateExited",
        "ExecutionSucceeded",
    ]
    assert [event["id"] for event in after] == list(range(1, len(after) + 1))


def test_a_stopped_execution_is_not_redriven(new_account: Account, waiting: Callable[[str, int], str]) -> None:
    sfn = new_account.client("stepfunctions")
    arn = waiting("stopped", 1)
    with pytest.raises(sfn.exceptions.ExecutionNotRedrivable):
        sfn.redrive_execution(executionArn=arn)
    sfn.stop_execution(executionArn=arn)
    with pytest.raises(sfn.exceptions.ExecutionNotRedrivable):
        sfn.redrive_execution(executionArn=arn)
    with pytest.raises(sfn.exceptions.ExecutionDoesNotExist):
        sfn.redrive_execution(executionArn=f"{arn}-other")


def test_a_redriven_message_is_answered_once(cloud: LocalCloud, desk: Desk) -> None:
    """docs/runbook.md: what failed on its task is redriven once its cause is gone."""
    sfn, functions = cloud.account.client("stepfunctions"), cloud.account.client("lambda")
    role = functions.get_function_configuration(FunctionName=cloud.functions["ReplyFunction"])["Role"]
    with role_without(cloud, role.rpartition("/")[2], "ses:SendRawEmail"), hurried(cloud, 0.001):
        [failed] = desk.send("note.eml", route="orders")
    assert (failed.status, failed.reply) == ("FAILED", None)
    sfn.redrive_execution(executionArn=failed.execution_arn)

    def status() -> str:
        return str(sfn.describe_execution(executionArn=failed.execution_arn)["status"])

    assert eventually(lambda: status() != "RUNNING")
    assert status() == "SUCCEEDED"
    assert failed.execution_arn
    name = failed.execution_arn.rpartition(":")[2]
    assert len([path for path in cloud.outbox.glob("*.eml") if name in path.read_text()]) == 1


def test_what_eventbridge_delivers_twice_comes_twice(cloud: LocalCloud) -> None:
    events = cloud.account.client("events")
    url, arn = queue(cloud.account, "events-twice")
    events.put_rule(Name="twice", EventPattern=json.dumps({"source": ["test"]}))
    events.put_targets(Rule="twice", Targets=[{"Id": "queue", "Arn": arn}])
    with delivering_twice(cloud):
        events.put_events(Entries=[{"Source": "test", "DetailType": "test", "Detail": '{"number": 1}'}])
        found = gathered(lambda: bodies(cloud.account, url), lambda found: len(found) == 2)
    assert [json.loads(body)["detail"] for body in found] == [{"number": 1}] * 2
    events.remove_targets(Rule="twice", Ids=["queue"])
    events.delete_rule(Name="twice")


def test_a_rule_for_an_address_takes_it_with_a_label(cloud: LocalCloud) -> None:
    with smtplib.SMTP("127.0.0.1", cloud.smtp_port) as smtp:
        smtp.ehlo()
        smtp.mail("a@b.example")
        assert smtp.rcpt("orders+july@mailstep.example")[0] == 250
        assert smtp.rcpt("july+orders@mailstep.example")[0] == 550
