"""Sends a test message through SES to a route, and follows it until its execution ends."""

import json
import secrets
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

from botocore.exceptions import ClientError

from mailstep import keys
from mailstep.outcomes import Outcome
from mailstep.validate.policy import MEANINGS
from mailstep_cli.doctor.deployed_stack import Site
from mailstep_cli.doctor.findings import Finding, fault, ok
from mailstep_cli.errors import UserError

_POLL_SECONDS = 0.5
_CLOCK_SKEW = timedelta(minutes=2)
_HEADER_OCTETS = 65_536


def send_test(site: Site, route: str, sender: str | None, timeout: float) -> Finding:
    """Send a message to `route` as `sender` (None: OperatorEmail), and wait `timeout` seconds for its execution.

    Raises:
        UserError: SES cannot send as `sender`, or would not sign the message.
    """
    author = sender or site.home.parameters.get("OperatorEmail", "")
    if "@" not in author:
        raise UserError("give the sender with --from: the stack has no OperatorEmail")
    token, began = secrets.token_hex(8), datetime.now(UTC)
    _send(site, author, f"{route}@{site.domain}", token)
    deadline = time.monotonic() + timeout
    seen: set[str] = set()
    while time.monotonic() < deadline:
        if arn := _execution_of(site, route, token, began - _CLOCK_SKEW, seen):
            return _followed(site, arn, author, began, deadline)
        time.sleep(_POLL_SECONDS)
    return fault(
        f"SES accepted the message to {route}@{site.domain}, but no execution started within {timeout:g} s",
        "fix what the checks above found; if they all passed, try again in a minute, because mail may be slow",
    )


def _send(site: Site, author: str, to: str, token: str) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = author, to, f"Mailstep doctor {token}"
    message.set_content(f"This message tests {site.home.name}. The doctor waits for its reply.\n")
    ses = site.client("sesv2")
    domain = author.rpartition("@")[2].lower()
    if not _signs_for(ses, domain):
        # SES can also send as a single verified address, but it signs only for a verified domain.
        raise UserError(
            f"SES does not sign for {domain} in {site.home.region}, and an unsigned message gets no reply: give an "
            f"address at a verified domain with --from, or verify this one: aws sesv2 create-email-identity "
            f"--email-identity {domain} --region {site.home.region}"
        )
    try:
        ses.send_email(
            FromEmailAddress=author,
            Destination={"ToAddresses": [to]},
            Content={"Raw": {"Data": message.as_bytes()}},
        )
    except ClientError as error:
        raise UserError(f"SES rejected the message: {error.response['Error'].get('Message')}") from error


def _signs_for(ses: Any, domain: str) -> bool:
    """Whether the domain or a parent domain is a verified identity of SES."""
    labels = domain.split(".")
    for above in (".".join(labels[start:]) for start in range(len(labels) - 1)):
        with suppress(ses.exceptions.NotFoundException):
            return bool(ses.get_email_identity(EmailIdentity=above)["VerifiedForSendingStatus"])
    return False


def _execution_of(site: Site, route: str, token: str, since: datetime, seen: set[str]) -> str | None:
    """The execution whose stored message contains the token, among those of the route that started after `since`."""
    sfn = site.client("stepfunctions")
    pages = sfn.get_paginator("list_executions").paginate(stateMachineArn=site.home.outputs["StateMachineArn"])
    for page in pages:
        for execution in page["executions"]:
            if execution["startDate"] < since:
                return None  # the list is newest first
            arn: str = execution["executionArn"]
            if arn not in seen and _holds(
                site, json.loads(sfn.describe_execution(executionArn=arn)["input"]), route, token
            ):
                return arn
            seen.add(arn)
    return None


def _holds(site: Site, email: dict[str, Any], route: str, token: str) -> bool:
    if not email["key"].startswith(keys.inbound(route)):
        return False
    s3 = site.client("s3")
    try:
        stored = s3.get_object(Bucket=email["bucket"], Key=email["key"])
    except s3.exceptions.NoSuchKey:
        # Deleted since: it is not the test message.
        return False
    return token.encode() in stored["Body"].read(_HEADER_OCTETS)


def _followed(site: Site, arn: str, author: str, began: datetime, deadline: float) -> Finding:
    sfn = site.client("stepfunctions")
    story = f"mailstep history {arn.rpartition(':')[2]} --stack {site.home.name}"
    while (execution := sfn.describe_execution(executionArn=arn))["status"] == "RUNNING":
        if time.monotonic() > deadline:
            return fault("the execution is still running", story)
        time.sleep(_POLL_SECONDS)
    if execution["status"] != "SUCCEEDED":
        return fault(f"the execution {execution['status'].lower()}: {execution.get('error', '')}", story)
    said: dict[str, Any] = json.loads(execution["output"])
    if said["outcome"] == Outcome.REPLIED:
        took = (execution["stopDate"] - began).total_seconds()
        return ok(f"replied in {took:.1f} s; the reply {said['ses_message_id']} is on its way to {author}")
    reason = said.get("reason") or ""
    return fault(f"{said['outcome']}: {reason} {MEANINGS.get(reason, '')}".strip(), story)
