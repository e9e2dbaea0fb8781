"""The errors the steps raise, each named for its condition, with what the workflow does about it.

Step Functions sees the class name as `Error` and `str(error)` inside `Cause`; neither may carry personal data.
"""

import json
from typing import ClassVar

from mailstep.outcomes import APPLICATION_REFUSED


class MailstepError(Exception):
    """Root of all errors that are Mailstep's own."""

    workflow: ClassVar[str]
    """What the workflow does about it, as docs/architecture.md, "Errors", says."""


class TransientError(MailstepError):
    """A service was throttled, unreachable or answered 5xx."""

    workflow = "retries, first within a second"


class ApplicationBusy(MailstepError):
    """The application asks to come again later (Retry-After).

    Its text is JSON: `{"retry_after_seconds"}`.
    """

    workflow = "waits that long, then asks again"

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(json.dumps({"retry_after_seconds": retry_after_seconds}))


class UnreadableEmail(MailstepError):
    """The object holds no email, or reading it takes more than a message may."""

    workflow = "copies it to `quarantine/`, tagged; alerts"


class RefusedEmail(MailstepError):
    """A rule of the policy refuses the email.

    Its text is JSON, because that is all that reaches the state machine: `{"reason", "tell_sender", "explanation",
    "answer_key"}`. The explanation is our own sentence; what others wrote lies in S3, at the answer key.
    """

    workflow = "replies with the reason, or stays silent"

    def __init__(self, reason: str, explanation: str, *, tell_sender: bool) -> None:
        self.reason, self.explanation, self.tell_sender = reason, explanation, tell_sender
        told = {"reason": reason, "tell_sender": tell_sender, "explanation": explanation, "answer_key": None}
        super().__init__(json.dumps(told))


class ApplicationRefused(MailstepError):
    """The application answered 4xx with a reason.

    Its text is JSON of the same shape as that of `RefusedEmail`. Text of errors is logged by AWS's runtime, and the
    reason may name a person: it travels as an answer in S3 instead.
    """

    workflow = "replies with that reason"

    def __init__(self, explanation: str, answer_key: str | None = None) -> None:
        self.explanation = explanation
        told = {"reason": APPLICATION_REFUSED, "tell_sender": True, "explanation": None, "answer_key": answer_key}
        super().__init__(json.dumps(told))


class ApplicationDenied(MailstepError):
    """The application rejected our credentials (401 or 403)."""

    workflow = "tries again within seconds, with the secret read anew"


class SendUnconfirmed(MailstepError):
    """SES may have taken the reply, and did not say so in time."""

    workflow = "sends it once more, a minute later"


class ReplyRejected(MailstepError):
    """SES rejects the reply, and would reject it again.

    The operators' alert carries the name, `mailstep history` the text too. SES's own text names the recipient: it is
    not kept.
    """

    workflow = "fails on the task; an operator does what the error's text says, then redrives"

    remedy = "See the reputation dashboard of SES, and what the application put into the answer."

    def __init__(self, ses_error: str) -> None:
        super().__init__(f"SES answered {ses_error}. {self.remedy} Then redrive the execution.")


class SenderNotVerified(ReplyRejected):
    """The sender's identity is not verified in this Region."""

    remedy = "Verify the stack's Domain as an identity of SES in the Region of the stack."


class AccountInSandbox(ReplyRejected):
    """The account may send to verified addresses only."""

    remedy = "Request production access for SES, or verify the recipient while you try Mailstep out."


class MailFromDomainNotVerified(ReplyRejected):
    """The identity's custom MAIL FROM domain has no valid MX record, and the identity is set to reject then."""

    remedy = "Mend the MX record of the identity's custom MAIL FROM domain."


class SendingPaused(ReplyRejected):
    """Sending is paused, for the account or for the configuration set."""

    remedy = "See why in the reputation dashboard of SES; have AWS Support, or yourself, resume sending."


class ConfigurationSetMissing(ReplyRejected):
    """The configuration set of the stack is gone."""

    remedy = "Deploy the stack again: its configuration set is gone."


class ReplyContentRejected(ReplyRejected):
    """SES found a virus in the reply, an attachment of a type that it never sends, or fields that it cannot read."""

    remedy = "Look at the answer in the mail bucket: SES takes no virus, and no attachment of some executable types."


class ConfigurationError(MailstepError):
    """routes.toml or the environment is wrong."""

    workflow = "fails on the task, in ProcessEmail after it told the sender; an operator corrects it, then redrives"


class MalformedAnswer(MailstepError):
    """The application's answer cannot be used.

    Its text says what was wrong, not what was in it.
    """

    workflow = "tells the sender, asks once more, then fails"
