"""Passes the message to its route's application or built-in processor, and stores the answer."""

from functools import partial

from mailstep.aws import mail_bucket
from mailstep.contracts import (
    Answer,
    ApplicationRequest,
    Message,
    Processed,
    ProcessRequest,
    ReplyPlan,
    ValidClaim,
)
from mailstep.errors import ApplicationRefused, ConfigurationError
from mailstep.notices import notice
from mailstep.outcomes import ReplyKind
from mailstep.process import application
from mailstep.process.built_in import built_in
from mailstep.routes import Route, routes

ATTACHMENT_LINK_SECONDS = 35
"""How long the application may fetch attachments: until the step's deadline. Each try creates new links."""


def process(request: ProcessRequest) -> Processed:
    """Process a message that ValidateEmail accepted; store the answer, and return its key.

    Raises:
        ConfigurationError: the route or its processor does not exist.
        ApplicationRefused, ApplicationBusy, MalformedAnswer, TransientError: see `application.ask`.
    """
    claim = request.claim
    bucket = claim.email.bucket
    message = mail_bucket.read_message(bucket, claim.message_key)
    route = routes().get(claim.email.route)
    if route is None:
        raise ConfigurationError(f"the route {claim.email.route!r} is no longer in routes.toml")
    if route.url:
        answer: Answer | None = _ask_application(route, request, message)
    else:
        answer = built_in(route.processor)(message, partial(mail_bucket.read_attachment, bucket))
        # Only an application may want no reply: a processor that returns nothing has a defect.
        if not isinstance(answer, Answer):
            raise TypeError(f"the processor {route.processor} returned {type(answer).__name__}: return an Answer")
    return Processed(answer_key=mail_bucket.write_answer(bucket, message.email_id, answer) if answer else None)


def _ask_application(route: Route, request: ProcessRequest, message: Message) -> Answer | None:
    bucket = request.claim.email.bucket
    try:
        return application.ask(route, _application_request(request.claim, message), request.idempotency_key)
    except ApplicationRefused as refused:
        key = mail_bucket.write_answer(
            bucket, message.email_id, notice(ReplyKind.REFUSAL, message, refused.explanation)
        )
        raise ApplicationRefused(refused.explanation, key) from None


def _application_request(claim: ValidClaim, message: Message) -> ApplicationRequest:
    urls = {
        attachment.key: mail_bucket.attachment_url(claim.email.bucket, attachment, seconds=ATTACHMENT_LINK_SECONDS)
        for attachment in message.attachments
    }
    reply = ReplyPlan(will_be_sent=claim.withheld is None, withheld=claim.withheld)
    return ApplicationRequest(message=message, attachment_urls=urls, reply=reply)
