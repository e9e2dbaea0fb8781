"""Lambda handler of every state that sends: `ReplyRequest` in, `Replied` out."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from mailstep import metrics, settings
from mailstep.contracts import Message, ReplyRequest
from mailstep.outcomes import ReplyKind
from mailstep.reply import send_once
from mailstep.telemetry import logger


@logger.inject_lambda_context(correlation_id_path="claim.email.email_id")
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    settings.ReplyFunction.read()
    request = ReplyRequest.model_validate(event)
    replied = send_once.reply(
        request, remaining_milliseconds=context.get_remaining_time_in_millis, on_sent=partial(_count, request)
    )
    logger.info("Replied", extra={"kind": request.kind, **replied.model_dump()})
    return replied.model_dump(mode="json")


def _count(request: ReplyRequest, message: Message) -> None:
    metrics.REPLIES_SENT.emit(kind=request.kind)
    # An operator chooses the time of a replay, so it does not measure how long a sender waits.
    if request.kind == ReplyKind.ANSWER and message.received and not request.claim.email.replay:
        waited = (datetime.now(UTC) - message.received) / timedelta(milliseconds=1)
        # CloudWatch cannot compute percentiles of a metric with negative values.
        metrics.TIME_TO_REPLY.emit(max(0.0, waited), route=request.claim.email.route)
