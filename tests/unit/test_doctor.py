"""What the doctor makes of DNS records, and of policies: the part that needs no deployment."""

from typing import Any

import pytest

from mailstep_cli.doctor import dns_records
from mailstep_cli.doctor.deployed_stack import reserved
from mailstep_cli.doctor.dns_records import Lookup
from mailstep_cli.doctor.policies import allows
from tests.support.project import PROJECT, RECEIVING, TEMPLATE

SES = "inbound-smtp.eu-west-1.amazonaws.com"


def resolver(records: dict[tuple[str, str], list[str]]) -> Lookup:
    return lambda name, kind: records.get((name, kind), [])


@pytest.mark.parametrize(
    ("hosts", "state", "said"),
    [
        ([SES], "ok", SES),
        ([], "fault", "has no MX record"),
        (["mx.elsewhere.org"], "fault", "MX records to mx.elsewhere.org"),
        ([SES, "mx.elsewhere.org"], "fault", "MX records to mx.elsewhere.org"),
        (["inbound-smtp.us-east-1.amazonaws.com"], "fault", "inbound-smtp.us-east-1"),
    ],
)
def test_mx_is_the_receiving_regions_endpoint_and_nothing_else(hosts: list[str], state: str, said: str) -> None:
    found = dns_records.mx(resolver({("mail.shop.org", "MX"): hosts}), "mail.shop.org", "eu-west-1")
    assert found.state == state
    assert said in found.detail
    assert state == "ok" or f"mail.shop.org. MX 10 {SES}" in found.remedy


@pytest.mark.parametrize(
    ("texts", "state", "said"),
    [
        (["v=spf1 include:amazonses.com -all"], "ok", "include"),
        (["google-site-verification=x", "V=SPF1 mx include:amazonses.com ~all"], "ok", "mx"),
        ([], "fault", "no SPF"),
        (["v=spf10 include:amazonses.com -all"], "fault", "no SPF"),
        (["v=spf1 -all"], "fault", "does not include SES"),
        (["v=spf1 include:amazonses.com.evil.org -all"], "fault", "does not include SES"),
        (["v=spf1 include:amazonses.com -all", "v=spf1 mx -all"], "fault", "2 SPF records"),
    ],
)
def test_spf_is_one_record_that_names_ses(texts: list[str], state: str, said: str) -> None:
    found = dns_records.spf(resolver({("mail.shop.org", "TXT"): texts}), "mail.shop.org")
    assert (found.state, said in found.detail) == (state, True), found


@pytest.mark.parametrize(
    ("records", "state", "said"),
    [
        ({"_dmarc.mail.shop.org": ["v=DMARC1; p=none"]}, "ok", "_dmarc.mail.shop.org"),
        ({"_dmarc.shop.org": ["v=DMARC1; p=reject"]}, "ok", "_dmarc.shop.org"),
        ({"_dmarc.org": ["v=DMARC1; p=reject"]}, "fault", "no DMARC"),
        ({"_dmarc.mail.shop.org": ["something"]}, "fault", "no DMARC"),
        ({"_dmarc.mail.shop.org": ["v=DMARC1; p=none", "v=DMARC1; p=reject"]}, "fault", "2 DMARC records"),
    ],
)
def test_dmarc_is_one_record_here_or_above(records: dict[str, list[str]], state: str, said: str) -> None:
    found = dns_records.dmarc(resolver({(name, "TXT"): t for name, t in records.items()}), "mail.shop.org")
    assert (found.state, said in found.detail) == (state, True), found


def test_domains_for_examples_are_told_from_real_ones() -> None:
    assert all(map(reserved, ["mailstep.example", "mail.example.com", "EXAMPLE.org.", "a.test"]))
    assert not any(map(reserved, ["shop.org", "example.com.au", "myexample.com"]))


def statement(**changes: Any) -> dict[str, Any]:
    plain = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": "arn:queue",
        "Condition": {"ArnEquals": {"aws:SourceArn": "arn:topic"}},
    }
    return {key: value for key, value in (plain | changes).items() if value is not None}


DENIES_PLAIN_HTTP = statement(
    Effect="Deny", Principal="*", Action="sqs:*", Condition={"Bool": {"aws:SecureTransport": "false"}}
)


@pytest.mark.parametrize(
    ("statements", "allowed"),
    [
        ([statement()], True),
        ([statement(Action=["sqs:GetQueueUrl", "SQS:Send*"])], True),
        ([statement(Condition={"ArnLike": {"AWS:SourceArn": "arn:top*"}})], True),
        ([statement(Condition=None), DENIES_PLAIN_HTTP], True),
        ([], False),
        ([statement(Principal={"Service": "s3.amazonaws.com"})], False),
        ([statement(Action="sqs:ReceiveMessage")], False),
        ([statement(Resource="arn:other")], False),
        ([statement(Condition={"ArnEquals": {"aws:SourceArn": "arn:other"}})], False),
        ([statement(Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}})], False),
        ([statement(), statement(Effect="Deny")], False),
    ],
)
def test_a_policy_allows_only_its_own_actions_and_principals(statements: list[dict[str, Any]], allowed: bool) -> None:
    asked = allows(
        {"Statement": statements},
        "sqs:SendMessage",
        "arn:queue",
        service="sns.amazonaws.com",
        context={"aws:SourceArn": "arn:topic"},
    )
    assert asked is allowed


def test_the_runbook_has_a_section_for_each_alarm() -> None:
    alarms = {
        name
        for template in (TEMPLATE, RECEIVING)
        for name, resource in template["Resources"].items()
        if isinstance(resource, dict) and resource.get("Type") == "AWS::CloudWatch::Alarm"
    }
    sections = (PROJECT / "docs" / "runbook.md").read_text().split("\n## ")
    named = {word for section in sections for word in section.split("\n", 1)[0].replace(",", " ").split()}
    assert alarms
    assert alarms <= named, f"docs/runbook.md has no section for {sorted(alarms - named)}"
