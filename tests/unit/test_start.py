"""The starter against moto: one execution an email, repeats harmless, bad records given back alone."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.stub import Stubber

from mailstep.aws import clients
from mailstep.aws import executions as aws_executions
from mailstep.contracts import StoredEmail
from mailstep.start import notifications as workflow
from mailstep.start.handler import handler
from mailstep.telemetry import logger
from tests.support.events import BUCKET, CONTEXT, REGION, batch, sample
from tests.support.moto_account import moto_account


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("MAIL_BUCKET", BUCKET)
    with moto_account():
        arn: str = boto3.client("stepfunctions", region_name=REGION).create_state_machine(
            name="email", definition="{}", roleArn="arn:aws:iam::123456789012:role/x"
        )["stateMachineArn"]
        monkeypatch.setenv("STATE_MACHINE_ARN", arn)
        monkeypatch.setenv("LATER_ANSWERS_ARN", f"{arn}-later")
        clients.client.cache_clear()
        yield arn
    clients.client.cache_clear()


def executions(arn: str) -> list[Any]:
    return boto3.client("stepfunctions", region_name=REGION).list_executions(stateMachineArn=arn)["executions"]


def test_a_record_starts_an_execution_named_after_its_email_with_canonical_input(machine: str) -> None:
    assert handler(batch(sample()), CONTEXT) == {"batchItemFailures": []}
    [execution] = executions(machine)
    described = boto3.client("stepfunctions", region_name=REGION).describe_execution(
        executionArn=execution["executionArn"]
    )
    email = json.loads(described["input"])
    assert execution["name"] == email["email_id"]
    assert set(email) == {"bucket", "email_id", "route", "key", "version_id", "stored"}
    told = json.loads(sample())["Records"][0]["eventTime"]
    assert datetime.fromisoformat(email["stored"]) == datetime.fromisoformat(told)
    assert described["input"] == json.dumps(email, sort_keys=True, separators=(",", ":"))


@pytest.mark.parametrize(("seconds", "outcome"), [(0.4, "started"), (60, "already there")])
def test_an_execution_that_ran_already_was_not_started(
    machine: str, monkeypatch: pytest.MonkeyPatch, seconds: float, outcome: str
) -> None:
    """The same call is answered with the execution that runs (AWS Step Functions API Reference, StartExecution)."""
    sfn = boto3.client("stepfunctions", region_name=REGION)
    answered = datetime(2026, 11, 26, 12, 0, 1, tzinfo=UTC)
    fields = {"date": format_datetime(answered, usegmt=True)}
    answer = {
        "executionArn": machine.replace(":stateMachine:", ":execution:") + ":one",
        "startDate": answered - timedelta(seconds=seconds),
        "ResponseMetadata": {"HTTPHeaders": fields},
    }
    monkeypatch.setattr(aws_executions, "client", lambda _: sfn)
    email = StoredEmail(email_id="one", route="orders", bucket=BUCKET, key="inbound/orders/1")
    with Stubber(sfn) as stub:
        stub.add_response("start_execution", answer)
        assert aws_executions.start("one", email, machine) == outcome


def test_a_repeated_record_is_success_and_starts_nothing_more(machine: str) -> None:
    assert handler(batch(sample(), sample()), CONTEXT) == {"batchItemFailures": []}
    assert handler(batch(sample()), CONTEXT) == {"batchItemFailures": []}
    assert len(executions(machine)) == 1


def test_only_the_bad_records_of_a_batch_are_given_back(machine: str) -> None:
    answer = handler(batch("not JSON", sample(), '{"Records": [{"no": "s3"}]}', "{}"), CONTEXT)
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == ["0", "2", "3"]
    assert len(executions(machine)) == 1


def test_a_whole_bad_batch_is_given_back_without_failing_the_function() -> None:
    assert handler(batch("not JSON"), CONTEXT) == {"batchItemFailures": [{"itemIdentifier": "0"}]}


def test_the_test_event_of_s3_and_the_setup_notification_of_ses_start_nothing(machine: str) -> None:
    test_event = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"})
    setup = sample().replace("sample-order", "AMAZON_SES_SETUP_NOTIFICATION")
    assert handler(batch(test_event, setup), CONTEXT) == {"batchItemFailures": []}
    assert executions(machine) == []


def test_keys_are_decoded_as_s3_encodes_them() -> None:
    [email] = workflow.objects(json.loads(sample().replace("sample-order", "by+hand%2B%C3%A4")), BUCKET)
    assert isinstance(email, StoredEmail)
    assert email.key == "inbound/orders/by hand+ä"


@pytest.mark.parametrize("nonsense", [None, [], {}, {"Records": None}, {"Records": [1]}, "text"])
def test_a_record_that_is_not_an_s3_event_is_refused(nonsense: object) -> None:
    with pytest.raises(ValueError, match="S3 event"):
        workflow.objects(nonsense, BUCKET)


def test_a_key_that_is_no_route_is_said_and_starts_nothing(machine: str) -> None:
    strays = [sample().replace("inbound/orders/sample-order", key) for key in ("inbound/stray", "inbound/a/b/c")]
    with patch.object(logger, "warning") as said:
        assert handler(batch(*strays), CONTEXT) == {"batchItemFailures": []}
    assert executions(machine) == []
    assert [call.kwargs["extra"]["key"] for call in said.call_args_list] == ["inbound/stray", "inbound/a/b/c"]


@pytest.mark.parametrize(
    ("of_ours", "other"),
    [
        (f'"name": "{BUCKET}"', '"name": "somebody-elses-mail"'),
        ("ObjectCreated:Put", "ObjectRemoved:Delete"),
        ("ObjectCreated:Put", "ObjectTagging:Put"),
        ('"eventName"', '"eventNames"'),
    ],
)
def test_only_an_object_created_in_the_stacks_own_bucket_starts_an_execution(
    machine: str, of_ours: str, other: str
) -> None:
    """Amazon S3 User Guide, "Event message structure": eventName, s3.bucket.name."""
    told = json.dumps(json.loads(sample()))
    assert of_ours in told
    with patch.object(logger, "warning") as said:
        assert handler(batch(told.replace(of_ours, other), sample()), CONTEXT) == {"batchItemFailures": []}
    assert len(executions(machine)) == 1
    assert len(said.call_args_list) == 1


def test_a_record_that_is_given_back_leaves_a_line() -> None:
    with patch.object(logger, "exception") as said:
        handler(batch("not JSON"), CONTEXT)
    assert said.call_args.kwargs["extra"] == {"sqs_message_id": "0"}


def test_an_event_time_without_a_zone_is_utc(machine: str) -> None:
    event = json.loads(sample())
    event["Records"][0]["eventTime"] = "2026-11-26T09:00:00.000"
    handler(batch(json.dumps(event)), CONTEXT)
    [execution] = executions(machine)
    described = boto3.client("stepfunctions", region_name=REGION).describe_execution(
        executionArn=execution["executionArn"]
    )
    stored = datetime.fromisoformat(json.loads(described["input"])["stored"])
    assert stored == datetime(2026, 11, 26, 9, tzinfo=UTC)


def created(**details: object) -> list[Any]:
    """What the notification has, with these details of its object, or `time` as its eventTime."""
    event = json.loads(sample())
    [record] = event["Records"]
    record["eventTime"] = details.pop("time", record["eventTime"])
    record["s3"]["object"] = {"key": "inbound/orders/sample-order"} | details
    return list(workflow.objects(event, BUCKET))


@pytest.mark.parametrize(("said", "known"), [({"versionId": "3/L4kqtJlcpXroDTDm"}, "3/L4kqtJlcpXroDTDm"), ({}, None)])
def test_the_version_that_ses_wrote_is_the_one_that_is_processed(said: dict[str, str], known: str | None) -> None:
    """Another object under the same key is another email. versionId is absent if the bucket has no versions (S3)."""
    [email] = created(**said)
    assert email.version_id == known


def test_a_time_with_another_zone_is_that_moment() -> None:
    [email] = created(time="2026-11-26T10:00:00+02:00")
    assert email.stored == datetime(2026, 11, 26, 8, tzinfo=UTC)


def test_the_first_answer_and_the_object_that_ses_sets_up_are_no_objects_to_act_on() -> None:
    assert created(key="answers/an-email.json") == []
    assert created(key="inbound/orders/AMAZON_SES_SETUP_NOTIFICATION") == []
    assert created(key="answers/stray/of/another") == ["answers/stray/of/another"]
