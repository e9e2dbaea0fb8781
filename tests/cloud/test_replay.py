"""`mailstep replay`: a message processed again from its object, and answered again only when asked to."""

import json
import re

from mailstep.start.identity import stored_email
from mailstep_local.cloud import LocalCloud
from tests.support.cloud import Application, Desk, eventually, execution_arn, failed_order, not_polled, outbox_about
from tests.support.events import stored_order
from tests.support.project import CASES, run


def replayed(cloud: LocalCloud, *arguments: str) -> dict[str, str]:
    """The outcome of a replay as the command was typed."""
    told = run("replay", *arguments, **cloud.account.variables())
    assert told.returncode == 0, told.stderr
    name = re.search(r"mailstep history (\S+)", told.stdout)
    assert name
    sfn = cloud.account.client("stepfunctions")
    arn = execution_arn(cloud, name[1])
    assert eventually(lambda: sfn.describe_execution(executionArn=arn)["status"] != "RUNNING")
    ended = sfn.describe_execution(executionArn=arn)
    return {"name": name[1], "status": ended["status"], "output": ended.get("output", "")}


def test_a_failed_message_is_processed_again_and_answered_once_unless_asked(
    cloud: LocalCloud, desk: Desk, application: Application
) -> None:
    failed = failed_order(desk, application)
    assert failed.execution_arn
    name = failed.execution_arn.rpartition(":")[2]
    application.says((200, b'{"text": "Done."}'))
    first = replayed(cloud, name)
    assert (first["name"], first["status"]) == (f"{name}-r2", "SUCCEEDED")
    assert '"replied"' in first["output"]
    answers = len(outbox_about(cloud, "Done."))
    again = replayed(cloud, failed.execution_arn)
    assert again["name"] == f"{name}-r3"
    assert again["output"] == first["output"]
    assert len(outbox_about(cloud, "Done.")) == answers
    shown = run("history", again["name"], **cloud.account.variables()).stdout
    assert "had been sent before" in " ".join(shown.split())
    asked = replayed(cloud, f"{name}-r3", "--reply-again")
    assert (asked["name"], asked["status"]) == (f"{name}-r4", "SUCCEEDED")
    assert len(outbox_about(cloud, "Done.")) == answers + 1
    assert len({request["headers"]["Idempotency-Key"] for request in application.requests}) == 3
    told = run("history", name[:40], **cloud.account.variables())
    assert told.stdout.startswith(f"{name}\n"), "how all four begin means the first"


def test_an_operator_overrides_a_rule_for_one_message_and_is_on_record(cloud: LocalCloud, desk: Desk) -> None:
    [withheld] = desk.send("google-group.eml", route="feedback", directory=CASES / "senders")
    assert (withheld.outcome, withheld.withheld, withheld.reply) == ("processed", "automatic_mail", None)
    assert withheld.execution_arn
    name = withheld.execution_arn.rpartition(":")[2]
    assert '"withheld": "automatic_mail"' in replayed(cloud, name)["output"]
    again = replayed(cloud, name, "--override", "automatic_mail")
    assert '"outcome": "replied"' in again["output"]
    assert len(outbox_about(cloud, name)) == 1
    operator = cloud.account.client("sts").get_caller_identity()["Arn"]
    shown = " ".join(run("history", again["name"], **cloud.account.variables()).stdout.split())
    assert f"automatic_mail was overridden by {operator}" in shown
    refused = run("replay", name, "--override", "no_sender", **cloud.account.variables())
    assert refused.returncode == 2
    assert "cannot be overridden" in refused.stderr


def test_mail_of_a_route_that_came_back_is_found_and_processed_once(cloud: LocalCloud, desk: Desk) -> None:
    """The mail of a route that was taken away is stored. The doctor names the command that processes it."""
    s3, bucket = cloud.account.client("s3"), cloud.outputs["MailBucketName"]
    desk.forget_deliveries()
    with not_polled(cloud):
        s3.put_object(Bucket=bucket, Key="inbound/returns/1", Body=stored_order())
        try:
            told = run("doctor", "--json", **cloud.account.variables())
        finally:
            s3.delete_object(Bucket=bucket, Key="inbound/returns/1")
        [found] = [check for check in json.loads(told.stdout) if check["name"] == "stored mail"]
        assert found["state"] == "warning"
        assert "inbound/returns/" in found["detail"]
        assert "mailstep replay --stored returns --stack mailstep" in found["remedy"]

        # As it is once the route is back: stored mail, and no event for it.
        s3.put_object(Bucket=bucket, Key="inbound/feedback/came-back", Body=stored_order())
        first = run("replay", "--stored", "feedback", **cloud.account.variables())
        assert re.match(r"Started: [1-9]\d* executions?\. ", first.stdout), first.stderr
        email = stored_email(bucket, "inbound/feedback/came-back")
        assert email
        # A running execution that began within the last seconds counts as started.
        assert eventually(lambda: desk.executions(email.email_id, "SUCCEEDED"))
        again = run("replay", "--stored", "feedback", **cloud.account.variables())
        assert again.stdout.startswith("Started: 0 executions. "), again.stderr


def test_a_replay_needs_either_executions_or_a_route(cloud: LocalCloud) -> None:
    for arguments in ((), ("some-execution", "--stored", "orders")):
        told = run("replay", *arguments, **cloud.account.variables())
        assert (told.returncode, told.stdout) == (2, "")
        assert "name executions to replay, or a route with --stored" in told.stderr


def test_replaying_an_unknown_execution_is_one_line_of_error(cloud: LocalCloud) -> None:
    told = run("replay", "no-such-execution", **cloud.account.variables())
    assert told.returncode == 2
    assert "no email of 'mailstep' has the name 'no-such-execution'" in told.stderr
    assert "Traceback" not in told.stderr
