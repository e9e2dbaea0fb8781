"""The samples in events/: each function answers its own with what the workflow expects."""

import json
from functools import partial

import pytest

from mailstep.aws.ledger import suppression_id
from mailstep.contracts import StoredEmail
from mailstep.start.identity import stored_email
from mailstep_local.cloud import LocalCloud
from mailstep_local.deployment import RECEIVING_STACK
from tests.support.cloud import Desk, eventually, physical_id
from tests.support.custom_resources import CloudFormation
from tests.support.events import event
from tests.support.project import EVENTS


@pytest.fixture(scope="module", autouse=True)
def _stored(cloud: LocalCloud, desk: Desk) -> None:
    """The object that the samples speak of."""
    sample = StoredEmail.model_validate(event("parse"))
    assert sample.bucket == cloud.outputs["MailBucketName"]
    desk.store(sample, (EVENTS / "stored-order.eml").read_bytes())


def test_each_step_answers_what_the_next_one_takes(desk: Desk) -> None:
    assert desk.invoke("ParseFunction", event("parse")) == (None, event("validate")["claim"])
    assert desk.invoke("ValidateFunction", event("validate")) == (None, event("process")["claim"])
    assert desk.invoke("ProcessFunction", event("process")) == (None, {"answer_key": event("reply")["answer_key"]})
    error, replied = desk.invoke("ReplyFunction", event("reply"))
    assert error is None
    assert (desk.cloud.outbox / f"{replied['ses_message_id']}.eml").exists()


def test_the_starter_takes_the_event_as_aws_sends_it(desk: Desk) -> None:
    assert desk.invoke("StartFunction", event("start")) == (None, {"batchItemFailures": []})
    [record] = json.loads(event("start")["Records"][0]["body"])["Records"]
    told = record["s3"]["object"]
    email = stored_email(record["s3"]["bucket"]["name"], told["key"])
    assert email
    assert eventually(lambda: desk.executions(email.email_id)) == [email.email_id]


def test_a_bounce_suppresses_the_address(desk: Desk) -> None:
    assert desk.invoke("FeedbackFunction", event("feedback")) == (None, None)
    message = json.loads(event("feedback")["Records"][0]["Sns"]["Message"])
    [gone] = message["bounce"]["bouncedRecipients"]
    ledger = desk.cloud.account.client("dynamodb")
    key = {"id": {"S": suppression_id(gone["emailAddress"])}}
    assert "Item" in ledger.get_item(TableName=desk.cloud.outputs["LedgerTableName"], Key=key)
    ledger.delete_item(TableName=desk.cloud.outputs["LedgerTableName"], Key=key)


def test_the_index_takes_a_status_event_as_aws_sends_it(desk: Desk) -> None:
    assert desk.invoke("IndexFunction", event("index")) == (None, {"batchItemFailures": []})
    error, swept = desk.invoke("SweepFunction", event("sweep"))
    assert error is None, swept
    assert swept.keys() == {"compared", "filled", "complete"}


def test_ses_says_that_it_has_checked_the_topic(desk: Desk) -> None:
    assert desk.invoke("FeedbackFunction", event("feedback-notice")) == (None, None)


def test_cloudformation_is_told_that_the_rule_set_is_active(cloud: LocalCloud) -> None:
    client, name = cloud.account.client("lambda"), physical_id(cloud, "ActivateFunction")
    activate = partial(client.invoke, FunctionName=name)
    with CloudFormation(
        own=RECEIVING_STACK, call=lambda sample: activate(Payload=json.dumps(sample))
    ) as cloudformation:
        answer = cloudformation.answer_to(event("activate"))
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", RECEIVING_STACK)


def test_sam_local_gives_the_functions_what_the_account_would(cloud: LocalCloud) -> None:
    given = event("env")["Parameters"]
    local = given.pop("AWS_ENDPOINT_URL")
    client = cloud.account.client("lambda")
    deployed: dict[str, str] = {}
    for name in cloud.functions.values():
        deployed |= client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    assert given == {name: deployed[name].replace(cloud.account.endpoint, local) for name in given}
    named = {
        name for name, value in deployed.items() if "mailstep-" in value and not value.startswith("arn:aws:secret")
    }
    assert named <= set(given), "sam local does not look up a resource's name"
