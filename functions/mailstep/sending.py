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

from mailstep import replying, storage
from mailstep.aws import client, transient_faults
from mailstep.contracts import Digest, Replied, ReplyRequest

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

# An execution can be redriven for 14 days (AWS Step Functions, "Redriving executions"): the record outlives that.
ledger_config = IdempotencyConfig(expires_after_seconds=15 * 24 * 3600)


@cache
def _ledger() -> DynamoDBPersistenceLayer:
    return DynamoDBPersistenceLayer(table_name=os.environ["TABLE_NAME"])


def reply(request: ReplyRequest) -> Replied:
    """Send the reply, unless this execution has sent one of this kind: then answer what was recorded.

    Raises:
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
    with transient_faults():
        return Replied(ses_message_id=send_once(effect=f"{request.execution}#{request.kind}", request=request))


def _send(*, effect: str, request: ReplyRequest) -> str:
    message = storage.read_message(request.claim.email.bucket, request.claim.message_key)
    sender = os.environ["REPLY_FROM"] or f"{request.claim.route}@{os.environ['DOMAIN']}"
    outgoing = replying.compose(message, _content(request), sender=sender, now=datetime.now(UTC))
    ses: SESV2Client = client("sesv2")
    answer = ses.send_email(
        FromEmailAddress=sender,
        Destination={"ToAddresses": [message.from_[0].address]},
        Content={"Raw": {"Data": outgoing.as_bytes()}},
    )
    return answer["MessageId"]


def _content(request: ReplyRequest) -> Digest:
    if request.digest_key is not None:
        return storage.read_digest(request.claim.email.bucket, request.digest_key)
    if request.kind == "failure":
        return replying.failure_notice()
    return replying.refusal(request.explanation or "")
