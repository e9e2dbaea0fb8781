"""Lambda handler of FeedbackFunction: SNS records, each an event of SES about a reply; nothing out."""

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.data_classes import SNSEvent
from aws_lambda_powertools.utilities.typing import LambdaContext

from mailstep import feedback
from mailstep.telemetry import logger, metrics


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    for record in SNSEvent(event).records:
        suppressed = feedback.record(record.sns.message)
        metrics.add_metric(name="SendersSuppressed", unit=MetricUnit.Count, value=suppressed)
        logger.info("Feedback recorded", extra={"sns_message_id": record.sns.message_id, "suppressed": suppressed})
