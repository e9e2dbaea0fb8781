"""The samples in events/: each function answers its own with what the workflow expects."""

import json
from typing import Any

import pytest

from localcloud.cloud import LocalCloud
from mailstep.contracts import StoredEmail
from mailstep.identity import stored_email
from tests.cloud.conftest import Desk, eventually
from tests.conftest import EVENTS


def event(name: str) -> Any:
    return json.loads((EVENTS / f"{name}.json").read_text())


@pytest.fixture(scope="module", autouse=True)
def _stored(cloud: LocalCloud, desk: Desk) -> None:
    """The object that the samples speak of."""
    sample = StoredEmail.model_validate(event("parse"))
    assert sample.bucket == cloud.outputs["MailBucketName"]
    desk.store(sample, (EVENTS / "stored-order.eml").read_bytes())


def test_each_step_answers_what_the_next_one_takes(desk: Desk) -> None:
    assert desk.invoke("ParseFunction", event("parse")) == (None, event("validate"))
    assert desk.invoke("ValidateFunction", event("validate")) == (None, event("process")["claim"])
    assert desk.invoke("ProcessFunction", event("process")) == (None, {"digest_key": event("reply")["digest_key"]})
    error, replied = desk.invoke("ReplyFunction", event("reply"))
    assert error is None
    assert (desk.cloud.outbox / f"{replied['ses_message_id']}.eml").exists()


def test_the_starter_takes_the_event_as_aws_sends_it(desk: Desk) -> None:
    assert desk.invoke("StartFunction", event("start")) == (None, {"batchItemFailures": []})
    [record] = json.loads(event("start")["Records"][0]["body"])["Records"]
    told = record["s3"]["object"]
    email = stored_email(record["s3"]["bucket"]["name"], told["key"], told["versionId"])
    assert email
    assert eventually(lambda: desk.executions(email.id)) == [email.id]
