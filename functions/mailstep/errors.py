"""The errors the steps raise, each named for what its catcher in statemachine/email.asl.json does about it.

Step Functions sees the class name as `Error` and `str(error)` inside `Cause`; neither may carry personal data.
"""

import json


class MailstepError(Exception):
    """Root of all errors that are Mailstep's own."""


class TransientError(MailstepError):
    """A service was throttled, unreachable or answered 5xx: the workflow retries the same step."""


class UnreadableEmail(MailstepError):
    """No email can be had from the object (missing, empty, too large): the workflow quarantines it."""


class RefusedEmail(MailstepError):
    """Policy says no: the workflow tells the sender why, or stays silent.

    Its text is JSON, because that is all that reaches the state machine: `{"reason", "tell_sender", "explanation"}`.
    """

    def __init__(self, reason: str, explanation: str, *, tell_sender: bool) -> None:
        self.reason, self.explanation, self.tell_sender = reason, explanation, tell_sender
        super().__init__(json.dumps({"reason": reason, "tell_sender": tell_sender, "explanation": explanation}))


class ApplicationRefused(MailstepError):
    """The application answered 4xx with a reason: the workflow replies with that reason.

    Its text is JSON of the same shape as that of `RefusedEmail`.
    """

    def __init__(self, explanation: str) -> None:
        self.explanation = explanation
        super().__init__(json.dumps({"reason": "application_refused", "tell_sender": True, "explanation": explanation}))


class ConfigurationError(MailstepError):
    """routes.toml or the environment is wrong: an operator mends it, then redrives the execution."""
