"""The mail bucket: reading the raw message, writing and reading what the steps leave for each other."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from mailstep import bounds
from mailstep.aws import client, transient_faults
from mailstep.contracts import Attachment, Digest, Message, StoredEmail
from mailstep.errors import UnreadableEmail

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


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
        if answer["ContentLength"] > bounds.MESSAGE_OCTETS:
            raise UnreadableEmail(f"{answer['ContentLength']} octets are over the bound of {bounds.MESSAGE_OCTETS}")
        raw = answer["Body"].read()
    if not raw.strip():
        raise UnreadableEmail("the object is empty")
    return raw


def write_attachment(bucket: str, key: str, content: bytes) -> None:
    """Store an attachment's content, as octets: no browser is to take it for a page."""
    _put(bucket, key, content, "application/octet-stream")


def write_message(bucket: str, message: Message) -> str:
    """Store the message, whose attachments are stored already; answer its key."""
    key = f"parsed/{message.id}/message.json"
    _put(bucket, key, message.model_dump_json().encode(), "application/json")
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
