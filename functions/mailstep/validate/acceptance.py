"""Builds the claim of an accepted message, with the settings of its route that the workflow needs."""

from collections.abc import Callable
from hashlib import sha256

from mailstep.addresses import canonical
from mailstep.authentication import is_authenticated
from mailstep.contracts import Claim, EarlierEmail, Message, Processing, ValidClaim
from mailstep.routes import routes

JoinThread = Callable[[Message], tuple[EarlierEmail, ...]]
"""Adds a message to its thread, and returns the earlier ones of its sender."""


def accept(claim: Claim, message: Message, withheld: str | None, join: JoinThread) -> ValidClaim:
    """The claim of an accepted message, with the settings of its route that the workflow needs.

    `withheld` is the code of the rule that withholds the reply, or None. `join` adds the message to its thread, if the
    route has `thread` and the sender is authenticated: nothing is known of a forged address.
    """
    route = routes()[claim.email.route]
    processing = Processing(
        queue_url=route.queue,
        # A group name has at most 128 characters (SQS), and must not show the address.
        group=sha256(canonical(message.from_[0].address).encode()).hexdigest(),
        limit_seconds=route.limit_seconds,
        heartbeat_seconds=route.heartbeat_seconds or route.limit_seconds - 1,
        outage_seconds=route.outage_seconds,
    )
    thread = join(message) if route.thread and is_authenticated(message) else ()
    return ValidClaim(**dict(claim), processing=processing, withheld=withheld, thread=thread)
