"""The errors that the steps raise, each named for its condition, with what the workflow does about it.

Step Functions sees the class name as `Error` and `str(error)` inside `Cause`; neither may carry personal data.
"""

import json
from typing import ClassVar

from mailstep.outcomes import APPLICATION_REFUSED

REASON_BOUND = 500
"""Characters of the reason with which an application refuses a message."""


class MailstepError(Exception):
    """Root of all errors that are Mailstep's own."""

    workflow: ClassVar[str]
    """What the workflow does about it, as docs/architecture.md, "Errors", says."""


class TransientError(MailstepError):
    """A service throttled us, was unreachable or answered 5xx."""

    workflow = "retries, first within a second"


class ApplicationBusy(MailstepError):
    """The application asked us to try again later (Retry-After).

    Its text is JSON: `{"retry_after_seconds"}`.
    """

    workflow = "waits that long, then calls it again"

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(json.dumps({"retry_after_seconds": retry_after_seconds}))


class UnreadableEmail(MailstepError):
    """The object is not an email, or parsing it takes too much time or memory."""

    workflow = "copies it to `quarantine/`, tagged; alerts unless it is rubbish"


class UnknownEmail(MailstepError):
    """A later answer names an email that is not in the mail bucket: its name is misspelt, or it has expired."""

    workflow = "fails on the task; the answer's writer corrects the key"


class RefusedEmail(MailstepError):
    """A rule of the policy refused the email.

    Its text is JSON, because only the text reaches the state machine: `{"reason", "tell_sender", "explanation",
    "answer_key", "withheld"}`. The explanation is Mailstep's own sentence. Anything that others wrote is in S3, at the
    answer key. `withheld` is the code of the rule that withholds a reply to the sender, or null.
    """

    workflow = "replies with the reason, or stays silent"

    def __init__(self, reason: str, explanation: str, *, tell_sender: bool, withheld: str | None = None) -> None:
        self.reason, self.explanation, self.tell_sender, self.withheld = reason, explanation, tell_sender, withheld
        told = {"reason": reason, "tell_sender": tell_sender, "explanation": explanation, "answer_key": None}
        super().__init__(json.dumps(told | {"withheld": withheld}))


class ApplicationRefused(MailstepError):
    """The application, or a built-in processor, refuses the message: `explanation` is the reason, as one short line.

    Its text is JSON, as that of `RefusedEmail` but without `withheld`. AWS's runtime logs the text of errors, and the
    reason may name a person, so the reason travels as an answer in S3.
    """

    workflow = "replies with that reason"

    def __init__(self, reason: str, answer_key: str | None = None) -> None:
        """Refuse with a reason that the sender reads; it has at most `REASON_BOUND` characters.

        Raises:
            ValueError: the reason is empty.
        """
        self.explanation = " ".join(reason.split())[:REASON_BOUND]
        if not self.explanation:
            raise ValueError("the sender needs a reason: say what to change")
        told = {"reason": APPLICATION_REFUSED, "tell_sender": True, "explanation": None, "answer_key": answer_key}
        super().__init__(json.dumps(told))


class ApplicationDenied(MailstepError):
    """The application rejected our credentials (401 or 403)."""

    workflow = "tries again within seconds, with the secret read anew"


class SendUnconfirmed(MailstepError):
    """SES did not confirm in time that it accepted the reply."""

    workflow = "sends it once more, a minute later"


class ReplyRejected(MailstepError):
    """SES rejected the reply, and would reject it again.

    The operators' alert has the name, and `mailstep history` also has the text. SES's own text names the recipient, so
    it is not kept.
    """

    workflow = "fails on the task; an operator does what the error's text says, then redrives"

    remedy = "Check the reputation dashboard of SES, and the application's answer."

    def __init__(self, ses_error: str) -> None:
        super().__init__(f"SES answered {ses_error}. {self.remedy} Then redrive the execution.")


class SenderNotVerified(ReplyRejected):
    """The sender's identity is not verified in this Region."""

    remedy = "Verify the stack's Domain as an SES identity in the Region of the stack."


class AccountInSandbox(ReplyRejected):
    """The account may send only to verified addresses."""

    remedy = "Request production access for SES. Until then, verify the recipients that you test with."


class MailFromDomainNotVerified(ReplyRejected):
    """The identity's custom MAIL FROM domain has no valid MX record, and the identity is set to reject mail then."""

    remedy = "Correct the MX record of the identity's custom MAIL FROM domain."


class SendingPaused(ReplyRejected):
    """Sending is paused for the account or the configuration set."""

    remedy = "Find the reason in the reputation dashboard of SES, then resume sending or ask AWS Support to."


class ConfigurationSetMissing(ReplyRejected):
    """The stack's configuration set was deleted."""

    remedy = "Deploy the stack again: its configuration set was deleted."


class ReplyContentRejected(ReplyRejected):
    """SES found a virus in the reply, an attachment of a type that it never sends, or fields that it cannot read."""

    remedy = "Check the answer in the mail bucket: SES rejects viruses and some executable types of attachment."


class ConfigurationError(MailstepError):
    """routes.toml or the environment is wrong."""

    workflow = "fails on the task, in ProcessEmail after it told the sender; an operator corrects it, then redrives"


class MalformedAnswer(MailstepError):
    """The application's answer, or a later answer, is invalid.

    Its text says what was wrong, without the content of the answer.
    """

    workflow = "tells the sender, asks once more, then fails"
