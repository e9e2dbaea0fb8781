"""Lambda handler of SweepFunction: the hours to look back as `{"hours"}` in, `{"compared", "filled", "complete"}` out.

With `settled_minutes`, it also compares executions that changed as recently; otherwise it leaves those of the last five
minutes to the events that are still on their way.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from mailstep import metrics, settings
from mailstep.aws.message_index import MessageIndex
from mailstep.index.sweep import gaps
from mailstep.telemetry import logger

_SETTLED_MINUTES = 5
_LAST_PAGE_MS = 60_000
"""What a page of executions may take, with retries of throttled calls."""


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    workflow_arn = settings.SweepFunction.read().workflow_arn
    now = datetime.now(UTC)
    swept = gaps.sweep(
        workflow_arn,
        MessageIndex.deployed(),
        now - timedelta(hours=float(event["hours"])),
        now - timedelta(minutes=float(event.get("settled_minutes", _SETTLED_MINUTES))),
        go_on=lambda _: context.get_remaining_time_in_millis() > _LAST_PAGE_MS,
    )
    metrics.INDEX_GAPS_FILLED.emit(swept.filled)
    metrics.SWEEPS_UNFINISHED.emit(int(not swept.complete))
    done = {"compared": swept.compared, "filled": swept.filled, "complete": swept.complete}
    logger.info("Swept", extra=done)
    return done
