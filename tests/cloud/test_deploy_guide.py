"""docs/deploy.md, done: its commands, taken from the page, in an account where nothing is, until a message is answered.

Only what cannot be run here is left out, each with its reason; confirmations are answered with yes.
"""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mailstep_local import cloud, deployment
from mailstep_local.account import Account
from tests.support.project import PROJECT

pytestmark = pytest.mark.xdist_group("deployments")

LEFT_OUT = {
    "make check": "CI runs it by itself, once",
    "git pull": "a new commit is not what is tested",
}
NEW_ACCOUNT = 10
"""Concurrent Lambda environments of a new account, at the least."""


def commands(page: str) -> dict[str, list[str]]:
    """The commands of a page's console blocks, in order, by the heading that they are under."""
    found: dict[str, list[str]] = {}
    for section in re.split(r"^## ", page, flags=re.MULTILINE)[1:]:
        blocks = re.findall(r"^( *)```console\n(.*?)^ *```$", section, flags=re.MULTILINE | re.DOTALL)
        text = "".join(re.sub(rf"^{indent}", "", block, flags=re.MULTILINE) for indent, block in blocks)
        said = re.findall(r"^\$ ((?:.*\\\n)*.*)$", text, flags=re.MULTILINE)
        found[section.partition("\n")[0]] = said
    return found


GUIDE = commands((PROJECT / "docs" / "deploy.md").read_text())


@dataclass
class Shell:
    """A user's shell with credentials of an account: what one command exports, those after it see."""

    account: Account
    bin: Path
    exports: list[str] = field(default_factory=list)

    def run(self, command: str) -> str:
        """Run one command exactly as on the page; return its output."""
        if command in LEFT_OUT:
            return ""
        if command.startswith("export "):
            self.exports.append(command)
        # The page's own Region counts, not one that is set already; the aws of uv is found first.
        environment = self.account.environment()
        del environment["AWS_REGION"], environment["AWS_DEFAULT_REGION"]
        environment["PATH"] = f"{self.bin}{os.pathsep}{environment['PATH']}"
        script = "\n".join(["set -eu", *self.exports, command])
        ended = subprocess.run(
            ["bash", "-c", script],
            cwd=PROJECT, env=environment, input="y\n" * 5, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert ended.returncode == 0, f"{command}\n{ended.stdout[-2000:]}\n{ended.stderr[-2000:]}"
        return ended.stdout

    def refused(self, command: str) -> str:
        """Run one command that must fail; return what it complains of."""
        with pytest.raises(AssertionError) as failed:
            self.run(command)
        return str(failed.value)

    def read(self, heading: str) -> str:
        """Do what stands under a heading of the guide."""
        return "".join(self.run(command) for command in GUIDE[heading])


def aws_cli(directory: Path) -> Path:
    """A directory with the command `aws` in it."""
    directory.mkdir()
    subprocess.run(["make", "--silent", ".tools/awscli/ready"], cwd=PROJECT, check=True, timeout=240)
    (directory / "aws").symlink_to(PROJECT / ".tools" / "awscli" / "bin" / "aws")
    return directory


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """A shell of somebody who has an empty account, in which SES receives in the Region that the page names."""
    [region] = re.findall(r"RECEIVING_REGION=(\S+)", "\n".join(GUIDE["1. Set the names"]))
    monkeypatch.setattr(cloud, "_CONCURRENCY", NEW_ACCOUNT)
    monkeypatch.setenv("MAILSTEP_LOCAL_CONCURRENCY", str(NEW_ACCOUNT))
    with cloud.empty_account(tmp_path / "run", region=region) as (account, _), deployment.build_directory():
        yield Shell(account, aws_cli(tmp_path / "bin"))


def test_readme_and_make_deploy_by_the_guides_commands() -> None:
    guide = GUIDE["2. Deploy both stacks"]
    readme = commands((PROJECT / "README.md").read_text())["Deploy it"]
    assert readme == guide
    told = subprocess.run(["make", "-n", "deploy"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    assert [line for line in told.splitlines() if line.startswith("sam ")] == guide[1:]


@pytest.mark.timeout(600)
def test_the_guide_leads_from_deployment_to_a_reply_and_to_removal_without_losing_mail(shell: Shell) -> None:
    limits = json.loads(shell.read("1. Set the names"))
    assert limits["ConcurrentExecutions"] == limits["UnreservedConcurrentExecutions"] == NEW_ACCOUNT
    assert "'Staging-2' cannot name the home stack" in shell.refused("mailstep routes --names --stack Staging-2")
    shell.read("2. Deploy both stacks")
    home, ses = shell.account.seen_from("ap-southeast-1"), shell.account
    assert home.client("lambda").get_account_settings()["AccountLimit"] == limits, "the defaults reserve nothing"

    records = shell.read("3. DNS").splitlines()
    assert "mail.example.com. MX 10 inbound-smtp.us-west-2.amazonaws.com." in records
    assert sum("._domainkey.mail.example.com. CNAME " in record for record in records) == 6, "three in each Region"
    assert len(records) == 9

    checked = shell.read("5. Check that it works")
    assert re.search(r"✓ test message\s.*replied in", checked), checked
    assert "✗" not in checked

    outputs = deployment.outputs(home, "mailstep")
    workflow = outputs["StateMachineArn"]
    assert _live(home, workflow) == f"{workflow}:1"
    shell.read("Upgrade")
    assert _live(home, workflow) == f"{workflow}:1", "the same definition is the same version"
    shell.run("sam deploy --no-confirm-changeset --parameter-overrides OutageFirstWaitSeconds=30 CanaryMinutes=10")
    assert _live(home, workflow) == f"{workflow}:2"

    second = "Domain=second.example CreateIdentity=true ActiveRuleSet=mailstep-receiving"
    longest = "r" * 40
    shell.run(
        "sam deploy --config-env receiving --stack-name staging-receiving --region $RECEIVING_REGION "
        f"--no-confirm-changeset --parameter-overrides {second} Routes={longest}"
    )
    rules = ses.client("ses").describe_active_receipt_rule_set()["Rules"]
    assert f"staging-receiving-in-{longest}" in {rule["Name"] for rule in rules}
    shell.run("sam delete --no-prompts --stack-name staging-receiving --region $RECEIVING_REGION")

    shell.read("Uninstall, without losing mail")
    assert "Metadata" not in ses.client("ses").describe_active_receipt_rule_set()
    assert _stacks(home) | _stacks(ses) <= {"aws-sam-cli-managed-default"}
    kept = home.client("s3").list_objects_v2(Bucket=outputs["MailBucketName"], Prefix="inbound/orders/")
    assert kept["KeyCount"] > 0, "the bucket and its mail stay"


def _live(home: Account, workflow: str) -> str:
    """The version that the alias `live` leads to."""
    alias = home.client("stepfunctions").describe_state_machine_alias(stateMachineAliasArn=f"{workflow}:live")
    [routed] = alias["routingConfiguration"]
    return str(routed["stateMachineVersionArn"])


def _stacks(account: Account) -> set[str]:
    found = account.client("cloudformation").list_stacks()["StackSummaries"]
    return {stack["StackName"] for stack in found if stack["StackStatus"] != "DELETE_COMPLETE"}
