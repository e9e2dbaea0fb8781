"""SES: a reply goes out once an execution and kind, whatever is repeated around it."""

import os
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyPersistenceLayerError
from botocore.config import Config

from mailstep import replying, storage
from mailstep.aws import client, transient_faults
from mailstep.contracts import Digest, Replied, ReplyRequest
from mailstep.errors import ReplyRejected, TransientError

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

# An execution can be redriven for 14 days (AWS Step Functions, "Redriving executions"): the record outlives that.
ledger_config = IdempotencyConfig(expires_after_seconds=15 * 24 * 3600)


@cache
def _ledger() -> DynamoDBPersistenceLayer:
    # What SES accepted must get onto record: more tries here than elsewhere, before the workflow's.
    config = Config(retries={"mode": "standard", "total_max_attempts": 5}, connect_timeout=1, read_timeout=2)
    return DynamoDBPersistenceLayer(table_name=os.environ["TABLE_NAME"], boto_config=config)


def reply(request: ReplyRequest) -> Replied:
    """Send the reply, unless this execution has sent one of this kind: then answer what was recorded.

    Raises:
        ReplyRejected: SES does not take it; the operator has to mend something.
        TransientError: SES, S3 or DynamoDB asks to try again.
        IdempotencyAlreadyInProgressError: another attempt is sending, or died while it was.
    """
    send_once = idempotent_function(
        _send,
        data_keyword_argument="effect",
        persistence_store=_ledger(),
        config=ledger_config,
        key_prefix="reply",
    )
    try:
        return Replied(ses_message_id=send_once(effect=f"{request.execution}#{request.kind}", request=request))
    except IdempotencyPersistenceLayerError as error:
        raise TransientError(f"the ledger: {error.__cause__ or error}") from error


def _send(*, effect: str, request: ReplyRequest) -> str:
    message = storage.read_message(request.claim.email.bucket, request.claim.message_key)
    sender = os.environ["REPLY_FROM"] or f"{request.claim.route}@{os.environ['DOMAIN']}"
    outgoing = replying.compose(message, _content(request), sender=sender, now=datetime.now(UTC))
    ses: SESV2Client = client("sesv2")
    with transient_faults():
        try:
            answer = ses.send_email(
                FromEmailAddress=sender,
                Destination={"ToAddresses": [replying.mailbox(message).addr_spec]},
                Content={"Raw": {"Data": outgoing.as_bytes()}},
            )
        except (ses.exceptions.MessageRejected, ses.exceptions.MailFromDomainNotVerifiedException) as error:
            raise ReplyRejected(type(error).__name__) from None
    return answer["MessageId"]


def _content(request: ReplyRequest) -> Digest:
    if request.digest_key is not None:
        return storage.read_digest(request.claim.email.bucket, request.digest_key)
    match request.kind:
        case "failure":
            return replying.failure_notice()
        case "delay":
            return replying.delay_notice()
    return replying.refusal(request.explanation or "")
