"""Lambda handler of IndexFunction: a batch of SQS records, each a status event, with partial batch responses."""

from typing import Any

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from mailstep import settings, sqs_batches
from mailstep.aws.message_index import MessageIndex
from mailstep.index import indexing, status_events
from mailstep.telemetry import logger


def index_execution(record: SQSRecord) -> None:
    """Index the execution of one event."""
    seen = status_events.of_event(record.json_body)
    if seen is None:
        logger.warning(
            "Ignored a record that is not a status event of an email", extra={"sqs_message_id": record.message_id}
        )
        return
    changed = indexing.record(MessageIndex.deployed(), seen)
    about = {"email_id": seen.email.email_id, "outcome": seen.execution.outcome, "changed": changed}
    logger.info("Indexed", extra=about)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    settings.IndexFunction.read()
    return sqs_batches.each(event, index_execution, context)
