"""Builds the claim of an accepted message, with the settings of its route that the workflow needs."""

from hashlib import sha256

from mailstep.addresses import canonical
from mailstep.contracts import Claim, Message, Processing, ValidClaim
from mailstep.routes import routes


def accept(claim: Claim, message: Message, withheld: str | None) -> ValidClaim:
    """The claim of an accepted message, with the settings of its route that the workflow needs.

    `withheld` is the code of the rule that withholds the reply, or None.
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
    return ValidClaim(**dict(claim), processing=processing, withheld=withheld)
