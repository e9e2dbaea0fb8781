"""Lambda handler of ValidateEmail: `ValidateRequest` in, `ValidClaim` out, or `RefusedEmail` with the reason.

And of ValidateLaterAnswer: `LaterAnswerRequest` in, `LaterAnswerClaim` out.
"""

from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from mailstep import metrics, settings
from mailstep.aws import executions, mail_bucket, threads
from mailstep.aws.ledger import Ledger
from mailstep.contracts import LaterAnswer, LaterAnswerRequest, ValidateRequest
from mailstep.errors import RefusedEmail
from mailstep.routes import deployed_names, own_addresses, routes, with_the_same_processor
from mailstep.telemetry import logger
from mailstep.validate import later_answers, policy
from mailstep.validate.acceptance import accept


@logger.inject_lambda_context(correlation_id_path="claim.email.email_id")
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    here = settings.ValidateFunction.read()
    if event.keys() == LaterAnswerRequest.model_fields.keys():
        return _later_answer(LaterAnswerRequest.model_validate(event).later_answer)
    request = ValidateRequest.model_validate(event)
    claim = request.claim
    bucket = claim.email.bucket
    case = policy.Case(
        message=mail_bucket.read_message(bucket, claim.message_key),
        email=claim.email,
        execution_arn=request.execution_arn,
        route=routes().get(claim.email.route),
        own_addresses=own_addresses(here.domain, here.reply_from),
        records=Ledger(executions.has_failed),
        open_attachment=partial(mail_bucket.read_attachment, bucket),
        other_routes=deployed_names() - {claim.email.route},
        same_processor=with_the_same_processor(claim.email.route, here.domain),
    )
    if claim.email.override:
        logger.info("Overridden", extra=claim.email.override.model_dump())
    try:
        withheld = policy.validate(case)
    except RefusedEmail as refused:
        metrics.EMAILS_REFUSED.emit(route=claim.email.route, reason=refused.reason)
        logger.info("Refused", extra={"reason": refused.reason, "tell_sender": refused.tell_sender})
        _count_bounded(claim.email.route, refused.withheld)
        raise
    metrics.EMAILS_ACCEPTED.emit(route=claim.email.route)
    if withheld:
        metrics.EMAILS_WITHHELD.emit(route=claim.email.route, reason=withheld)
        logger.info("Withheld", extra={"reason": withheld})
    _count_bounded(claim.email.route, withheld)
    return accept(claim, case.message, withheld, threads.join).model_dump(mode="json")


def _count_bounded(route: str, withheld: str | None) -> None:
    if withheld == policy.TOO_MANY_REPLIES:
        metrics.REPLIES_BOUNDED.emit(route=route)


def _later_answer(answer: LaterAnswer) -> dict[str, Any]:
    logger.set_correlation_id(answer.email_id)
    found = later_answers.validate(answer)
    if found.withheld:
        logger.info("A later answer is not sent", extra={"answer_name": answer.name, "withheld": found.withheld})
    _count_bounded(found.claim.email.route, found.withheld)
    return found.model_dump(mode="json")
