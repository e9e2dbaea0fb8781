"""Sends a message through SES, and turns SES's rejections into the errors that the workflow handles."""

import re
from email.headerregistry import Address
from functools import cache
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from mailstep import errors, settings
from mailstep.aws.clients import transient_faults

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client


@cache
def client() -> "SESV2Client":
    """The environment's client. It never retries, because a retry could send the message twice."""
    # Below the function's timeout (template.yaml). Long, because SES scans up to 40 MB before it answers, and a reply
    # whose answer came too late would be sent twice.
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=50)
    return boto3.client("sesv2", config=config)


def send(message: bytes, *, to: Address, sender: Address) -> str:
    """Send a complete message (RFC 5322) to one recipient; return the id that SES assigned.

    Raises:
        ReplyRejected: SES rejected it, and would reject it again.
        SendUnconfirmed: SES did not confirm whether it accepted it.
        TransientError: SES is unavailable or throttles.
    """
    with transient_faults():
        try:
            # FromEmailAddress would replace the message's From field and its display name. Without it, SES reads the
            # sender, and `ses:FromAddress` for the role's policy, from that field (Amazon SES API v2, SendEmail).
            answer = client().send_email(
                Destination={"ToAddresses": [to.addr_spec]},
                Content={"Raw": {"Data": message}},
                ConfigurationSetName=settings.Sending.read().configuration_set,
                # If the identity still forwards bounces by email, SES sends them here, and never to a route.
                FeedbackForwardingEmailAddress=f"bounces@{sender.domain}",
            )
        except ClientError as error:
            said = error.response["Error"]
            if rejected := _rejection(said.get("Code", ""), said.get("Message", ""), own_domain=sender.domain):
                raise rejected from None
            raise
        except (ReadTimeoutError, ConnectionClosedError) as error:
            raise errors.SendUnconfirmed(f"SES did not answer: {type(error).__name__}") from error
    return answer["MessageId"]


_REJECTIONS: dict[str, type[errors.ReplyRejected]] = {
    "AccountSuspendedException": errors.SendingPaused,
    "SendingPausedException": errors.SendingPaused,
    "ConfigurationSetSendingPausedException": errors.SendingPaused,
    "MailFromDomainNotVerifiedException": errors.MailFromDomainNotVerified,
    "NotFoundException": errors.ConfigurationSetMissing,
    "ConfigurationSetDoesNotExistException": errors.ConfigurationSetMissing,
    "BadRequestException": errors.ReplyContentRejected,
    "MessageRejected": errors.ReplyContentRejected,
}


def _rejection(code: str, text: str, *, own_domain: str) -> errors.ReplyRejected | None:
    """The error for a permanent rejection by SES, or None if the rejection is not permanent.

    (Amazon SES API v2 Reference, SendEmail, Errors; Developer Guide, "Amazon SES email sending errors".)
    An address on SES's own suppression list is not an error: SES accepts the message, and reports a bounce.
    """
    if code == "MessageRejected" and "not verified" in text:
        failed = re.split(r"[\s,:]+", text.lower())
        domain = own_domain.lower()
        ours = any(identity == domain or identity.endswith(f"@{domain}") for identity in failed)
        return (errors.SenderNotVerified if ours else errors.AccountInSandbox)(code)
    return _REJECTIONS[code](code) if code in _REJECTIONS else None
