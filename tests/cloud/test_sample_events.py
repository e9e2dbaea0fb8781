"""The samples in events/: each function answers its own with what the workflow expects."""

import json
from typing import Any

import pytest

from localcloud.cloud import LocalCloud
from mailstep.contracts import StoredEmail
from tests.cloud.conftest import Desk, eventually
from tests.conftest import EMAILS, EVENTS


def event(name: str) -> Any:
    return json.loads((EVENTS / f"{name}.json").read_text())


@pytest.fixture(scope="module", autouse=True)
def _stored(cloud: LocalCloud, desk: Desk) -> None:
    """The object that the samples speak of."""
    sample = StoredEmail.model_validate(event("parse"))
    assert sample.bucket == cloud.outputs["MailBucketName"]
    desk.store(sample, (EMAILS / "order.eml").read_bytes())


def test_each_step_answers_what_the_next_one_takes(desk: Desk) -> None:
    assert desk.invoke("ParseFunction", event("parse")) == (None, event("validate"))
    assert desk.invoke("ValidateFunction", event("validate")) == (None, event("process")["claim"])
    assert desk.invoke("ProcessFunction", event("process")) == (None, {"digest_key": event("reply")["digest_key"]})
    error, replied = desk.invoke("ReplyFunction", event("reply"))
    assert error is None
    assert (desk.cloud.outbox / f"{replied['ses_message_id']}.eml").exists()


def test_the_starter_takes_the_event_as_aws_sends_it(desk: Desk) -> None:
    assert desk.invoke("StartFunction", event("start")) == (None, {"batchItemFailures": []})
    assert eventually(lambda: desk.executions("sample-order"))
