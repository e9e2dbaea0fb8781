"""Activates the receipt rule set of receiving.yaml and orders its rules, which CloudFormation cannot do.

A Region has one active set. Activating another one would stop the mail of the first. So our own set is activated only
if no set is active, and rules in an existing set need that set to be the active one. Deleting the stack undoes only
that. The rule of a catch-all route stands last, because SES puts a new rule first. The response goes to the URL
that CloudFormation gave (AWS CloudFormation User Guide, "Custom resource request objects").
"""

import json
import logging
import os
from typing import Any

import boto3
import urllib3
from botocore.config import Config

logger = logging.getLogger(__name__)
# SES allows most calls about receipt rules once a second (API Reference), so this makes more attempts than usual.
_CONFIG = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 6})


class NotOurs(Exception):
    """Continuing would change a rule set that is not ours; the text says what to do."""


def handler(event: dict[str, Any], _context: object) -> None:
    """Create, update or delete the activation, or the position of a rule. CloudFormation always gets a response."""
    properties = event["ResourceProperties"]
    name, own = properties["RuleSetName"], properties.get("Own") == "true"
    answer = {key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")} | {
        "Status": "SUCCESS",
        # A new name makes CloudFormation delete the former resource.
        "PhysicalResourceId": event["PhysicalResourceId"] if event["RequestType"] == "Delete" else name,
    }
    try:
        ses = boto3.client("ses", config=_CONFIG)
        if "RuleName" in properties:
            if event["RequestType"] != "Delete":
                move_to_the_end(ses, name, properties["RuleName"])
        elif event["RequestType"] != "Delete":
            activate(ses, name, own=own)
        elif own:
            deactivate(ses, name)
    except NotOurs as refusal:
        answer |= {"Status": "FAILED", "Reason": str(refusal)}
    except Exception as error:
        logger.exception("%s of the activation of %s failed", event["RequestType"], name)
        answer |= {"Status": "FAILED", "Reason": f"{type(error).__name__}: {error}"[:1_000]}
    _respond(event["ResponseURL"], answer)


def activate(ses: Any, name: str, *, own: bool) -> None:
    """Make sure that the set `name` is the active one.

    Raises:
        NotOurs: another set is active, or `name` is not ours to activate.
    """
    active, region = _active(ses), os.environ["AWS_REGION"]
    if active == name:
        return
    if not own:
        raise NotOurs(
            f"ActiveRuleSet names '{name}', but in {region} {f"'{active}'" if active else 'no receipt rule set'} is "
            "active: name the active one, or leave ActiveRuleSet empty for a set of our own."
        )
    if active:
        raise NotOurs(
            f"The receipt rule set '{active}' is active in {region}, and activating '{name}' would stop it. Deploy "
            f"with ActiveRuleSet={active} to add our rules to it, or deactivate it first: "
            f"aws ses set-active-receipt-rule-set --region {region}"
        )
    ses.set_active_receipt_rule_set(RuleSetName=name)


def deactivate(ses: Any, name: str) -> None:
    """Deactivate our own set, if it is the active one. CloudFormation has deleted our rules before.

    Raises:
        NotOurs: our set has rules that others added; they would be deleted with it.
    """
    try:
        rules = ses.describe_receipt_rule_set(RuleSetName=name).get("Rules", [])
    except ses.exceptions.RuleSetDoesNotExistException:
        return
    if rules:
        raise NotOurs(
            f"The receipt rule set '{name}' holds rules that this stack did not make: "
            f"{', '.join(rule['Name'] for rule in rules)}. Move or delete them, then delete the stack again."
        )
    if _active(ses) == name:
        ses.set_active_receipt_rule_set()


def move_to_the_end(ses: Any, name: str, rule: str) -> None:
    """Put a rule behind all others of its set (Amazon SES API Reference, SetReceiptRulePosition)."""
    rules = [other["Name"] for other in ses.describe_receipt_rule_set(RuleSetName=name)["Rules"]]
    if rules[-1] != rule:
        ses.set_receipt_rule_position(RuleSetName=name, RuleName=rule, After=rules[-1])


def _active(ses: Any) -> str | None:
    name: str | None = ses.describe_active_receipt_rule_set().get("Metadata", {}).get("Name")
    return name


def _respond(url: str, answer: dict[str, str]) -> None:
    # The URL is signed for an empty content type.
    body = json.dumps(answer).encode()
    response = urllib3.PoolManager().request("PUT", url, body=body, headers={"Content-Type": ""}, timeout=10, retries=3)
    if response.status != 200:
        raise RuntimeError(f"CloudFormation's URL answered {response.status}")
