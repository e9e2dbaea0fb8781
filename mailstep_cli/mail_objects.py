"""Everything that the mail bucket has of a message: each version of its objects, and each delete marker."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from mailstep import keys
from mailstep.contracts import StoredEmail
from mailstep.start.identity import stored_email
from mailstep_cli.errors import UserError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_AT_ONCE = 1000
"""Versions that one DeleteObjects takes (Amazon S3 API Reference)."""
_GONE = {"NoSuchKey", "NoSuchVersion", "404", "MethodNotAllowed", "405"}
"""Also the answers about a delete marker (Amazon S3 API Reference, GetObject)."""


@dataclass(frozen=True)
class Version:
    """A version of an object, or a delete marker."""

    key: str
    version_id: str
    size: int | None
    """Octets; None for a delete marker."""
    latest: bool

    @property
    def is_marker(self) -> bool:
        """Whether it only says that the object is deleted."""
        return self.size is None


def versions(s3: "S3Client", bucket: str, prefix: str, *, exact: bool = False) -> Iterator[Version]:
    """All versions and delete markers below a prefix; with `exact`, of that one key."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        found = [
            *(
                Version(one["Key"], one.get("VersionId", "null"), one.get("Size", 0), one["IsLatest"])
                for one in page.get("Versions", [])
            ),
            *(
                Version(one["Key"], one.get("VersionId", "null"), None, one["IsLatest"])
                for one in page.get("DeleteMarkers", [])
            ),
        ]
        yield from (one for one in found if not exact or one.key == prefix)
        if exact and any(one.key != prefix for one in found):
            return


def made_of(s3: "S3Client", bucket: str, email_id: str) -> list[Version]:
    """What Mailstep made of a message: parsed, answers and quarantined, without the message itself."""
    return [
        *versions(s3, bucket, keys.parsed(email_id)),
        *versions(s3, bucket, keys.answer(email_id), exact=True),
        *versions(s3, bucket, keys.later_answers(email_id)),
        *versions(s3, bucket, keys.quarantined(email_id), exact=True),
    ]


def delete(s3: "S3Client", bucket: str, found: list[Version]) -> int:
    """Delete versions and delete markers for good; return how many.

    Raises:
        UserError: S3 refused to delete some of them.
    """
    for start in range(0, len(found), _AT_ONCE):
        part = found[start : start + _AT_ONCE]
        answer = s3.delete_objects(
            Bucket=bucket,
            Delete={"Objects": [{"Key": one.key, "VersionId": one.version_id} for one in part], "Quiet": True},
        )
        if errors := answer.get("Errors"):
            first = errors[0]
            raise UserError(
                f"S3 did not delete {len(errors)} of {len(part)} versions, such as {first.get('Key')}: "
                f"{first.get('Message') or first.get('Code')}"
            )
    return len(found)


def read(s3: "S3Client", bucket: str, key: str, version_id: str | None = None, *, octets: int | None = None) -> bytes:
    """An object's content, or its first octets; empty if it is not there."""
    part = {"Range": f"bytes=0-{octets - 1}"} if octets else {}
    which = {"VersionId": version_id} if version_id and version_id != "null" else {}
    try:
        return s3.get_object(Bucket=bucket, Key=key, **which, **part)["Body"].read()  # type: ignore[arg-type]
    except ClientError as error:
        # An empty object has no range (RFC 9110 section 14.4).
        if error.response["Error"]["Code"] in _GONE | {"InvalidRange", "416"}:
            return b""
        raise


def exists(s3: "S3Client", email: StoredEmail) -> bool:
    """Whether the raw message is still there, in any version that a replay would read (aws/mail_bucket.py)."""
    found = versions(s3, email.bucket, email.key, exact=True)
    return any(not one.is_marker and (one.latest or one.version_id == email.version_id) for one in found)


def original(s3: "S3Client", bucket: str, email_id: str) -> StoredEmail | None:
    """The raw message in S3, found by the SES message id that the email_id begins with; None if it is gone.

    It asks S3 once for each name under `inbound/`.
    """
    # Another character than a letter or a digit may stand for any character (identity.py).
    name = email_id.rpartition("-")[0].partition("-")[0]
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=keys.INBOUND, Delimiter="/")
    for route in (found["Prefix"] for page in pages for found in page.get("CommonPrefixes", [])):
        listing = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=f"{route}{name}")
        for one in (found for page in listing for found in page.get("Versions", []) if found["IsLatest"]):
            version = one.get("VersionId", "null")
            email = stored_email(bucket, one["Key"], None if version == "null" else version, one["LastModified"])
            if email and email.email_id == email_id:
                return email
    return None
