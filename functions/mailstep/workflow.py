"""Starting an execution for each new email, under a name that makes a repeated event harmless."""

import json
import os
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from mailstep.aws import client, transient_faults
from mailstep.contracts import StoredEmail
from mailstep.identity import SETUP_NOTIFICATION, stored_email
from mailstep.routes import deployed_names

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


def objects(notification: object) -> list[StoredEmail | str]:
    """What an S3 event tells of: emails, and the keys of objects that are nobody's mail.

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
        case {"s3": {"bucket": {"name": str(bucket)}, "object": {"key": str(encoded), **rest}}}:
            version, etag, key = rest.get("versionId"), rest.get("eTag"), unquote_plus(encoded)
            if key.rpartition("/")[2] == SETUP_NOTIFICATION:
                return None
            email = stored_email(bucket, key, str(version) if version else None, str(etag or ""))
            return email if email and email.route in deployed_names() else key
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
                # Minimal and canonical, so that the inputs of repeated events are the same to the last byte.
                input=json.dumps(email.model_dump(exclude={"reply_again"}), sort_keys=True, separators=(",", ":")),
            )
        except sfn.exceptions.ExecutionAlreadyExists:
            return "already there"
    return "started"
