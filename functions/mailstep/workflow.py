"""The workflow's executions: started under a name that makes a repeated event harmless, and asked how they ended."""

import json
import os
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from mailstep.aws import client, transient_faults
from mailstep.contracts import StoredEmail
from mailstep.identity import SETUP_NOTIFICATION, stored_email
from mailstep.routes import deployed_names

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


_FAILED = {"FAILED", "TIMED_OUT", "ABORTED"}


def objects(notification: object) -> list[StoredEmail | str]:
    """What an S3 event tells of: emails, and the keys of objects that belong to no route.

    None for `s3:TestEvent` and for what SES writes when a rule is made. Keys arrive URL-encoded, `+` for a space
    (Amazon S3 User Guide, "Event message structure").

    Raises:
        ValueError: it is no S3 event.
    """
    match notification:
        case {"Event": "s3:TestEvent"}:
            return []
        case {"Records": list(records)}:
            return [found for record in records if (found := _object(record)) is not None]
        case _:
            raise ValueError("not an S3 event: neither Records nor s3:TestEvent")


def _object(record: object) -> StoredEmail | str | None:
    match record:
        case {"s3": {"bucket": {"name": str(bucket)}, "object": {"key": str(encoded), **rest}}, **event}:
            version, key = rest.get("versionId"), unquote_plus(encoded)
            if key.rpartition("/")[2] == SETUP_NOTIFICATION:
                return None
            email = stored_email(bucket, key, str(version) if version else None, _time(event.get("eventTime")))
            return email if email and email.route in deployed_names() else key
        case _:
            raise ValueError("not a record of an S3 event: no s3.bucket.name and s3.object.key")


def _time(said: object) -> datetime | None:
    """When S3 stored the object (Amazon S3 User Guide, "Event message structure": eventTime, ISO 8601)."""
    try:
        return datetime.fromisoformat(str(said))
    except ValueError:
        return None


def start(email: StoredEmail) -> str:
    """Start the execution named after the email. One that is already there is success: the event was a repeat.

    Returns:
        `started` or `already there`.

    Raises:
        TransientError: Step Functions asks to try again; so does the queue then.
    """
    sfn: SFNClient = client("stepfunctions")
    with transient_faults():
        try:
            sfn.start_execution(
                stateMachineArn=os.environ["STATE_MACHINE_ARN"],
                name=email.id,
                # Minimal and canonical, so that the inputs of repeated events are the same to the last byte.
                input=json.dumps(
                    email.model_dump(mode="json", exclude={"replay", "reply_again"}),
                    sort_keys=True,
                    separators=(",", ":"),
                ),
            )
        except sfn.exceptions.ExecutionAlreadyExists:
            return "already there"
    return "started"


def has_failed(execution_arn: str) -> bool:
    """Whether an execution ended without an answer. One that Step Functions no longer knows gives none either.

    Raises:
        TransientError: Step Functions asks to try again.
    """
    sfn: SFNClient = client("stepfunctions")
    with transient_faults():
        try:
            return sfn.describe_execution(executionArn=execution_arn)["status"] in _FAILED
        except sfn.exceptions.ExecutionDoesNotExist:
            return True
