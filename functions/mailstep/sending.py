"""SES: a reply goes out once an email (or replay that is to answer) and kind, whatever is repeated around it."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.headerregistry import Address
from functools import cache
from typing import TYPE_CHECKING

import boto3
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyPersistenceLayerError
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from mailstep import ledger, replying, storage
from mailstep.aws import transient_faults
from mailstep.contracts import Digest, Message, Replied, ReplyRequest
from mailstep.errors import ConfigurationError, SendUnconfirmed, TransientError, reply_rejected
from mailstep.policy import vouched_for
from mailstep.routes import routes

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

# An execution is known, and can be replayed, for 90 days after it ended, which it does within days (AWS Step Functions,
# "Quotas", execution history retention): the record outlives that.
ledger_config = IdempotencyConfig(expires_after_seconds=100 * 24 * 3600)


@cache
def _ledger() -> DynamoDBPersistenceLayer:
    # What SES accepted must get onto record: more tries here than elsewhere, before the workflow's.
    config = Config(retries={"mode": "standard", "total_max_attempts": 5}, connect_timeout=1, read_timeout=2)
    return DynamoDBPersistenceLayer(table_name=os.environ["TABLE_NAME"], boto_config=config)


@cache
def _ses() -> "SESV2Client":
    # One try: a message that was sent may not be sent again by itself. Below the function's timeout (template.yaml).
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=15)
    return boto3.client("sesv2", config=config)


def reply(request: ReplyRequest, *, on_sent: Callable[[Message], None] = lambda _: None) -> Replied:
    """Send the reply, unless one of this kind is on record for the email: then answer what was recorded.

    Nothing is sent to an address that SES did not authenticate, and no completion to a sender who was not told to wait.
    `on_sent` hears of each reply that SES accepted just now.

    Raises:
        ReplyRejected: SES does not take it; the operator has to mend something.
        ConfigurationError: the address to reply from is not at the domain.
        TransientError: SES, S3 or DynamoDB asks to try again.
        SendUnconfirmed: SES did not say whether it took it.
        IdempotencyAlreadyInProgressError: another attempt is sending, or died while it was.
    """
    message = storage.read_message(request.claim.email.bucket, request.claim.message_key)
    email_id = request.claim.email.id
    if not vouched_for(message) or (request.kind == "completion" and not ledger.has_notice(email_id)):
        return Replied(ses_message_id=None)
    if request.kind in {"delay", "failure"}:
        ledger.record_notice(email_id)
    send_once = idempotent_function(
        _send,
        data_keyword_argument="effect",
        persistence_store=_ledger(),
        config=ledger_config,
        key_prefix="reply",
    )
    try:
        return Replied(ses_message_id=send_once(effect=request.effect, request=request, message=message, sent=on_sent))
    except IdempotencyPersistenceLayerError as error:
        raise TransientError(f"the ledger: {error.__cause__ or error}") from error


def _send(*, effect: str, request: ReplyRequest, message: Message, sent: Callable[[Message], None]) -> str:
    sender = sender_of(request.claim.route)
    outgoing = replying.compose(message, _content(request, message), sender=sender, now=datetime.now(UTC))
    with transient_faults():
        try:
            # No FromEmailAddress: it would replace the message's From field, and its display name. Without it SES takes
            # the sender, and `ses:FromAddress` of the role's policy, from that field (Amazon SES API v2, SendEmail).
            answer = _ses().send_email(
                Destination={"ToAddresses": [replying.mailbox(message).addr_spec]},
                Content={"Raw": {"Data": outgoing.as_bytes()}},
                ConfigurationSetName=os.environ["CONFIGURATION_SET"],
                # Where SES forwards a bounce, if the identity still has that switched on: never to a route.
                FeedbackForwardingEmailAddress=f"bounces@{sender.domain}",
            )
        except ClientError as error:
            said = error.response["Error"]
            if rejected := reply_rejected(said.get("Code", ""), said.get("Message", ""), own_domain=sender.domain):
                raise rejected from None
            raise
        except (ReadTimeoutError, ConnectionClosedError) as error:
            raise SendUnconfirmed(f"SES did not answer: {type(error).__name__}") from error
    sent(message)
    return answer["MessageId"]


def sender_of(route_name: str) -> Address:
    """The mailbox that a route's replies come from: its own setting, else the stack's, else the route's address.

    Raises:
        ConfigurationError: it is not at the domain, where SES may send from and bounces are no loop.
    """
    route, domain = routes().get(route_name), os.environ["DOMAIN"]
    address = (route.reply_from if route else "") or os.environ["REPLY_FROM"] or f"{route_name}@{domain}"
    try:
        sender = Address(display_name=route.reply_name if route else "", addr_spec=address)
    except (HeaderParseError, ValueError, IndexError) as error:
        raise ConfigurationError(f"replies of the route {route_name!r} have no address to come from") from error
    if sender.domain.lower() != domain.lower():
        raise ConfigurationError(
            f"replies of the route {route_name!r} come from outside {domain}: mend reply_from in routes.toml, or the "
            "stack's parameter ReplyFrom"
        )
    return sender


def _content(request: ReplyRequest, message: Message) -> Digest:
    if request.digest_key is not None:
        return storage.read_digest(request.claim.email.bucket, request.digest_key)
    return replying.notice(request.kind, message, request.explanation or "")
