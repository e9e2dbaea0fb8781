"""Lambda handler of ValidateEmail: `ValidateRequest` in, `ValidClaim` out, or `RefusedEmail` with the reason.

And of ValidateLaterAnswer: `LaterAnswerRequest` in, `LaterAnswerClaim` out.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from mailstep import settings
from mailstep.contracts import LaterAnswerRequest, ValidateRequest
from mailstep.telemetry import logger
from mailstep.validate import later_answers
from mailstep.validate.checking import check


@logger.inject_lambda_context(correlation_id_path="claim.email.email_id")
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    settings.ValidateFunction.read()
    if event.keys() == LaterAnswerRequest.model_fields.keys():
        answer = LaterAnswerRequest.model_validate(event).later_answer
        return later_answers.check(answer).model_dump(mode="json")
    return check(ValidateRequest.model_validate(event)).model_dump(mode="json")
