"""`mailstep replay`: a message processed again from its object, and answered again only when asked to."""

import re

from mailstep_local.cloud import LocalCloud
from tests.support.cloud import Application, Desk, eventually, execution_arn, failed_order, outbox_about
from tests.support.project import run


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


def test_replaying_an_unknown_execution_is_one_line_of_error(cloud: LocalCloud) -> None:
    told = run("replay", "no-such-execution", **cloud.account.variables())
    assert told.returncode == 2
    assert "0 executions" in told.stderr
    assert "Traceback" not in told.stderr
