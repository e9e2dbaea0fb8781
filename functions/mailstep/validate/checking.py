"""Checks an email in the mail bucket by the policy, and logs and counts what was decided."""

from functools import partial

from mailstep import metrics, settings
from mailstep.aws import executions, ledger, mail_bucket, threads
from mailstep.contracts import ValidateRequest, ValidClaim
from mailstep.errors import RefusedEmail
from mailstep.routes import deployed_names, own_addresses, routes, with_the_same_processor
from mailstep.telemetry import logger
from mailstep.validate import policy
from mailstep.validate.acceptance import accept


def check(request: ValidateRequest) -> ValidClaim:
    """The claim of an email that the policy accepts, and the code of the rule that withholds the reply, if one does.

    Raises:
        RefusedEmail: a rule refuses it.
        TransientError: S3, DynamoDB or Step Functions is unavailable.
    """
    claim, email = request.claim, request.claim.email
    message = mail_bucket.read_message(email.bucket, claim.message_key)
    if email.override:
        logger.info("Overridden", extra=email.override.model_dump())
    if email.replay:
        ledger.record_override(email.email_id, email.override.rule if email.override else "")
    here = settings.ValidateFunction.read()
    case = policy.Case(
        message=message,
        email=email,
        execution_arn=request.execution_arn,
        route=routes().get(email.route),
        own_addresses=own_addresses(here.domain, here.reply_from),
        records=ledger.Ledger(executions.has_failed),
        open_attachment=partial(mail_bucket.read_attachment, email.bucket),
        other_routes=deployed_names() - {email.route},
        same_processor=with_the_same_processor(email.route, here.domain),
    )
    return accept(claim, message, _decide(case), threads.join)


def _decide(case: policy.Case) -> str | None:
    """Apply the policy. Return the code of the rule that withholds the reply, or None."""
    route = case.email.route
    try:
        withheld = policy.validate(case)
    except RefusedEmail as refused:
        metrics.EMAILS_REFUSED.emit(route=route, reason=refused.reason)
        logger.info("Refused", extra={"reason": refused.reason, "tell_sender": refused.tell_sender})
        count_bounded(route, refused.withheld)
        raise
    metrics.EMAILS_ACCEPTED.emit(route=route)
    if withheld:
        metrics.EMAILS_WITHHELD.emit(route=route, reason=withheld)
        logger.info("Withheld", extra={"reason": withheld})
    count_bounded(route, withheld)
    return withheld


def count_bounded(route: str, withheld: str | None) -> None:
    """Count a reply that the bounds of replies withhold. RepliesBoundedAlarm watches the count."""
    if withheld == policy.TOO_MANY_REPLIES:
        metrics.REPLIES_BOUNDED.emit(route=route)
