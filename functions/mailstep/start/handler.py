"""Lambda handler of StartFunction: a batch of SQS records, each an S3 event, with partial batch responses."""

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from mailstep import settings
from mailstep.start.starting import start_executions
from mailstep.telemetry import logger

processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


def start(record: SQSRecord) -> None:
    """Start the executions of one record. A record that fails goes back to the queue."""
    try:
        start_executions(record.json_body)
    except Exception:
        logger.exception("The record goes back to the queue", extra={"sqs_message_id": record.message_id})
        raise


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    settings.StartFunction.read()
    return process_partial_response(event=event, record_handler=start, processor=processor, context=context)
