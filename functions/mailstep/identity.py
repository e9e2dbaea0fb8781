"""Who an email is: the id that makes a repeated delivery harmless (docs/architecture.md, "Identity")."""

import hashlib
import re

from mailstep.contracts import StoredEmail

INBOUND = "inbound/"
SETUP_NOTIFICATION = "AMAZON_SES_SETUP_NOTIFICATION"
"""The object SES writes when a receipt rule is created: nobody's mail."""

_SLUG_LENGTH = 43  # with "-" and 32 hex digits: 76, which leaves "-r99" of a replay within the 80 of a name


def stored_email(bucket: str, key: str, version_id: str | None, etag: str | None = None) -> StoredEmail | None:
    """The email that lies at `key`, or None where the object is nobody's mail.

    The id starts with the SES message id, so that an operator can search for it, and ends with a digest of bucket,
    key and version (the ETag where the bucket is not versioned). It is a valid name of an execution: 1 to 80 of
    `[A-Za-z0-9_-]` (AWS Step Functions API reference, StartExecution).
    """
    parts = key.split("/")
    if not key.startswith(INBOUND) or len(parts) != 3 or not all(parts) or parts[2] == SETUP_NOTIFICATION:
        return None
    slug = re.sub(r"[^A-Za-z0-9_-]", "-", parts[2])[:_SLUG_LENGTH]
    digest = hashlib.sha256("\n".join((bucket, key, version_id or etag or "")).encode()).hexdigest()[:32]
    return StoredEmail(id=f"{slug}-{digest}", bucket=bucket, key=key, version_id=version_id)
