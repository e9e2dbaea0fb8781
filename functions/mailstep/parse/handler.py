"""Lambda handler of ParseEmail: `StoredEmail` in, `Claim` out."""

from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from mailstep import settings
from mailstep.aws import mail_bucket, threads
from mailstep.budget import Budget, octets_of
from mailstep.contracts import Claim, StoredEmail
from mailstep.parse.message import parse
from mailstep.parse.recipients import place_of
from mailstep.routes import reads_enclosed
from mailstep.telemetry import logger

_READING_SHARE = 0.6
"""Of the time that is left when the message is here. The rest is for storing what was read."""


@logger.inject_lambda_context(correlation_id_path="email_id")
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    settings.ParseFunction.read()
    email = StoredEmail.model_validate(event)
    raw = mail_bucket.read_raw(email)
    budget = Budget(
        seconds=context.get_remaining_time_in_millis() / 1_000 * _READING_SHARE,
        octets=octets_of(int(context.memory_limit_in_mb)),
    )
    message = parse(
        raw,
        email,
        partial(mail_bucket.write_attachment, email.bucket),
        budget,
        enclosed=reads_enclosed(email.route),
        place=place_of(email.route),
        find_thread=threads.thread_of_reply,
    )
    message_key = mail_bucket.write_message(email.bucket, message)
    found = {"attachments": len(message.attachments), "defects": message.defects, "failures": sorted(budget.failures)}
    logger.info("Parsed", extra=found)
    claim = Claim(email=email, message_key=message_key, summary=message.summary())
    return claim.model_dump(mode="json")
