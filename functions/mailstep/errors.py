"""The errors the steps raise, each named for what its catcher in statemachine/email.asl.json does about it.

Step Functions sees the class name as `Error` and `str(error)` inside `Cause`; neither may carry personal data.
"""

import json


class MailstepError(Exception):
    """Root of all errors that are Mailstep's own."""


class TransientError(MailstepError):
    """A service was throttled, unreachable or answered 5xx: the workflow retries the same step."""


class ApplicationBusy(MailstepError):
    """The application asks to come again later (Retry-After): the workflow waits at least that long.

    Its text is JSON: `{"retry_after_seconds"}`.
    """

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(json.dumps({"retry_after_seconds": retry_after_seconds}))


class UnreadableEmail(MailstepError):
    """No email can be had from the object (missing, empty, too large): the workflow quarantines it."""


class RefusedEmail(MailstepError):
    """Policy says no: the workflow tells the sender why, or stays silent.

    Its text is JSON, because that is all that reaches the state machine: `{"reason", "tell_sender", "explanation",
    "digest_key"}`. The explanation is our own sentence; what others wrote lies in S3, at the digest key.
    """

    def __init__(self, reason: str, explanation: str, *, tell_sender: bool) -> None:
        self.reason, self.explanation, self.tell_sender = reason, explanation, tell_sender
        told = {"reason": reason, "tell_sender": tell_sender, "explanation": explanation, "digest_key": None}
        super().__init__(json.dumps(told))


class ApplicationRefused(MailstepError):
    """The application answered 4xx with a reason: the workflow replies with that reason.

    Its text is JSON of the same shape as that of `RefusedEmail`. Text of errors is logged by AWS's runtime, and the
    reason may name a person: it travels as a digest in S3 instead.
    """

    def __init__(self, explanation: str, digest_key: str | None = None) -> None:
        self.explanation = explanation
        told = {"reason": "application_refused", "tell_sender": True, "explanation": None, "digest_key": digest_key}
        super().__init__(json.dumps(told))


class ReplyRejected(MailstepError):
    """SES does not take the reply, and would not take it again: an operator mends the cause, then redrives.

    SES's own text names the recipient, so that only the name of its error is kept.
    """

    def __init__(self, ses_error: str) -> None:
        super().__init__(
            f"SES answered {ses_error}: is the sending domain verified, and the account out of the sandbox "
            "(or the recipient verified)?"
        )


class ConfigurationError(MailstepError):
    """routes.toml or the environment is wrong: an operator mends it, then redrives the execution."""
