"""Lambda handler of ParseEmail: `StoredEmail` in, `Claim` out."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from mailstep import settings
from mailstep.contracts import StoredEmail
from mailstep.parse.stored import parse_stored
from mailstep.telemetry import logger


@logger.inject_lambda_context(correlation_id_path="email_id")
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    settings.ParseFunction.read()
    email = StoredEmail.model_validate(event)
    claim = parse_stored(email, lambda: context.get_remaining_time_in_millis() / 1_000, int(context.memory_limit_in_mb))
    return claim.model_dump(mode="json")
