"""Lambda handler of ProcessEmail: `ProcessRequest` in, `Processed` out."""

from typing import Any

from aws_lambda_powertools.utilities.parser import event_parser
from aws_lambda_powertools.utilities.typing import LambdaContext

from mailstep.contracts import ProcessRequest
from mailstep.processing import process
from mailstep.telemetry import logger


@logger.inject_lambda_context(correlation_id_path="claim.email.id")
@event_parser(model=ProcessRequest)
def handler(event: ProcessRequest, context: LambdaContext) -> dict[str, Any]:
    processed = process(event)
    logger.info("Processed", extra={"route": event.claim.route})
    return processed.model_dump()
