"""Events as AWS hands them to the functions, and the samples in events/."""

import json
import re
from email.utils import formatdate
from types import SimpleNamespace
from typing import Any

from mailstep.contracts import StoredEmail
from tests.support.project import EVENTS

REGION = "us-east-1"
BUCKET = "mailstep-mail-000000000000"
"""Of the account that the samples name."""
CONTEXT: Any = SimpleNamespace(
    function_name="f",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:f",
    aws_request_id="1",
    get_remaining_time_in_millis=lambda: 15_000,
)


def event(name: str) -> Any:
    return json.loads((EVENTS / f"{name}.json").read_text())


def batch(*bodies: str) -> dict[str, Any]:
    [record] = json.loads((EVENTS / "start.json").read_text())["Records"]
    return {"Records": [record | {"messageId": str(number), "body": body} for number, body in enumerate(bodies)]}


def sample() -> str:
    body: str = json.loads((EVENTS / "start.json").read_text())["Records"][0]["body"]
    return body


def s3_event(email: StoredEmail) -> str:
    return json.dumps(
        {
            "Records": [
                {
                    "eventSource": "aws:s3",
                    "eventName": "ObjectCreated:Put",
                    "s3": {
                        "bucket": {"name": email.bucket},
                        "object": {"key": email.key, "versionId": email.version_id, "eTag": "0"},
                    },
                }
            ]
        }
    )


def stored_order() -> bytes:
    """events/stored-order.eml as SES would store it now: what was received days ago is stale (policy.py)."""
    sample = (EVENTS / "stored-order.eml").read_bytes()
    then = re.search(rb"for orders@mailstep.example;\r?\n (.*)", sample)
    assert then
    return sample.replace(then[1].rstrip(), formatdate().encode())
