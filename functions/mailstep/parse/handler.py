"""Lambda handler of ParseEmail: `StoredEmail` in, `Claim` out; and of CheckSender, for a message in quarantine."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from mailstep import metrics, settings
from mailstep.contracts import CheckedSender, CheckSenderRequest, StoredEmail
from mailstep.parse.rubbish import is_rubbish
from mailstep.parse.stored import parse_stored
from mailstep.telemetry import logger


@logger.inject_lambda_context(correlation_id_path="email_id")
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    settings.ParseFunction.read()
    if "unreadable" in event:
        return _check_sender(CheckSenderRequest.model_validate(event)).model_dump(mode="json")
    email = StoredEmail.model_validate(event)
    claim = parse_stored(email, lambda: context.get_remaining_time_in_millis() / 1_000, int(context.memory_limit_in_mb))
    return claim.model_dump(mode="json")


def _check_sender(request: CheckSenderRequest) -> CheckedSender:
    metrics.EMAILS_QUARANTINED.emit(route=request.route)
    return CheckedSender(alert_operators=not is_rubbish(request))
