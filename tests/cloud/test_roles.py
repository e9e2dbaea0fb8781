"""Least privilege, proven by taking away: with any one permission less, the function is denied there and only there."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from mailstep.contracts import StoredEmail
from mailstep.start.identity import stored_email
from mailstep_cli import history
from mailstep_local.cloud import LocalCloud
from tests.support.cloud import (
    Application,
    Desk,
    eventually,
    execution_arn,
    function_configuration,
    hurried,
    role_without,
)
from tests.support.events import s3_event, stored_order
from tests.support.index import ended_as, status_event
from tests.support.permissions import (
    CLEARING,
    INDEXING,
    LOOKING,
    PERMISSIONS,
    SECRET,
    STARTING,
    SWEEPING,
    WORKFLOW,
)
from tests.support.project import EVENTS

EXECUTIONS = "arn:aws:states:us-east-1:000000000000:execution:mailstep-email"


@pytest.fixture(scope="module")
def email(cloud: LocalCloud, desk: Desk) -> StoredEmail:
    """A stored message; an execution of its own comes and goes beside what is tried with it."""
    made = stored_email(cloud.outputs["MailBucketName"], "inbound/orders/for-roles", None)
    assert made
    return desk.store(made, stored_order())


@pytest.fixture(scope="module")
def events(desk: Desk, email: StoredEmail) -> dict[str, Any]:
    """Each function's input, made by the functions before it."""
    error, claim = desk.invoke("ParseFunction", email.model_dump())
    assert error is None, claim
    validate = {"claim": claim, "execution_arn": f"{EXECUTIONS}:roles"}
    error, valid = desk.invoke("ValidateFunction", validate)
    assert error is None, valid
    request = {"claim": valid, "idempotency_key": "roles"}
    error, processed = desk.invoke("ProcessFunction", request)
    assert error is None, processed
    return {
        "StartFunction": {"Records": [sqs_record(s3_event(email))]},
        "ParseFunction": email.model_dump(),
        "ValidateFunction": validate,
        "ProcessFunction": request,
        "ReplyFunction": {"execution_name": "roles", "claim": claim, "kind": "answer", **processed},
        "FeedbackFunction": json.loads((EVENTS / "feedback.json").read_text()),
        "IndexFunction": {"Records": [sqs_record(json.dumps(status_event(email, output=ended_as("replied"))))]},
        "SweepFunction": {"hours": 1},
    }


def sqs_record(body: str) -> dict[str, Any]:
    return {
        "messageId": "1",
        "receiptHandle": "1",
        "body": body,
        "attributes": {},
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:mailstep-inbound",
        "awsRegion": "us-east-1",
    }


@contextmanager
def without(cloud: LocalCloud, logical_id: str, action: str) -> Iterator[None]:
    """The function's role with one action taken out of its policy."""
    role = cloud.account.client("lambda").get_function_configuration(FunctionName=cloud.functions[logical_id])["Role"]
    with role_without(cloud, role.rpartition("/")[2], action):
        yield


def another_reply(request: dict[str, Any], execution: str) -> dict[str, Any]:
    """The same reply, as a replay would send it again."""
    claim = request["claim"]
    return request | {"execution_name": execution, "claim": claim | {"email": claim["email"] | {"reply_again": True}}}


@pytest.mark.parametrize(("function", "action"), PERMISSIONS)
def test_a_function_without_one_permission_is_denied_that(
    cloud: LocalCloud, desk: Desk, events: dict[str, Any], function: str, action: str
) -> None:
    event = events[function]
    if function == "ReplyFunction":
        event = another_reply(event, f"without {action}")
    if function == "ReplyFunction" and action == "dynamodb:GetItem":
        event = event | {"kind": "completion", "answer_key": None}
    if action == "s3:GetObject" and function == "ParseFunction":
        event = event | {"version_id": None}
    with without(cloud, function, action):
        error, answer = desk.invoke(function, event)
    assert error, answer
    assert f"not authorized to perform: {action}" in json.dumps(answer)


def test_a_reply_that_failed_and_may_not_clear_its_record_says_so(
    cloud: LocalCloud, desk: Desk, events: dict[str, Any]
) -> None:
    unverified = function_configuration(cloud, "ReplyFunction", variables={"DOMAIN": "unverified.example"})
    with unverified, without(cloud, *CLEARING):
        error, answer = desk.invoke("ReplyFunction", another_reply(events["ReplyFunction"], "cannot clear"))
    assert error
    assert "not authorized to perform: dynamodb:DeleteItem" in json.dumps(answer)


def test_a_message_that_came_twice_is_not_judged_without_the_state_of_its_first_execution(
    cloud: LocalCloud, desk: Desk, events: dict[str, Any]
) -> None:
    second = stored_email(cloud.outputs["MailBucketName"], "inbound/orders/for-roles-again")
    assert second
    raw = cloud.account.client("s3").get_object(
        Bucket=second.bucket, Key=events["ValidateFunction"]["claim"]["email"]["key"]
    )["Body"].read()  # fmt: skip
    error, claim = desk.invoke("ParseFunction", desk.store(second, raw).model_dump())
    assert error is None, claim
    error, answer = desk.invoke("ValidateFunction", events["ValidateFunction"])
    assert error is None, answer
    with without(cloud, *LOOKING):
        error, answer = desk.invoke("ValidateFunction", {"claim": claim, "execution_arn": f"{EXECUTIONS}:second"})
    assert error
    assert "not authorized to perform: states:DescribeExecution" in json.dumps(answer)


def test_an_application_whose_secret_may_not_be_read_is_not_asked(
    cloud: LocalCloud, desk: Desk, application: Application, secret: str, events: dict[str, Any]
) -> None:
    variables = {
        "APPLICATION_AUTH": "standard_webhooks",
        "APPLICATION_SECRET_ARN": secret,
        "APPLICATION_URL": application.url,
    }
    claim = events["ProcessFunction"]["claim"]
    to_application = claim | {"email": claim["email"] | {"route": "application"}}
    request = events["ProcessFunction"] | {"claim": to_application}
    application.says((200, b'{"text": "Done."}'))
    with function_configuration(cloud, "ProcessFunction", variables=variables), without(cloud, *SECRET):
        error, answer = desk.invoke("ProcessFunction", request)
    assert error
    assert "not authorized to perform: secretsmanager:GetSecretValue" in json.dumps(answer)
    assert application.requests == []


def test_a_starter_that_may_not_start_gives_its_record_back(
    cloud: LocalCloud, desk: Desk, events: dict[str, Any]
) -> None:
    with without(cloud, *STARTING):
        error, answer = desk.invoke("StartFunction", events["StartFunction"])
    assert error is None
    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}


@pytest.mark.parametrize(("function", "action"), INDEXING)
def test_an_index_that_may_not_read_or_write_gives_its_record_back(
    cloud: LocalCloud, desk: Desk, events: dict[str, Any], function: str, action: str
) -> None:
    # Another execution, so that there is something to write.
    [record] = events[function]["Records"]
    event = json.loads(record["body"])
    event["detail"]["executionArn"] += f"-r-{action[-7:]}"
    with without(cloud, function, action):
        error, answer = desk.invoke(function, {"Records": [record | {"body": json.dumps(event)}]})
    assert error is None
    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}


@pytest.mark.parametrize(("function", "action"), SWEEPING)
def test_a_sweep_without_one_permission_is_denied_that(
    cloud: LocalCloud, desk: Desk, events: dict[str, Any], email: StoredEmail, function: str, action: str
) -> None:
    cloud.account.client("dynamodb").delete_item(
        TableName=cloud.outputs["MessageIndexName"], Key={"email_id": {"S": email.email_id}}
    )
    with without(cloud, function, action):
        error, answer = desk.invoke(function, events[function] | {"settled_minutes": 0})
    assert error
    assert f"not authorized to perform: {action}" in json.dumps(answer)


def test_with_all_permissions_every_function_succeeds(desk: Desk, events: dict[str, Any]) -> None:
    for function, event in events.items():
        error, answer = desk.invoke(function, event)
        assert error is None, (function, answer)


def _has_ended(desk: Desk, name: str) -> bool:
    return bool(desk.executions(name)) and not desk.executions(name, "RUNNING")


@pytest.mark.parametrize(("action", "route", "raw", "state"), WORKFLOW)
def test_a_workflow_without_one_permission_is_denied_that(
    cloud: LocalCloud, desk: Desk, action: str, route: str, raw: bytes, state: str
) -> None:
    bucket = cloud.outputs["MailBucketName"]
    email = stored_email(bucket, f"inbound/{route}/without-{action.partition(':')[2]}")
    assert email
    sfn = cloud.account.client("stepfunctions")
    role = sfn.describe_state_machine(stateMachineArn=cloud.outputs["StateMachineArn"])["roleArn"].rpartition("/")[2]
    desk.forget_deliveries()
    with role_without(cloud, role, action), hurried(cloud, 0.001):
        if raw:
            cloud.account.client("s3").put_object(Bucket=bucket, Key=email.key, Body=raw)
        if action == "s3:GetObject":
            # An event names a version; where an execution names none, the object of now is read.
            assert eventually(partial(_has_ended, desk, email.email_id))
            email = email.model_copy(update={"email_id": f"{email.email_id[:60]}-by-hand"})
        # The operators are alerted to a message of which nothing is known, because it is not there.
        if action == "s3:GetObject" or not raw:
            sfn.start_execution(
                stateMachineArn=cloud.outputs["StateMachineArn"], name=email.email_id, input=email.model_dump_json()
            )
        assert eventually(partial(_has_ended, desk, email.email_id))
    arn = execution_arn(cloud, email.email_id)
    denied = next(visited for visited in history.fetch(sfn, arn).states if visited.name == state)
    assert denied.error == "States.Permissions"
    assert f"not authorized to perform: {action} on" in str(denied.attempts[-1].cause)
