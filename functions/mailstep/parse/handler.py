"""Lambda handler of ParseEmail: `StoredEmail` in, `Claim` out."""

from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from mailstep.aws import mail_bucket
from mailstep.contracts import Claim, StoredEmail
from mailstep.parse.budget import Budget
from mailstep.parse.message import parse, summary
from mailstep.routes import reads_enclosed
from mailstep.telemetry import logger

# Of the time that is left when the message is here, what reading it may take; of the memory, what is for other things:
# the runtime beside this process, and storing what was read.
_READING_SHARE = 0.6
_OTHER_OCTETS = 96 * 1024 * 1024


@logger.inject_lambda_context(correlation_id_path="email_id")
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    email = StoredEmail.model_validate(event)
    raw = mail_bucket.read_raw(email)
    budget = Budget(
        seconds=context.get_remaining_time_in_millis() / 1_000 * _READING_SHARE,
        octets=int(context.memory_limit_in_mb) * 1024 * 1024 - _OTHER_OCTETS,
    )
    message = parse(
        raw, email, partial(mail_bucket.write_attachment, email.bucket), budget, enclosed=reads_enclosed(email.route)
    )
    message_key = mail_bucket.write_message(email.bucket, message)
    found = {"attachments": len(message.attachments), "defects": message.defects, "failures": sorted(budget.failures)}
    logger.info("Parsed", extra=found)
    claim = Claim(email=email, message_key=message_key, summary=summary(message))
    return claim.model_dump(mode="json")
