"""Stored messages without an execution: which the doctor counts, and which `mailstep replay --stored` starts."""

from datetime import UTC, datetime, timedelta

import boto3
import pytest

from mailstep.contracts import StoredEmail
from mailstep.start.identity import SETUP_NOTIFICATION, stored_email
from mailstep_cli import stored_mail
from mailstep_cli.home_stack import HomeStack
from tests.support.events import BUCKET, REGION

pytestmark = pytest.mark.usefixtures("account")
NOW = datetime.now(UTC)


def put(*keys: str) -> None:
    for key in keys:
        boto3.client("s3", region_name=REGION).put_object(Bucket=BUCKET, Key=key, Body=b"Subject: x\n\n")


def waiting(route: str) -> set[str]:
    return {email.key for email in stored_mail.unprocessed(boto3.client("s3", region_name=REGION), BUCKET, route)}


def identity(key: str) -> str:
    email = stored_email(BUCKET, key)
    assert email
    return email.email_id


def test_only_names_that_have_messages_are_found() -> None:
    put("inbound/returns/1", f"inbound/fresh/{SETUP_NOTIFICATION}", "inbound/stray", "elsewhere/returns/1")
    found = stored_mail.routes_with_mail(boto3.client("s3", region_name=REGION), BUCKET)
    assert found == ["orders", "returns"]


def test_what_was_neither_parsed_nor_quarantined_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_mail, "SETTLED", timedelta(seconds=-5))
    parsed, quarantined, lost = (f"inbound/returns/{name}" for name in ("parsed", "quarantined", "lost"))
    put(parsed, quarantined, lost, f"inbound/returns/{SETUP_NOTIFICATION}")
    put(f"parsed/{identity(parsed)}/message.json", f"quarantine/{identity(quarantined)}")
    assert waiting("returns") == {lost}


@pytest.mark.parametrize("age", [timedelta(minutes=30), timedelta(days=15)])
def test_what_may_be_running_or_was_parsed_long_ago_is_not_counted(
    monkeypatch: pytest.MonkeyPatch, age: timedelta
) -> None:
    email = StoredEmail(email_id="1", route="returns", bucket=BUCKET, key="inbound/returns/1", stored=NOW - age)
    monkeypatch.setattr(stored_mail, "stored", lambda *_args, **_named: iter([email]))
    assert waiting("returns") == set()


def test_each_stored_message_of_the_route_is_started_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under the name that StartFunction gives it; a message that Step Functions may have forgotten is left out."""
    sfn = boto3.client("stepfunctions", region_name=REGION)
    machine = sfn.create_state_machine(name="e", definition="{}", roleArn="arn:aws:iam::123456789012:role/x")
    home = HomeStack("mailstep", {"MailBucketName": BUCKET}, {"EmailWorkflowAliaslive": machine["stateMachineArn"]})
    put("inbound/returns/1", "inbound/returns/2", f"inbound/returns/{SETUP_NOTIFICATION}")
    assert stored_mail.start_stored(home, "returns") == stored_mail.Started(started=2)
    started = sfn.list_executions(stateMachineArn=machine["stateMachineArn"])["executions"]
    assert {execution["name"] for execution in started} == {identity(f"inbound/returns/{name}") for name in "12"}
    monkeypatch.setattr(stored_mail, "REMEMBERED", timedelta(seconds=-5))
    assert stored_mail.start_stored(home, "returns") == stored_mail.Started(too_old=2)


def test_an_older_version_of_an_object_is_not_another_message() -> None:
    s3 = boto3.client("s3", region_name=REGION)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    put("inbound/returns/1", "inbound/returns/1", "inbound/returns/deleted")
    s3.delete_object(Bucket=BUCKET, Key="inbound/returns/deleted")
    [email] = stored_mail.stored(s3, BUCKET, "returns")
    assert (email.key, email.route) == ("inbound/returns/1", "returns")
    assert email.version_id
    assert email.stored
