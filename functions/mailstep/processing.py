"""ProcessEmail: hand the message to whom its route names, and keep the digest."""

from functools import partial
from hashlib import sha256

from mailstep import application, replying, storage
from mailstep.contracts import (
    ApplicationRequest,
    Claim,
    Digest,
    Message,
    Processed,
    Processing,
    ProcessRequest,
    ValidClaim,
)
from mailstep.errors import ApplicationRefused, ConfigurationError
from mailstep.processors import built_in
from mailstep.routes import Route, routes

ATTACHMENT_LINK_SECONDS = 35
"""How long the application may fetch attachments: until the step's deadline. Each try has links of its own."""


def process(request: ProcessRequest) -> Processed:
    """Process a message that ValidateEmail let pass; the digest is stored, its key answered.

    Raises:
        ConfigurationError: the route is gone, or names a processor that is not there.
        ApplicationRefused, ApplicationBusy, MalformedAnswer, TransientError: see `application.ask`.
    """
    claim = request.claim
    bucket = claim.email.bucket
    message = storage.read_message(bucket, claim.message_key)
    route = routes().get(claim.route)
    if route is None:
        raise ConfigurationError(f"the route {claim.route!r} is gone from routes.toml")
    if route.url:
        digest: Digest | None = _ask_application(route, bucket, message, request.idempotency_key)
    else:
        digest = built_in(route.processor)(message, partial(storage.read_attachment, bucket))
    return Processed(digest_key=storage.write_digest(bucket, message.id, digest) if digest else None)


def _ask_application(route: Route, bucket: str, message: Message, idempotency_key: str) -> Digest | None:
    try:
        return application.ask(route, _application_request(bucket, message), idempotency_key)
    except ApplicationRefused as refused:
        key = storage.write_digest(bucket, message.id, replying.notice("refusal", message, refused.explanation))
        raise ApplicationRefused(refused.explanation, key) from None


def _application_request(bucket: str, message: Message) -> ApplicationRequest:
    urls = {
        attachment.key: storage.attachment_url(bucket, attachment, seconds=ATTACHMENT_LINK_SECONDS)
        for attachment in message.attachments
    }
    return ApplicationRequest(message=message, attachment_urls=urls)


def accept(claim: Claim, message: Message) -> ValidClaim:
    """The claim of a message that the policy let pass, with what the workflow has to know of its route."""
    route = routes()[claim.route]
    processing = Processing(
        queue_url=route.queue,
        # SQS takes 128 characters of a group; an address is nobody's to read there.
        group=sha256(message.from_[0].address.lower().encode()).hexdigest(),
        limit_seconds=route.limit_seconds,
        heartbeat_seconds=route.heartbeat_seconds or route.limit_seconds - 1,
        patience_seconds=route.patience_seconds,
    )
    return ValidClaim(**dict(claim), processing=processing)
