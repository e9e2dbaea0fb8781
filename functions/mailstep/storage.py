"""The mail bucket: reading the raw message, writing and reading what the steps leave for each other."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from mailstep.aws import client, transient_faults
from mailstep.contracts import Attachment, Digest, Message, StoredEmail
from mailstep.errors import UnreadableEmail

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SIZE_BOUND = 40 * 1024 * 1024
"""Octets of a message that SES receives at most (Amazon SES quotas, "Receiving")."""


def read_raw(email: StoredEmail) -> bytes:
    """The raw message.

    Raises:
        UnreadableEmail: the object is gone, empty, or larger than SES could have stored.
        TransientError: S3 asks to try again.
    """
    s3: S3Client = client("s3")
    version = {"VersionId": email.version_id} if email.version_id else {}
    with transient_faults():
        try:
            answer = s3.get_object(Bucket=email.bucket, Key=email.key, **version)  # type: ignore[arg-type]
        except ClientError as error:
            if error.response["Error"]["Code"] in {"NoSuchKey", "NoSuchVersion", "404"}:
                raise UnreadableEmail("the object is not there any more") from error
            raise
        if answer["ContentLength"] > SIZE_BOUND:
            raise UnreadableEmail(f"{answer['ContentLength']} octets are over the bound of {SIZE_BOUND}")
        raw = answer["Body"].read()
    if not raw.strip():
        raise UnreadableEmail("the object is empty")
    return raw


def attachment_key(message_id: str, number: int) -> str:
    """Where attachment `number` lies. Never made from a file name, which is the sender's."""
    return f"parsed/{message_id}/attachments/{number}"


def write_message(bucket: str, message: Message, contents: Iterable[bytes]) -> str:
    """Store the attachments, then the message that refers to them; answer the message's key."""
    for attachment, content in zip(message.attachments, contents, strict=True):
        _put(bucket, attachment.key, content, "application/octet-stream")
    key = f"parsed/{message.id}/message.json"
    _put(bucket, key, message.model_dump_json(by_alias=True).encode(), "application/json")
    return key


def read_message(bucket: str, key: str) -> Message:
    """The message that ParseEmail stored."""
    return Message.model_validate_json(_get(bucket, key))


def read_attachment(bucket: str, attachment: Attachment) -> bytes:
    """The decoded content of an attachment."""
    return _get(bucket, attachment.key)


def attachment_url(bucket: str, attachment: Attachment, *, seconds: int) -> str:
    """A link from which the application can fetch the attachment for so many seconds."""
    s3: S3Client = client("s3")
    return s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": attachment.key}, ExpiresIn=seconds)


def write_digest(bucket: str, message_id: str, digest: Digest) -> str:
    """Store the digest; answer its key."""
    key = f"digest/{message_id}.json"
    _put(bucket, key, digest.model_dump_json().encode(), "application/json")
    return key


def read_digest(bucket: str, key: str) -> Digest:
    """The digest that ProcessEmail stored."""
    return Digest.model_validate_json(_get(bucket, key))


def _get(bucket: str, key: str) -> bytes:
    s3: S3Client = client("s3")
    with transient_faults():
        return s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def _put(bucket: str, key: str, body: bytes, media_type: str) -> None:
    s3: S3Client = client("s3")
    with transient_faults():
        s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType=media_type)
