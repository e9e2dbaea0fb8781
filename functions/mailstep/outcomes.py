"""How an email ends, and what a reply is: the names that the workflow, the metrics, the docs and the command share.

The reasons of a refusal are the codes of the policy's rules (validate/policy.py), and `APPLICATION_REFUSED`.
"""

from enum import StrEnum
from typing import Final, Literal


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
    Outcome.PROCESSED: "the email is processed, and the sender gets no reply",
    Outcome.REFUSED: "a rule of the policy or the application refused the email, and the sender gets the reason",
    Outcome.SILENT: "a rule of the policy or the application refused the email, and the sender gets no reply",
    Outcome.QUARANTINED: "it could not be read or checked; the workflow keeps it, and alerts operators or counts it",
    Outcome.FAILED: "the execution failed, timed out or was stopped; the operators get an alert and can redrive it",
}


class ReplyKind(StrEnum):
    """What a reply says. An email gets at most one reply of each kind."""

    ANSWER = "answer"
    REFUSAL = "refusal"
    DELAY = "delay"
    FAILURE = "failure"
    COMPLETION = "completion"
    # Of these, an email can get several, each under its own name.
    LATER_ANSWER = "later_answer"


RUNNING: Final = "running"
"""In the index, in place of an outcome: the execution still runs."""
UNKNOWN: Final = "unknown"
"""In the index, in place of an outcome: Step Functions has no execution of the email, or forgot it."""
Standing = Outcome | Literal["running", "unknown"]
"""How an email stands, in the index."""

ENDED_BADLY: Final = ("FAILED", "TIMED_OUT", "ABORTED")
"""The statuses of an execution that ended without success (AWS Step Functions API Reference, DescribeExecution)."""

APPLICATION_REFUSED = "application_refused"
"""The reason code if the application refused the email. The other reasons are in validate/policy.py."""
