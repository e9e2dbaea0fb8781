"""How an email ends, and what a reply is: the names that the workflow, the metrics, the docs and the command share.

The reasons of a refusal are the codes of the policy's rules (validate/policy.py), and `APPLICATION_REFUSED`.
"""

from enum import StrEnum


class Outcome(StrEnum):
    """How an email ended: `outcome` in the output of its execution, unless that failed."""

    REPLIED = "replied"
    PROCESSED = "processed"
    REFUSED = "refused"
    SILENT = "silent"
    QUARANTINED = "quarantined"
    # An execution without an output: it failed, timed out or was stopped.
    FAILED = "failed"

    @property
    def means(self) -> str:
        """What the outcome says of the email and its sender."""
        return _MEANINGS[self]


_MEANINGS = {
    Outcome.REPLIED: "the sender has the answer",
    Outcome.PROCESSED: "the email is processed, and there is no answer to send",
    Outcome.REFUSED: "a rule of the policy, or the application, refused the email, and the sender is told why",
    Outcome.SILENT: "a rule of the policy refused the email, and nobody is told",
    Outcome.QUARANTINED: "the object could not be read; it is kept, and the operators are told",
    Outcome.FAILED: "the execution failed, timed out or was stopped; the operators are told, and can redrive it",
}


class ReplyKind(StrEnum):
    """What a reply says. An email gets at most one reply of each kind."""

    ANSWER = "answer"
    REFUSAL = "refusal"
    DELAY = "delay"
    FAILURE = "failure"
    COMPLETION = "completion"


APPLICATION_REFUSED = "application_refused"
"""The reason of a refusal that the application gave; those of the policy's rules are in validate/policy.py."""
