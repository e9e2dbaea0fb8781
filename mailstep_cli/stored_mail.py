"""Finds messages in the mail bucket that no execution has processed, and starts their executions."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import boto3

from mailstep import keys
from mailstep.aws import executions
from mailstep.contracts import StoredEmail
from mailstep.start.identity import SETUP_NOTIFICATION, stored_email
from mailstep_cli.home_stack import HomeStack

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

REMEMBERED = timedelta(days=80)
"""Younger messages are certainly not processed twice: Step Functions knows a name for 90 days after the execution."""
PARSED = timedelta(days=14)
"""`parsed/` is kept for 15 days at least (template.yaml, ParsedRetentionDays)."""
SETTLED = timedelta(hours=1)
"""The execution of an older message has at least begun, if it has one."""
_PAGES = 20


@dataclass(frozen=True)
class Started:
    """How many executions were started, already existed, or were left out because the message is too old."""

    started: int = 0
    already_there: int = 0
    too_old: int = 0


def start_stored(home: HomeStack, route: str) -> Started:
    """Start the execution of each stored message of a route, under the name that StartFunction gives it.

    A message whose execution exists is left alone. So the command can be repeated.

    Raises:
        TransientError: Step Functions is unavailable.
    """
    ended = {executions.STARTED: 0, executions.ALREADY_THERE: 0, "too old": 0}
    oldest = datetime.now(UTC) - REMEMBERED
    for email in stored(boto3.client("s3"), home.bucket, route):
        old = email.stored is None or email.stored < oldest
        ended["too old" if old else executions.start(email.email_id, email, home.workflow_alias)] += 1
    return Started(ended[executions.STARTED], ended[executions.ALREADY_THERE], ended["too old"])


def stored(s3: "S3Client", bucket: str, route: str, *, pages: int | None = None) -> Iterator[StoredEmail]:
    """The messages under `inbound/<route>/`, in the order of their keys, of at most `pages` thousand objects."""
    listing = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=keys.inbound(route))
    for number, page in enumerate(listing):
        if number == pages:
            return
        for found in page.get("Versions", []):
            version = found.get("VersionId") or "null"
            email = stored_email(bucket, found["Key"], None if version == "null" else version, found["LastModified"])
            if email and found["IsLatest"]:
                yield email


def routes_with_mail(s3: "S3Client", bucket: str) -> list[str]:
    """The names under `inbound/` that have messages, a route of their name or not."""
    return [name for name in _names(s3, bucket, keys.INBOUND) if _has_mail(s3, bucket, name)]


def unprocessed(s3: "S3Client", bucket: str, route: str) -> list[StoredEmail]:
    """The messages of a route of the last days that were neither parsed nor quarantined.

    Looks at 20,000 objects at most, in the order of their keys, which SES makes at random.
    """
    now = datetime.now(UTC)
    recent = {
        email.email_id: email
        for email in stored(s3, bucket, route, pages=_PAGES)
        if email.stored and now - PARSED < email.stored < now - SETTLED
    }
    if not recent:
        return []
    done = {*_names(s3, bucket, keys.PARSED), *_names(s3, bucket, keys.QUARANTINE)}
    return [email for identity, email in recent.items() if identity not in done]


def _names(s3: "S3Client", bucket: str, prefix: str) -> Iterator[str]:
    """What lies directly under a prefix: objects, and the names that objects share."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, Delimiter="/"):
        yield from (found["Key"].removeprefix(prefix) for found in page.get("Contents", []))
        yield from (found["Prefix"].removeprefix(prefix).rstrip("/") for found in page.get("CommonPrefixes", []))


def _has_mail(s3: "S3Client", bucket: str, route: str) -> bool:
    found = s3.list_objects_v2(Bucket=bucket, Prefix=keys.inbound(route), MaxKeys=2).get("Contents", [])
    return any(not one["Key"].endswith(f"/{SETUP_NOTIFICATION}") for one in found)
