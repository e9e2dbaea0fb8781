"""Sends each kind of reply once for an email, even if a step is repeated: the ledger records what was sent."""

from collections.abc import Callable
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from functools import cache
from types import SimpleNamespace
from typing import cast

from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyPersistenceLayerError
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config
from botocore.exceptions import ClientError

from mailstep import settings
from mailstep.addressee import addressee
from mailstep.addresses import mailbox
from mailstep.authentication import is_authenticated
from mailstep.aws import ledger, mail_bucket, ses, threads
from mailstep.contracts import Answer, Message, Replied, ReplyRequest
from mailstep.errors import ConfigurationError, SendUnconfirmed, TransientError
from mailstep.notices import notice
from mailstep.outcomes import ReplyKind
from mailstep.reply.compose import compose, text_of
from mailstep.reply.look import look_of
from mailstep.route import Route
from mailstep.routes import own_addresses, routes
from mailstep.telemetry import logger
from mailstep.texts.choosing import of_reply, of_text
from mailstep.texts.speaking import speaking


@cache
def _ledger() -> DynamoDBPersistenceLayer:
    # A reply that SES accepted must be recorded, so boto3 tries more often here than elsewhere.
    config = Config(retries={"mode": "standard", "total_max_attempts": 5}, connect_timeout=1, read_timeout=2)
    return DynamoDBPersistenceLayer(table_name=settings.Ledger.read().table_name, boto_config=config)


def reply(
    request: ReplyRequest,
    *,
    remaining_milliseconds: Callable[[], int],
    on_sent: Callable[[Message], None] = lambda _: None,
) -> Replied:
    """Send the reply, unless this kind is already recorded for the email: then return the recorded result.

    Nothing is sent to an unauthenticated address, nor if a rule of the policy withholds the reply. A completion is sent
    only after a delay or failure notice.

    Args:
        request: What to send.
        remaining_milliseconds: How long this attempt may still run. After that time another attempt may send.
        on_sent: Called for each reply that SES accepts now.

    Raises:
        ReplyRejected: SES rejected it, and an operator must fix something.
        ConfigurationError: the From address is not at the domain.
        MalformedAnswer: a later answer is not an answer.
        TransientError: SES, S3 or DynamoDB is unavailable.
        SendUnconfirmed: SES did not confirm whether it accepted it.
        IdempotencyAlreadyInProgressError: another attempt is sending, or died while it was.
    """
    if request.is_withheld:
        return Replied(ses_message_id=None)
    message = mail_bucket.read_message(request.claim.email.bucket, request.claim.message_key)
    email_id = request.claim.email.email_id
    if not is_authenticated(message) or (request.kind == ReplyKind.COMPLETION and not ledger.has_notice(email_id)):
        return Replied(ses_message_id=None)
    # Powertools asks a Lambda context for the time only.
    context = cast("LambdaContext", SimpleNamespace(get_remaining_time_in_millis=remaining_milliseconds))
    send_once = idempotent_function(
        _send,
        data_keyword_argument="reply_key",
        persistence_store=_ledger(),
        config=IdempotencyConfig(expires_after_seconds=ledger.REPLAYABLE_SECONDS, lambda_context=context),
        key_prefix="reply",
    )
    sent_now = False

    def sent(message: Message) -> None:
        nonlocal sent_now
        sent_now = True
        on_sent(message)

    try:
        sent_as = send_once(reply_key=request.reply_key, request=request, message=message, sent=sent)
    except IdempotencyPersistenceLayerError as error:
        raise TransientError(f"the ledger: {error.__cause__ or error}") from error
    except SendUnconfirmed:
        # SES may have accepted it.
        _record_notice(request)
        raise
    _record_notice(request)
    if sent_now:
        _record_in_thread(request, message, sent_as)
    return Replied(ses_message_id=sent_as, already_sent=not sent_now)


def _record_notice(request: ReplyRequest) -> None:
    if request.kind in {ReplyKind.DELAY, ReplyKind.FAILURE}:
        ledger.record_notice(request.claim.email.email_id)


def _record_in_thread(request: ReplyRequest, message: Message, ses_message_id: str) -> None:
    """Record what was sent, for the thread of what comes next. A fault here must not send the reply again."""
    route = routes().get(message.route)
    key = request.later_answer.key if request.later_answer else request.answer_key
    try:
        threads.record_reply(ses_message_id, message)
        if key and route and route.thread:
            threads.record_answer(message, key)
    except (TransientError, ClientError) as error:
        logger.warning("The reply is not recorded in its thread", extra={"error": type(error).__name__})


def _send(*, reply_key: str, request: ReplyRequest, message: Message, sent: Callable[[Message], None]) -> str:
    sender = sender_of(request.claim.email.route)
    here = settings.Domain.read()
    to = mailbox(addressee(message, own_addresses(here.domain, here.reply_from)))
    outgoing = _composed(request, message, sender, to)
    ses_message_id = ses.send(outgoing.as_bytes(), to=to, sender=sender)
    sent(message)
    return ses_message_id


def _composed(request: ReplyRequest, message: Message, sender: Address, to: Address) -> EmailMessage:
    route = routes().get(message.route) or Route()
    language = of_reply(route.language, message)
    with speaking(language):
        answer = _content(request, message)
    if not route.language and _is_of_an_application(request, route):
        # What Mailstep writes around an application's text is in the language of that text.
        language = of_text(text_of(answer)) or language
    with speaking(language):
        return compose(message, answer, sender=sender, to=to, now=datetime.now(UTC), look=look_of(route))


def _is_of_an_application(request: ReplyRequest, route: Route) -> bool:
    return request.later_answer is not None or (request.kind == ReplyKind.ANSWER and route.calls_an_application)


def sender_of(route_name: str) -> Address:
    """The From address of a route's replies: the route's setting, or else the stack's, or else the route's address.

    Raises:
        ConfigurationError: it is not at the domain. SES may send only from the domain, and other addresses could loop.
    """
    route, domain = routes().get(route_name), settings.Domain.read()
    address = (route.reply_from if route else "") or domain.reply_from or f"{route_name}@{domain.domain}"
    try:
        sender = Address(display_name=route.reply_name if route else "", addr_spec=address)
    except (HeaderParseError, ValueError, IndexError) as error:
        raise ConfigurationError(f"replies of the route {route_name!r} have no valid From address") from error
    if sender.domain.lower() != domain.domain.lower():
        raise ConfigurationError(
            f"replies of the route {route_name!r} come from outside {domain.domain}: correct reply_from in "
            "routes.toml, or the stack's parameter ReplyFrom"
        )
    return sender


def _content(request: ReplyRequest, message: Message) -> Answer:
    if request.later_answer is not None:
        return mail_bucket.read_later_answer(request.later_answer)
    if request.answer_key is not None:
        return mail_bucket.read_answer(request.claim.email.bucket, request.answer_key)
    return notice(request.kind, message, request.explanation or "")
