"""Starting an execution for each new email, under a name that makes a repeated event harmless."""

import json
import os
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from mailstep.aws import client, transient_faults
from mailstep.contracts import StoredEmail
from mailstep.identity import stored_email

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


def new_emails(notification: object) -> list[StoredEmail]:
    """The emails an S3 event tells of; none for `s3:TestEvent` and for objects that are nobody's mail.

    Keys arrive URL-encoded, `+` for a space (Amazon S3 User Guide, "Event message structure").

    Raises:
        ValueError: it is no S3 event.
    """
    match notification:
        case {"Event": "s3:TestEvent"}:
            return []
        case {"Records": list(records)}:
            found = [_email(record) for record in records]
            return [email for email in found if email]
        case _:
            raise ValueError("not an S3 event: neither Records nor s3:TestEvent")


def _email(record: object) -> StoredEmail | None:
    match record:
        case {"s3": {"bucket": {"name": str(bucket)}, "object": {"key": str(key), **rest}}}:
            version, etag = rest.get("versionId"), rest.get("eTag")
            return stored_email(bucket, unquote_plus(key), str(version) if version else None, str(etag or ""))
        case _:
            raise ValueError("not a record of an S3 event: no s3.bucket.name and s3.object.key")


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
                input=json.dumps(email.model_dump(), sort_keys=True, separators=(",", ":")),
            )
        except sfn.exceptions.ExecutionAlreadyExists:
            return "already there"
    return "started"
