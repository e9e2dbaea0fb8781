"""ProcessEmail: hand the message to whom its route names, and keep the digest."""

from functools import partial

from mailstep import application, replying, storage
from mailstep.contracts import ApplicationRequest, Digest, Message, Processed, ProcessRequest
from mailstep.errors import ApplicationRefused, ConfigurationError
from mailstep.processors import built_in
from mailstep.routes import routes

ATTACHMENT_LINK_SECONDS = 300
"""How long the application may fetch attachments: the step's timeout, and time to work through a queue of its own."""


def process(request: ProcessRequest) -> Processed:
    """Process a message that ValidateEmail let pass; the digest is stored, its key answered."""
    claim = request.claim
    bucket = claim.email.bucket
    message = storage.read_message(bucket, claim.message_key)
    route = routes().get(claim.route)
    if route is None:
        raise ConfigurationError(f"the route {claim.route!r} is gone from routes.toml")
    if route.url:
        digest = _ask_application(route.url, bucket, message, request.idempotency_key)
    else:
        digest = built_in(route.processor)(message, partial(storage.read_attachment, bucket))
    return Processed(digest_key=storage.write_digest(bucket, message.id, digest))


def _ask_application(url: str, bucket: str, message: Message, idempotency_key: str) -> Digest:
    try:
        return application.ask(url, _application_request(bucket, message), idempotency_key)
    except ApplicationRefused as refused:
        key = storage.write_digest(bucket, message.id, replying.refusal(refused.explanation))
        raise ApplicationRefused(refused.explanation, key) from None


def _application_request(bucket: str, message: Message) -> ApplicationRequest:
    urls = {
        attachment.key: storage.attachment_url(bucket, attachment, seconds=ATTACHMENT_LINK_SECONDS)
        for attachment in message.attachments
    }
    return ApplicationRequest(message=message, attachment_urls=urls)
