"""Reads the raw message from the mail bucket, and reads and writes the objects that the steps share."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from mailstep import answers, keys, limits
from mailstep.aws.clients import client, transient_faults
from mailstep.contracts import Answer, Attachment, LaterAnswer, Message, StoredEmail
from mailstep.errors import MalformedAnswer, UnknownEmail, UnreadableEmail

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client

_GONE = {"NoSuchKey", "NoSuchVersion", "404"}


def read_raw(email: StoredEmail) -> bytes:
    """The raw message: the version in the event, or the newest version if that one was deleted.

    Raises:
        UnreadableEmail: the object was deleted, is empty, or is larger than SES could have stored.
        TransientError: S3 is unavailable.
    """
    # Limited, because the declared length of the response is not trusted.
    raw = read_head(email, limits.MESSAGE_OCTETS + 1)
    if len(raw) > limits.MESSAGE_OCTETS:
        raise UnreadableEmail(f"the object has more than {limits.MESSAGE_OCTETS} octets, the most that SES stores")
    if not raw.strip():
        raise UnreadableEmail("the object is empty")
    return raw


def read_head(email: StoredEmail, octets: int) -> bytes:
    """The first octets of the raw message.

    Raises:
        UnreadableEmail: the object was deleted.
        TransientError: S3 is unavailable.
    """
    with transient_faults():
        try:
            return _open_raw(email).read(octets)
        except ClientError as error:
            if error.response["Error"]["Code"] in _GONE:
                raise UnreadableEmail("the object is not there any more") from error
            raise


def _open_raw(email: StoredEmail) -> "StreamingBody":
    s3: S3Client = client("s3")
    if email.version_id:
        try:
            return s3.get_object(Bucket=email.bucket, Key=email.key, VersionId=email.version_id)["Body"]
        except ClientError as error:
            # The key alone identifies the email: a copy in place has another version (identity.py).
            if error.response["Error"]["Code"] not in _GONE:
                raise
    return s3.get_object(Bucket=email.bucket, Key=email.key)["Body"]


def write_attachment(bucket: str, key: str, content: bytes) -> None:
    """Store an attachment's content as octets, so that no browser renders it as a page."""
    _put(bucket, key, content, "application/octet-stream")


def write_message(bucket: str, message: Message) -> str:
    """Store the message, after its attachments; return its key."""
    key = keys.message(message.email_id)
    _put(bucket, key, message.to_json(), "application/json")
    return key


def read_message(bucket: str, key: str) -> Message:
    """The message that ParseEmail stored."""
    return Message.model_validate_json(_get(bucket, key))


def find_message(bucket: str, email_id: str) -> Message | None:
    """The message that ParseEmail stored for an email; None if it was never stored, or has expired.

    Raises:
        TransientError: S3 is unavailable.
    """
    found = _find(bucket, keys.message(email_id))
    return None if found is None else Message.model_validate_json(found)


def find_answer(bucket: str, email_id: str) -> Answer | None:
    """The answer to an email; None if it was never stored, or has expired.

    Raises:
        TransientError: S3 is unavailable.
        MalformedAnswer: it is not an answer.
    """
    found = _find(bucket, keys.answer(email_id))
    return None if found is None else answers.read_answer(found)


def _find(bucket: str, key: str) -> bytes | None:
    try:
        return _get(bucket, key)
    except ClientError as error:
        if error.response["Error"]["Code"] in _GONE:
            return None
        raise


def message_of(bucket: str, email_id: str) -> Message:
    """The message that ParseEmail stored for an email.

    Raises:
        UnknownEmail: the bucket does not have it.
        TransientError: S3 is unavailable.
    """
    try:
        message = find_message(bucket, email_id)
    except ClientError as error:
        # S3 answers 403 for a missing object to a role that may not list the bucket.
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        message = None
    if message is None:
        raise UnknownEmail(
            f"there is no message of the email {email_id}, or it has expired: an answer's key is "
            f"{keys.later_answer('<email_id>', '<name>')}"
        )
    return message


def read_attachment(bucket: str, attachment: Attachment) -> bytes:
    """The decoded content of an attachment."""
    return _get(bucket, attachment.key)


def link(bucket: str, key: str, *, seconds: int) -> str:
    """A link from which the application can fetch an object for this many seconds."""
    s3: S3Client = client("s3")
    return s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=seconds)


def write_answer(bucket: str, email_id: str, answer: Answer) -> str:
    """Store the answer; return its key."""
    key = keys.answer(email_id)
    _put(bucket, key, answer.model_dump_json().encode(), "application/json")
    return key


def read_answer(bucket: str, key: str) -> Answer:
    """The answer that ProcessEmail, or the queue's consumer, stored.

    Raises:
        MalformedAnswer: it is not an answer.
    """
    return answers.read_answer(_get(bucket, key))


def read_later_answer(answer: LaterAnswer) -> Answer:
    """A later answer, as its writer stored it.

    Raises:
        MalformedAnswer: it is too large, is not an answer, or was deleted.
    """
    try:
        octets = _get(answer.bucket, answer.key, limits.ANSWER_OCTETS + 1)
    except ClientError as error:
        if error.response["Error"]["Code"] in _GONE | {"AccessDenied"}:
            raise MalformedAnswer(f"{answer.key} is not there any more") from error
        raise
    if len(octets) > limits.ANSWER_OCTETS:
        raise MalformedAnswer(f"{answer.key} is larger than {limits.ANSWER_OCTETS} octets")
    try:
        return answers.read_answer(octets, later=True)
    except MalformedAnswer as error:
        raise MalformedAnswer(
            f"{answer.key}: {error}; write it as docs/schemas/answer.json says, then redrive the execution"
        ) from error


def _get(bucket: str, key: str, at_most: int | None = None) -> bytes:
    s3: S3Client = client("s3")
    with transient_faults():
        return s3.get_object(Bucket=bucket, Key=key)["Body"].read(at_most)


def _put(bucket: str, key: str, body: bytes, media_type: str) -> None:
    s3: S3Client = client("s3")
    with transient_faults():
        s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType=media_type)
