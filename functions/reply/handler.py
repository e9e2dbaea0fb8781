"""Lambda handler of SendReply and its sisters, the refusal and the notices: `ReplyRequest` in, `Replied` out."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from mailstep import sending
from mailstep.contracts import Message, ReplyRequest
from mailstep.telemetry import logger, metrics


@logger.inject_lambda_context(correlation_id_path="claim.email.id")
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    request = ReplyRequest.model_validate(event)
    sending.ledger_config.register_lambda_context(context)
    replied = sending.reply(request, on_sent=partial(_count, request))
    logger.info("Replied", extra={"kind": request.kind, "ses_message_id": replied.ses_message_id})
    return replied.model_dump(mode="json")


def _count(request: ReplyRequest, message: Message) -> None:
    metrics.add_dimension(name="kind", value=request.kind)
    metrics.add_dimension(name="route", value=request.claim.route)
    # Over all routes too: an alarm cannot add up percentiles.
    metrics.add_dimensions(kind=request.kind)
    metrics.add_metric(name="RepliesSent", unit=MetricUnit.Count, value=1)
    if message.received:
        since = datetime.now(UTC) - message.received
        metrics.add_metric(name="TimeToReply", unit=MetricUnit.Milliseconds, value=since.total_seconds() * 1000)
