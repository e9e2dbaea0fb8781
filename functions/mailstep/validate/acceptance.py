"""The claim of a message that the policy let pass, with what the workflow has to know of its route."""

from hashlib import sha256

from mailstep.contracts import Claim, Message, Processing, ValidClaim
from mailstep.routes import routes


def accept(claim: Claim, message: Message) -> ValidClaim:
    """The claim of a message that the policy let pass, with what the workflow has to know of its route."""
    route = routes()[claim.route]
    processing = Processing(
        queue_url=route.queue,
        # SQS takes 128 characters of a group; an address is nobody's to read there.
        group=sha256(message.from_[0].address.lower().encode()).hexdigest(),
        limit_seconds=route.limit_seconds,
        heartbeat_seconds=route.heartbeat_seconds or route.limit_seconds - 1,
        outage_seconds=route.outage_seconds,
    )
    return ValidClaim(**dict(claim), processing=processing)
