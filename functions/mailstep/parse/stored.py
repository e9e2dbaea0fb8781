"""Parses an email in the mail bucket, and stores what was read."""

from collections.abc import Callable
from functools import partial

from mailstep.aws import mail_bucket, threads
from mailstep.budget import Budget, octets_of
from mailstep.contracts import Claim, StoredEmail
from mailstep.parse.message import parse
from mailstep.parse.recipients import place_of
from mailstep.routes import reads_enclosed
from mailstep.telemetry import logger

_READING_SHARE = 0.6
"""Of the time that is left when the message is here. The rest is for storing what was read."""


def parse_stored(email: StoredEmail, seconds_left: Callable[[], float], memory_mb: int) -> Claim:
    """Parse a stored email, and store its attachments and then the message. Return the claim on them.

    Args:
        email: where the raw message is.
        seconds_left: says how much time there is.
        memory_mb: the memory of the function, in MiB.

    Raises:
        UnreadableEmail: it is no email, or reading it takes more time or memory than there is.
        TransientError: S3 or DynamoDB is unavailable.
    """
    raw = mail_bucket.read_raw(email)
    budget = Budget(seconds=seconds_left() * _READING_SHARE, octets=octets_of(memory_mb))
    keep = partial(mail_bucket.write_attachment, email.bucket)
    message = parse(
        raw,
        email,
        keep,
        budget,
        enclosed=reads_enclosed(email.route),
        place=place_of(email.route),
        find_thread=threads.thread_of_reply,
    )
    message_key = mail_bucket.write_message(email.bucket, message)
    found = {"attachments": len(message.attachments), "defects": message.defects, "failures": sorted(budget.failures)}
    logger.info("Parsed", extra=found)
    return Claim(email=email, message_key=message_key, summary=message.summary())
