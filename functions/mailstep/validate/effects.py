"""What a rule of the policy does to a message that breaks it, and what an operator's override of the rule does."""

from dataclasses import dataclass
from enum import StrEnum


class Effect(StrEnum):
    """What happens to a message that breaks a rule."""

    TELL = "tell"
    """Mailstep does not process it, and tells the sender why."""
    REFUSE = "refuse"
    """Mailstep does not process it, and the sender hears nothing."""
    WITHHOLD = "withhold"
    """Mailstep processes it, and the sender gets no reply."""


@dataclass(frozen=True)
class Setting:
    """A setting of the route that gives a rule another effect."""

    name: str
    value: str | bool
    effect: Effect


class Overridden(StrEnum):
    """What `mailstep replay --override` makes of a rule, for one message."""

    PROCESS = "process"
    """The rule does not apply: Mailstep processes the message, and replies."""
    WITHHOLD = "withhold"
    """Mailstep processes the message, and the sender still gets no reply."""
    NEVER = "never"
    """The rule cannot be overridden."""
