"""The records kept between messages, as far as the rules of the policy use them."""

from typing import Protocol

from mailstep.contracts import Address, Message


class Records(Protocol):
    """What the rules ask of the ledger (mailstep/aws/ledger.py)."""

    def is_suppressed(self, address: str) -> bool:
        """Whether a bounce or complaint suppressed the address."""

    def record_delivery(self, message: Message, execution_arn: str) -> bool:
        """Record this delivery, and return whether it is the first: no other one was processed or is in progress."""

    def count_reply(self, message: Message, to: Address, at_most: int) -> bool:
        """Count a reply to a mailbox; return whether the bounds that follow from `at_most` allow it."""

    def forget_reply(self, message: Message, to: Address) -> None:
        """Take a reply that is not sent after all out of the counts."""


class NothingOnRecord:
    """The records of a stack that has seen no message. They stay empty."""

    def is_suppressed(self, _address: str) -> bool:
        """No address is."""
        return False

    def record_delivery(self, _message: Message, _execution_arn: str) -> bool:
        """Each delivery is the first."""
        return True

    def count_reply(self, _message: Message, _to: Address, _at_most: int) -> bool:
        """Each reply is allowed."""
        return True

    def forget_reply(self, _message: Message, _to: Address) -> None:
        """No reply was counted."""
