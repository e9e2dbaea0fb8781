"""The command as a user runs it: demo, up and history, side by side, and nothing left running afterwards."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import boto3
import pytest

from mailstep import reference
from mailstep_local.account import Account
from mailstep_local.cloud import LocalCloud
from tests.support.cloud import Desk, eventually
from tests.support.project import EMAILS, MAILSTEP, PROJECT, run

pytestmark = pytest.mark.xdist_group("deployments")


@contextmanager
def up(directory: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    process = subprocess.Popen(
        [MAILSTEP, "up", "--json", "--directory", str(directory), "--allow-host", "docker.example"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        yield process, json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


def running_from(directory: Path) -> list[str]:
    """Command lines of the processes that belong to a run."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            environment = (process / "environ").read_bytes().decode(errors="replace")
            if str(directory) in line or str(directory) in environment:
                found.append(line)
    return found


def test_demo_prints_one_object_a_message_and_exits_with_0(tmp_path: Path) -> None:
    ended = run(
        "demo", "--json", "--directory", str(tmp_path / "run"), str(EMAILS / "order.eml"), str(EMAILS / "bounce.eml")
    )
    assert ended.returncode == 0, ended.stderr
    order, bounce = json.loads(ended.stdout)
    assert (order["status"], order["outcome"], order["error"]) == ("SUCCEEDED", "replied", None)
    assert "6 rows, 5 columns" in Path(order["reply"]).read_text()
    tasks = {"ParseEmail", "ValidateEmail", "ProcessEmail", "SendReply"}
    assert [state["name"] for state in order["states"] if state["name"] in tasks] == [
        "ParseEmail",
        "ValidateEmail",
        "ProcessEmail",
        "SendReply",
    ]
    assert all(state["attempts"] == 1 for state in order["states"])
    assert all(state["duration_ms"] > 0 for state in order["states"] if state["name"] in tasks)
    assert (bounce["outcome"], bounce["error"], bounce["reply"]) == ("silent", "RefusedEmail", None)
    assert running_from(tmp_path / "run") == []


def test_two_clouds_side_by_side_do_not_touch_each_other_and_sam_updates_one(
    cloud: LocalCloud, desk: Desk, tmp_path: Path
) -> None:
    directory = tmp_path / "run"
    with up(directory) as (process, places):
        assert places["aws"] != cloud.account.endpoint
        assert set(places) >= {
            "aws", "smtp", "bucket", "topic_arn", "queue_url", "dlq_url", "state_machine_arn", "table", "addresses",
            "outbox", "functions", "pid", "access_key_id", "secret_access_key",
        }  # fmt: skip
        [result] = desk.send("note.eml")
        assert result.outcome == "replied"
        account = Account(places["aws"], places["access_key_id"], places["secret_access_key"])
        other = account.client("stepfunctions")
        assert other.list_executions(stateMachineArn=places["state_machine_arn"])["executions"] == []
        assert list(Path(places["outbox"]).iterdir()) == []

        environment = account.environment()
        sam = Path(sys.executable).with_name("sam")
        deployed = subprocess.run(
            [sam, "deploy", "--config-env", "local", "--parameter-overrides", "StartConcurrency=7"],
            cwd=PROJECT, env=environment, capture_output=True, text=True, check=False, timeout=150,
        )  # fmt: skip
        assert deployed.returncode == 0, deployed.stdout + deployed.stderr
        assert "UPDATE_COMPLETE" in deployed.stdout

        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 143
        assert eventually(lambda: not running_from(directory))
        with pytest.raises(Exception, match="Could not connect"):
            account.client("sts").get_caller_identity()


def test_nothing_is_left_even_where_the_command_is_killed(tmp_path: Path) -> None:
    directory = tmp_path / "run"
    with up(directory) as (process, _):
        assert running_from(directory)
        process.kill()
        assert eventually(lambda: not running_from(directory)), running_from(directory)


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_an_interrupt_while_it_starts_leaves_nothing(tmp_path: Path, sent: signal.Signals, code: int) -> None:
    directory = tmp_path / "run"
    process = subprocess.Popen(
        [MAILSTEP, "demo", "--directory", str(directory)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert eventually(lambda: any("sam" in line for line in running_from(directory)) or emulator_up(directory))
    process.send_signal(sent)
    assert process.wait(timeout=60) == code
    assert eventually(lambda: not running_from(directory)), running_from(directory)


def emulator_up(directory: Path) -> bool:
    return any("mailstep_local.emulator" in line for line in running_from(directory))


def test_history_tells_the_same_story_as_the_demo(cloud: LocalCloud, desk: Desk) -> None:
    [result] = desk.send("out-of-office.eml")
    assert result.execution_arn
    for execution in (result.execution_arn, result.execution_arn.rpartition(":")[2][:30]):
        told = run("history", execution, **cloud.account.variables())
        assert told.returncode == 0, told.stderr
        for word in ("ParseEmail", "ValidateEmail", "RefusedEmail", "ChooseRefusal", "StaySilent", "done in"):
            assert word in told.stdout


def test_history_without_a_name_lists_the_latest_emails(cloud: LocalCloud, desk: Desk) -> None:
    [result] = desk.send("order.eml")
    assert result.execution_arn
    name = reference.short(result.execution_arn.rpartition(":")[2])

    def listed() -> list[str]:
        told = run("history", **cloud.account.variables(), COLUMNS="80")
        assert told.returncode == 0, told.stderr
        header, first, *_ = told.stdout.splitlines()
        assert header.split()[:4] == ["Received", "Outcome", "Reply", "Email"]
        return [first] if name in first and "replied" in first else []

    assert eventually(listed)


def test_history_of_what_is_not_there_is_one_clear_line(cloud: LocalCloud) -> None:
    told = run("history", "no-such-execution", **cloud.account.variables())
    assert told.returncode == 2
    assert told.stderr == (
        "mailstep: no email of 'mailstep' has the name 'no-such-execution'. mailstep list shows the latest ones\n"
    )


def test_the_raw_api_tells_it_too(cloud: LocalCloud, desk: Desk) -> None:
    [result] = desk.send("out-of-office.eml")
    sfn = boto3.client(
        "stepfunctions",
        endpoint_url=cloud.account.endpoint,
        aws_access_key_id=cloud.account.access_key_id,
        aws_secret_access_key=cloud.account.secret_access_key,
        region_name="us-east-1",
    )
    events = sfn.get_execution_history(executionArn=result.execution_arn or "")["events"]
    errors = [e["taskFailedEventDetails"]["error"] for e in events if e["type"] == "TaskFailed"]
    assert errors == ["RefusedEmail"]
