"""Takes the records of a batch of SQS one by one: only those that fail go back to the queue."""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from mailstep.telemetry import logger

_processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


def each(event: dict[str, Any], act: Callable[[SQSRecord], None], context: LambdaContext) -> Any:
    """Call `act` for each record; return the ids of those that failed, as ReportBatchItemFailures asks for.

    (AWS Lambda Developer Guide, "Handling errors for an SQS event source": batchItemFailures.)
    """

    def act_or_log(record: SQSRecord) -> None:
        try:
            act(record)
        except Exception:
            logger.exception("The record goes back to the queue", extra={"sqs_message_id": record.message_id})
            raise

    return process_partial_response(event=event, record_handler=act_or_log, processor=_processor, context=context)
