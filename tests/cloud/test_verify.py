"""`mailstep verify-aws` against the local account: it passes all that it can, and its stack is gone afterwards."""

import json

from mailstep_cli.verify.experiments import EXPERIMENTS
from mailstep_cli.verify.facts import FACTS
from mailstep_local.cloud import LocalCloud
from tests.support.project import run


def test_the_local_account_passes_what_it_can_and_keeps_nothing(cloud: LocalCloud) -> None:
    names = [name for name in EXPERIMENTS if all(fact.local for fact in FACTS if fact.experiment == name)]
    arguments = [part for name in names for part in ("--only", name)]
    told = run("verify-aws", "--json", "--receiving", *arguments, **cloud.account.variables())
    results = json.loads(told.stdout)
    assert [(one["name"], one["detail"]) for one in results if one["state"] != "ok"] == []
    assert [one["name"] for one in results] == names
    assert told.returncode == 0, told.stderr
    stacks = cloud.account.client("cloudformation").list_stacks()["StackSummaries"]
    assert "mailstep-verify" not in {s["StackName"] for s in stacks if s["StackStatus"] != "DELETE_COMPLETE"}
    buckets = cloud.account.client("s3").list_buckets()["Buckets"]
    assert not [bucket["Name"] for bucket in buckets if "verify" in bucket["Name"]]


def test_a_behaviour_that_differs_is_a_fault_and_the_stack_is_removed_all_the_same(cloud: LocalCloud) -> None:
    """The local account does not enforce HeartbeatSeconds (docs/emulation.md)."""
    told = run("verify-aws", "--only", "heartbeats", **cloud.account.variables())
    assert told.returncode == 1
    assert told.stdout.startswith("✗ heartbeats")
    assert cloud.account.client("cloudformation").describe_stacks()["Stacks"]
    stacks = {s["StackName"] for s in cloud.account.client("cloudformation").describe_stacks()["Stacks"]}
    assert "mailstep-verify" not in stacks
