"""Lambda handler of ParseEmail: `StoredEmail` in, `Claim` out."""

from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.parser import event_parser
from aws_lambda_powertools.utilities.typing import LambdaContext

from mailstep import storage
from mailstep.contracts import Claim, StoredEmail
from mailstep.parsing import envelope, parse
from mailstep.telemetry import logger


@logger.inject_lambda_context(correlation_id_path="id")
@event_parser(model=StoredEmail)
def handler(event: StoredEmail, context: LambdaContext) -> dict[str, Any]:
    message = parse(storage.read_raw(event), event, keep=partial(storage.write_attachment, event.bucket))
    message_key = storage.write_message(event.bucket, message)
    logger.info("Parsed", extra={"attachments": len(message.attachments), "defects": len(message.defects)})
    claim = Claim(email=event, route=event.route, message_key=message_key, envelope=envelope(message))
    return claim.model_dump()
