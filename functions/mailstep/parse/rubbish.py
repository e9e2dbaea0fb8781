"""Tells rubbish from mail that the operators must hear of, when a message could not be read or checked."""

from mailstep.authentication import is_authenticated
from mailstep.aws import mail_bucket
from mailstep.contracts import CheckSenderRequest, StoredEmail
from mailstep.errors import UnreadableEmail
from mailstep.parse.message import parse

_HEAD_OCTETS = 64 * 1024


def is_rubbish(request: CheckSenderRequest) -> bool:
    """Whether anybody may have sent the message: SES did not authenticate its sender, or found spam or a virus.

    A message that cannot be opened at all is no rubbish: nothing is known of it. Only its head is read, because the
    whole message may be what killed a step.

    Raises:
        TransientError: S3 is unavailable.
    """
    email = StoredEmail(**request.model_dump(exclude={"unreadable"}))
    try:
        head = mail_bucket.read_head(email, _HEAD_OCTETS)
    except UnreadableEmail:
        return False
    try:
        message = parse(_header(head), email, lambda *_: None)
    except UnreadableEmail:
        return True
    return not is_authenticated(message) or "FAIL" in {message.verdicts.spam, message.verdicts.virus}


def _header(head: bytes) -> bytes:
    """The header section alone (RFC 5322 section 2.1): no part of the body is read."""
    return head.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
