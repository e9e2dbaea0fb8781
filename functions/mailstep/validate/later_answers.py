"""Decides whether a later answer may be sent, by the rules that say which senders get a reply."""

from datetime import UTC, datetime
from functools import partial

from mailstep import keys, settings
from mailstep.aws import executions, ledger, mail_bucket
from mailstep.contracts import Claim, LaterAnswer, LaterAnswerClaim, Message, StoredEmail
from mailstep.route import Route
from mailstep.routes import own_addresses, routes
from mailstep.telemetry import logger
from mailstep.validate import policy
from mailstep.validate.checking import count_bounded


def check(answer: LaterAnswer) -> LaterAnswerClaim:
    """The claim of the email that the answer belongs to, and the code of the rule that withholds the answer.

    It counts to the replies of the sender, under its own name. The override of the email's latest replay holds for it.

    Raises:
        UnknownEmail: there is no such email.
        TransientError: S3 or DynamoDB is unavailable.
    """
    logger.set_correlation_id(answer.email_id)
    message = mail_bucket.message_of(answer.bucket, answer.email_id)
    email = StoredEmail(email_id=message.email_id, route=message.route, bucket=answer.bucket, key=message.raw_key)
    here = settings.ValidateFunction.read()
    case = policy.Case(
        message=_as_of_now(message, answer),
        email=email,
        execution_arn="",
        route=routes().get(message.route) or Route(),
        own_addresses=own_addresses(here.domain, here.reply_from),
        records=ledger.Ledger(executions.has_failed),
        open_attachment=partial(mail_bucket.read_attachment, answer.bucket),
    )
    claim = Claim(email=email, message_key=keys.message(message.email_id), summary=message.summary())
    withheld = policy.withheld_from(case, ledger.overridden(message.email_id))
    if withheld:
        logger.info("A later answer is not sent", extra={"answer_name": answer.name, "withheld": withheld})
    count_bounded(email.route, withheld)
    return LaterAnswerClaim(claim=claim, withheld=withheld)


def _as_of_now(message: Message, answer: LaterAnswer) -> Message:
    return message.model_copy(update={"email_id": f"{answer.email_id}/{answer.name}", "received": datetime.now(UTC)})
