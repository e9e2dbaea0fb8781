"""How long each kind of object is kept (docs/security.md, docs/costs.md): what expires, when, and what never does."""

from typing import Any

import pytest

from tests.support.transformed import transformed

DOMAIN = {"Domain": "mail.example.com"}


def expiring(**parameters: str) -> dict[str, int]:
    """Days until an object expires, by the prefix of its key, in a stack with these parameters."""
    bucket = transformed("template.yaml", DOMAIN | parameters)["MailBucket"]["Properties"]
    rules: list[dict[str, Any]] = [
        rule for rule in bucket["LifecycleConfiguration"]["Rules"] if "ExpirationInDays" in rule
    ]
    assert all(rule["Status"] == "Enabled" for rule in rules)
    # Versioned: an expired object becomes a version that is not current, which must go too (Amazon S3 User Guide,
    # "Expiring objects").
    assert all(rule["NoncurrentVersionExpiration"]["NoncurrentDays"] == 1 for rule in rules)
    found = {rule["Prefix"]: int(rule["ExpirationInDays"]) for rule in rules}
    assert len(found) == len(rules)
    return found


def test_what_is_made_of_messages_and_what_is_quarantined_expires_and_raw_messages_stay() -> None:
    assert expiring() == {"parsed/": 30, "answers/": 30, "replays/": 30, "quarantine/": 180}
    assert expiring(QuarantineRetentionDays="10")["quarantine/"] == 10


@pytest.mark.parametrize(("mail", "parsed"), [("90", "20"), ("15", "365")])
def test_raw_messages_expire_only_if_the_installation_says_so(mail: str, parsed: str) -> None:
    assert expiring(MailRetentionDays=mail, ParsedRetentionDays=parsed) == {
        "parsed/": int(parsed),
        "answers/": int(parsed),
        "replays/": int(parsed),
        "inbound/": int(mail),
        "quarantine/": 180,
    }
