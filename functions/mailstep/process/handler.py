"""Lambda handler of ProcessEmail: `ProcessRequest` in, `Processed` out."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from mailstep import settings
from mailstep.contracts import ProcessRequest
from mailstep.process.dispatch import process
from mailstep.telemetry import logger


@logger.inject_lambda_context(correlation_id_path="claim.email.email_id")
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    settings.ProcessFunction.read()
    request = ProcessRequest.model_validate(event)
    processed = process(request)
    logger.info("Processed", extra={"route": request.claim.email.route})
    return processed.model_dump(mode="json")
