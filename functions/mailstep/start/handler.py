"""Lambda handler of StartFunction: a batch of SQS records, each an S3 event, with partial batch responses."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from mailstep import settings, sqs_batches
from mailstep.start.starting import start_executions
from mailstep.telemetry import logger


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    settings.StartFunction.read()
    return sqs_batches.each(event, lambda record: start_executions(record.json_body), context)
