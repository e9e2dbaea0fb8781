"""Lambda handler of FeedbackFunction: takes SNS records, each an event of SES about a reply; returns nothing."""

from typing import Any

from aws_lambda_powertools.utilities.data_classes import SNSEvent
from aws_lambda_powertools.utilities.typing import LambdaContext

from mailstep import metrics, settings
from mailstep.aws.message_index import MessageIndex
from mailstep.feedback import suppression, tying
from mailstep.telemetry import logger


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    settings.FeedbackFunction.read()
    index = MessageIndex.deployed()
    for record in SNSEvent(event).records:
        found = suppression.record(record.sns.message)
        about = {
            "email_id": tying.tie(index, found),
            "sns_message_id": record.sns.message_id,
            "ses_message_id": found.ses_message_id,
            "kind": found.kind,
            "suppressed": found.suppressed,
            "unread": found.unread,
        }
        if found.unread:
            metrics.FEEDBACK_UNREAD.emit(found.unread)
            logger.warning("Feedback that cannot be read", extra=about)
        else:
            logger.info("Feedback", extra=about)
        if found.is_ours:
            metrics.SENDERS_SUPPRESSED.emit(found.suppressed)
