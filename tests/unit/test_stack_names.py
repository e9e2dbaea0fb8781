"""The names of stacks, before they are deployed: what AWS would refuse minutes later is refused at once."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from samcli.yamlhelper import yaml_parse
from typer.testing import CliRunner

from mailstep_cli import checkout, stack_names
from mailstep_cli.commands import deployment
from mailstep_cli.errors import UserError
from tests.support.command import typed
from tests.support.project import PROJECT
from tests.support.transformed import transformed

ROUTE = "r" * 40
"""The longest name of a route (docs/policy.md)."""


@pytest.mark.parametrize(
    ("stack", "said"),
    [
        ("mailstep", ""),
        ("staging-2", ""),
        # 45 + "-mail-" + 12 digits are the 63 characters of a bucket (Amazon S3 User Guide, "Bucket naming rules").
        ("s" * 45, ""),
        ("s" * 46, "1 to 45"),
        ("Staging-2", "a-z, 0-9 and -"),
        ("staging_2", "a-z, 0-9 and -"),
        ("2-staging", "begin with a letter"),
        ("", "1 to 45"),
    ],
)
def test_a_stack_whose_bucket_aws_would_refuse_is_refused(stack: str, said: str) -> None:
    faults = stack_names.faults(stack, "receiving", ["orders"], guest=False)
    assert [said in fault for fault in faults] == ([True] if said else [])


@pytest.mark.parametrize(
    ("receiving", "route", "guest", "fits"),
    [
        # Amazon SES API Reference, ReceiptRule, Name: 64 characters or fewer.
        ("mailstep-receiving", ROUTE, True, True),
        ("s" * 23, ROUTE, False, True),
        ("s" * 24, ROUTE, False, False),
        ("s" * 20, ROUTE, True, True),
        ("s" * 21, ROUTE, True, False),
        ("Mailstep-Receiving", "orders", False, True),
        ("s" * 65, "a", False, False),
        ("receiving_2", "a", False, False),
    ],
)
def test_a_receipt_rule_that_ses_would_refuse_is_refused(receiving: str, route: str, guest: bool, fits: bool) -> None:
    assert (stack_names.faults("mailstep", receiving, [route], guest=guest) == []) is fits


@pytest.mark.parametrize("guest", [False, True])
def test_the_names_that_are_checked_are_those_that_the_templates_make(guest: bool) -> None:
    given = {
        "Domain": "mail.example.com",
        "Routes": f"{ROUTE},first.last",
        "CatchAllRoute": "all_else",
        "ActiveRuleSet": "company" if guest else "",
    }
    resources = transformed("receiving.yaml", given, stack="staging-receiving")
    made = [r["Properties"]["Rule"]["Name"] for r in resources.values() if r["Type"] == "AWS::SES::ReceiptRule"]
    assert set(made) == {
        stack_names.rule_name("staging-receiving", route, guest=guest) for route in (ROUTE, "first.last", "all_else")
    }
    assert all(len(name) <= 64 for name in made)
    bucket = transformed("template.yaml", {"Domain": "mail.example.com"}, stack="s" * 45)["MailBucket"]
    assert len(bucket["Properties"]["BucketName"]) == 63


# The most characters of a name, by type and property (the API reference of each service).
LIMITS = {
    ("AWS::S3::Bucket", "BucketName"): 63,
    ("AWS::Lambda::Function", "FunctionName"): 64,
    ("AWS::StepFunctions::StateMachine", "StateMachineName"): 80,
    ("AWS::SQS::Queue", "QueueName"): 80,
    ("AWS::SES::ConfigurationSet", "Name"): 64,
    ("AWS::Events::Rule", "Name"): 64,
    ("AWS::SNS::Topic", "TopicName"): 256,
    ("AWS::CloudWatch::Alarm", "AlarmName"): 255,
    ("AWS::CloudWatch::Dashboard", "DashboardName"): 255,
    ("AWS::DynamoDB::Table", "TableName"): 255,
    ("AWS::Logs::LogGroup", "LogGroupName"): 512,
    ("AWS::SES::ReceiptRuleSet", "RuleSetName"): 64,
}


@pytest.mark.parametrize(("template", "stack"), [("template.yaml", "s" * 45), ("receiving.yaml", "s" * 64)])
def test_no_other_resource_of_the_longest_stack_has_too_long_a_name(template: str, stack: str) -> None:
    resources = transformed(template, {"Domain": "mail.example.com"}, stack=stack)
    names = [
        ((resource["Type"], named), name)
        for resource in resources.values()
        for named, name in resource["Properties"].items()
        if (resource["Type"], named) in LIMITS
    ]
    assert names
    assert [place for place, name in names if len(name) > LIMITS[place]] == []
    # No other property holds a name, unless it refers to a resource or is made by AWS.
    known = {name for _, name in names}
    texts = {p: v for r in resources.values() for p, v in r["Properties"].items() if isinstance(v, str)}
    others = {p for p, v in texts.items() if v.startswith(stack) and v not in known} - {"StateMachineRevisionId"}
    assert others <= {named for _, named in LIMITS}


RECEIVING = yaml_parse((PROJECT / "receiving.yaml").read_text())["Parameters"]


@pytest.mark.parametrize(
    ("parameter", "value", "taken"),
    [
        ("HomeStack", "mailstep", True),
        ("HomeStack", "s" * 45, True),
        ("HomeStack", "s" * 46, False),
        ("HomeStack", "Staging-2", False),
        ("HomeStack", "", False),
        ("Routes", ROUTE, True),
        ("Routes", ROUTE + "r", False),
        ("Routes", "Orders", False),
        ("Routes", "orders-", False),
        ("Routes", "first.last", True),
        ("Routes", "a_b", True),
        ("Routes", "a..b", False),
        ("Routes", ".a", False),
        ("CatchAllRoute", "", True),
        ("CatchAllRoute", "all.the_rest", True),
        ("CatchAllRoute", "a,b", False),
        ("Routes", "", False),
        ("ActiveRuleSet", "", True),
        ("ActiveRuleSet", "company_mail.1", True),
        ("ActiveRuleSet", "s" * 65, False),
        ("ActiveRuleSet", "company mail", False),
    ],
)
def test_cloudformation_refuses_a_wrong_name_at_once_with_a_sentence(parameter: str, value: str, taken: bool) -> None:
    """AWS CloudFormation User Guide, "Parameters": AllowedPattern, for each name of a list; ConstraintDescription."""
    declared = RECEIVING[parameter]
    assert bool(re.fullmatch(declared["AllowedPattern"], value)) is taken
    assert declared["ConstraintDescription"]


def test_the_command_refuses_a_name_before_anything_is_deployed(tmp_path: Path) -> None:
    refused = typed("routes", "--names", "--stack", "Staging-2")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "'Staging-2' cannot name the home stack" in refused.stderr
    routes = tmp_path / "routes.toml"
    routes.write_text(f"[routes.{ROUTE}]\n")
    long = typed("routes", str(routes), "--receiving-stack", "s" * 21, "--active-rule-set", "company")
    assert long.returncode == 2
    assert "has 65 characters" in long.stderr
    assert "by 1" in long.stderr
    assert typed("routes", str(routes), "--names", "--active-rule-set", "company").stdout.strip() == ROUTE


def test_the_name_in_samconfig_is_refused_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(PROJECT / "template.yaml", tmp_path)
    (tmp_path / "samconfig.toml").write_text('[default.global.parameters]\nstack_name = "Staging-2"\n')
    monkeypatch.setattr(checkout, "find", lambda _file=None: tmp_path)
    monkeypatch.delenv("MAILSTEP_STACK", raising=False)
    refused = CliRunner().invoke(deployment.app, ["routes", str(PROJECT / "functions" / "routes.toml")]).exception
    assert isinstance(refused, UserError)
    assert "'Staging-2' cannot name the home stack" in str(refused)


@pytest.mark.parametrize(("target", "first"), [("deploy", "sam build"), ("check", "sam validate")])
def test_make_checks_the_names_before_sam_begins(target: str, first: str) -> None:
    told = subprocess.run(["make", "-n", target], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    assert "mailstep routes >/dev/null" in told.partition(first)[0]
