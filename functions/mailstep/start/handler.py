"""Lambda handler of StartFunction: a batch of SQS records, each an S3 event, with partial batch responses."""

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from mailstep import metrics, settings
from mailstep.aws import executions
from mailstep.contracts import LaterAnswer, StoredEmail
from mailstep.start import identity, notifications
from mailstep.telemetry import logger

processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


def start_executions(record: SQSRecord) -> None:
    """Start one execution for each email or later answer in the record. A record that fails goes back to the queue."""
    try:
        for found in notifications.objects(record.json_body, settings.StartFunction.read().mail_bucket):
            _start(found)
    except Exception:
        logger.exception("The record goes back to the queue", extra={"sqs_message_id": record.message_id})
        raise


def _start(found: StoredEmail | LaterAnswer | str) -> None:
    here = settings.StartFunction.read()
    if isinstance(found, str):
        logger.warning("Ignored an object that is no mail to a route of this stack", extra={"key": found})
        metrics.STRAY_OBJECTS.emit()
        return
    if isinstance(found, LaterAnswer):
        name = identity.execution_name(found)
        outcome = executions.start(name, found, here.later_answers_arn)
        logger.info("Execution of a later answer %s", outcome, extra={"email_id": found.email_id, "execution": name})
        return
    outcome = executions.start(found.email_id, found, here.workflow_arn)
    metrics.EMAILS_RECEIVED.emit(1 if outcome == "started" else 0)
    logger.info("Execution %s", outcome, extra={"email_id": found.email_id, "route": found.route})


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    settings.StartFunction.read()
    return process_partial_response(event=event, record_handler=start_executions, processor=processor, context=context)
