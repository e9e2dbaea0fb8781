"""Lambda handler of ValidateEmail: `Claim` in, the same claim out, or the error that says why not."""

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from mailstep import policy, storage
from mailstep.contracts import Claim
from mailstep.errors import RefusedEmail
from mailstep.routes import routes
from mailstep.telemetry import logger, metrics


@logger.inject_lambda_context(correlation_id_path="email.id")
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    claim = Claim.model_validate(event)
    message = storage.read_message(claim.email.bucket, claim.message_key)
    try:
        policy.validate(message, routes().get(claim.route))
    except RefusedEmail as refused:
        metrics.add_dimension(name="reason", value=refused.reason)
        metrics.add_metric(name="EmailsRefused", unit=MetricUnit.Count, value=1)
        logger.info("Refused", extra={"reason": refused.reason, "tell_sender": refused.tell_sender})
        raise
    metrics.add_metric(name="EmailsAccepted", unit=MetricUnit.Count, value=1)
    return claim.model_dump()
