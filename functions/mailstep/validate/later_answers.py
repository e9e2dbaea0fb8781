"""Decides whether a later answer may be sent: by the same rules of whom Mailstep may write to."""

from datetime import UTC, datetime
from functools import partial

from mailstep import keys, settings
from mailstep.aws import executions, mail_bucket
from mailstep.aws.ledger import Ledger
from mailstep.contracts import Claim, Email, LaterAnswer, LaterAnswerClaim, Message
from mailstep.routes import Route, own_addresses, routes
from mailstep.validate import policy


def validate(answer: LaterAnswer) -> LaterAnswerClaim:
    """The claim of the email that the answer belongs to, and the code of the rule that withholds the answer.

    It is counted to the replies of the sender when it is sent, and under its own name.

    Raises:
        UnknownEmail: there is no such email.
        TransientError: S3 or DynamoDB is unavailable.
    """
    message = mail_bucket.message_of(answer.bucket, answer.email_id)
    email = Email(email_id=message.email_id, route=message.route, bucket=answer.bucket)
    here = settings.ValidateFunction.read()
    case = policy.Case(
        message=_as_of_now(message, answer),
        email=email,
        execution_arn="",
        route=routes().get(message.route) or Route(),
        own_addresses=own_addresses(here.domain, here.reply_from),
        records=Ledger(executions.has_failed),
        open_attachment=partial(mail_bucket.read_attachment, answer.bucket),
    )
    claim = Claim(email=email, message_key=keys.message(message.email_id), summary=message.summary())
    return LaterAnswerClaim(claim=claim, withheld=policy.withheld_from(case))


def _as_of_now(message: Message, answer: LaterAnswer) -> Message:
    return message.model_copy(update={"email_id": f"{answer.email_id}/{answer.name}", "received": datetime.now(UTC)})
