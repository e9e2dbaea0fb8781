"""Passes the message to its route's application or built-in processor, and stores the answer."""

from functools import partial

from mailstep.aws import mail_bucket
from mailstep.contracts import (
    Answer,
    ApplicationRequest,
    EarlierEmailLinks,
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
from mailstep.process.built_in import answered, built_in
from mailstep.route import Route
from mailstep.routes import routes
from mailstep.texts.choosing import of_reply
from mailstep.texts.speaking import speaking

LINK_SECONDS = 35
"""How long the application may fetch attachments and the thread: until the step's deadline. Each try has new links."""


def process(request: ProcessRequest) -> Processed:
    """Process a message that ValidateEmail accepted; store the answer, and return its key.

    Raises:
        ConfigurationError: the route or its processor does not exist.
        ApplicationRefused: the application or the processor refuses the message.
        ApplicationBusy, ApplicationDenied, MalformedAnswer, TransientError: see `application.ask`.
    """
    claim = request.claim
    bucket = claim.email.bucket
    message = mail_bucket.read_message(bucket, claim.message_key)
    route = routes().get(claim.email.route)
    if route is None:
        raise ConfigurationError(f"the route {claim.email.route!r} is no longer in routes.toml")
    with speaking(of_reply(route.language, message)):
        try:
            answer = _answer(route, request, message)
        except ApplicationRefused as refused:
            told = notice(ReplyKind.REFUSAL, message, refused.explanation)
            key = mail_bucket.write_answer(bucket, message.email_id, told)
            raise ApplicationRefused(refused.explanation, key) from None
    return Processed(answer_key=mail_bucket.write_answer(bucket, message.email_id, answer) if answer else None)


def _answer(route: Route, request: ProcessRequest, message: Message) -> Answer | None:
    """The answer of the route's application or processor, or None if it asks for no reply."""
    if route.url:
        return application.ask(route, _application_request(request.claim, message), request.idempotency_key)
    open_attachment = partial(mail_bucket.read_attachment, request.claim.email.bucket)
    return answered(built_in(route.processor), message, open_attachment)


def _application_request(claim: ValidClaim, message: Message) -> ApplicationRequest:
    link = partial(mail_bucket.link, claim.email.bucket, seconds=LINK_SECONDS)
    urls = {attachment.key: link(attachment.key) for attachment in message.attachments}
    thread = tuple(
        EarlierEmailLinks(
            email_id=one.email_id,
            message_url=link(one.message_key),
            answer_urls=tuple(map(link, one.answer_keys)),
        )
        for one in claim.thread
    )
    reply = ReplyPlan(will_be_sent=claim.withheld is None, withheld=claim.withheld)
    return ApplicationRequest(message=message, attachment_urls=urls, reply=reply, thread=thread)
