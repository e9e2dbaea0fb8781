"""Lambda handler of ParseEmail: `StoredEmail` in, `Claim` out."""

from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from mailstep import storage
from mailstep.contracts import Claim, StoredEmail
from mailstep.parsing import envelope, parse
from mailstep.telemetry import logger


@logger.inject_lambda_context(correlation_id_path="id")
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    email = StoredEmail.model_validate(event)
    message = parse(storage.read_raw(email), email, keep=partial(storage.write_attachment, email.bucket))
    message_key = storage.write_message(email.bucket, message)
    logger.info("Parsed", extra={"attachments": len(message.attachments), "defects": len(message.defects)})
    claim = Claim(email=email, route=email.route, message_key=message_key, envelope=envelope(message))
    return claim.model_dump(mode="json")
