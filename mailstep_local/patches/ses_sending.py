"""SES and a message that it is asked to send: who may send, and where the message and its events go."""

import base64
import json
import re
import smtplib
import sys
import threading
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email import message_from_bytes
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from ministack import app
from ministack.core.responses import get_account_id, get_region
from ministack.services import ses, ses_v2, sns

from mailstep_local.ministack_names import Names, Response
from mailstep_local.patches import ses_suppression
from mailstep_local.simulator import feedback

# With its continuation lines (RFC 5322, 2.2.3).
_FROM_FIELD = re.compile(rb"^from[ \t]*:[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*", re.IGNORECASE | re.MULTILINE)

MINISTACK = Names(
    {
        "app:_enforce_data_plane": (
            "service, iam_action, headers, query_params, "
            "request_id, resource_arn, service_context, auth_error_response, named_resource"
        ),
        "app:_enforce_ses_v2": "method, path, headers, body, query_params, request_id",
        "app:extract_region": "headers, query_params",
        "core.responses:get_account_id": "",
        "core.responses:get_region": "",
        "services.ses:_identities": None,
        "services.ses:_notification_detail": "kind, rcpt, ts, bounce_subtype",
        "services.ses:_production_access_enabled": "",
        "services.ses_v2:_config_sets": None,
        "services.ses_v2:_identities": None,
        "services.ses_v2:handle_request": "method, path, headers, body, query_params",
        "services.sns:publish_internal": (
            "topic_arn, message, subject, "
            "message_structure, message_attributes, message_group_id, message_deduplication_id"
        ),
        "services.sns:topic_policy_allows": "topic_arn, service, source_arn, source_account",
    }
)


def apply(outbox: Path, smtp_port: int) -> None:
    """Patch SES. `outbox`: where sent messages are kept; `smtp_port`: where SES's own receiving listens."""
    _act_on_what_is_sent(outbox, smtp_port)
    _authorise_raw_sending_as_ses_does()


def _act_on_what_is_sent(outbox: Path, smtp_port: int) -> None:
    """MiniStack keeps parsed fields of what SES was asked to send, and neither delivers it nor tells of it."""
    handle = MINISTACK.original("services.ses_v2:handle_request")
    tell = _tell_of_bounces_and_complaints()

    async def handle_and_act(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]
    ) -> Response:
        handled: Awaitable[Response] = handle(method, path, headers, body, query_params)
        response = await handled
        if method == "POST" and path.endswith("/outbound-emails") and response[0] == 200:
            request, message_id = json.loads(body), json.loads(response[2])["MessageId"]
            if raw := base64.b64decode(request.get("Content", {}).get("Raw", {}).get("Data", "")):
                raw = with_from_field(raw, request.get("FromEmailAddress"))
                _keep(outbox, message_id, raw)
                _deliver_to_our_own_domains(smtp_port, request, message_id, raw)
            tell(request, message_id)
        return response

    MINISTACK.replace("services.ses_v2:handle_request", handle_and_act)


def with_from_field(raw: bytes, from_email_address: str | None) -> bytes:
    """The raw message as SES sends it: where FromEmailAddress is given, it is the From field, display name and all.

    (Amazon SES API v2 Reference, SendEmail: "The email address to use as the "From" address for the email"; seen on SES
    by the authors of laravel/framework#37881, who lost the name that only the raw message had.)
    """
    if not from_email_address:
        return raw
    blank = re.search(rb"\r?\n\r?\n", raw)
    header, rest = (raw[: blank.start()], raw[blank.start() :]) if blank else (raw, b"")
    field = f"From: {from_email_address}".encode()
    replaced, found = _FROM_FIELD.subn(lambda _: field, header, count=1)
    return (replaced if found else field + b"\r\n" + header) + rest


def _author(request: dict[str, Any]) -> str:
    """The address that a SendEmail of API v2 sends as: FromEmailAddress, or else the raw message's own From field."""
    raw = base64.b64decode(request.get("Content", {}).get("Raw", {}).get("Data", ""))
    return parseaddr(request.get("FromEmailAddress") or str(message_from_bytes(raw)["From"] or ""))[1]


def _header_fields(request: dict[str, Any]) -> list[dict[str, str]]:
    """The header of a raw message as events have it (Amazon SES Developer Guide, "Contents of event data", mail)."""
    raw = base64.b64decode(request.get("Content", {}).get("Raw", {}).get("Data", ""))
    return [{"name": name, "value": str(value)} for name, value in message_from_bytes(raw).items()]


def _keep(outbox: Path, message_id: str, raw: bytes) -> None:
    """The reply is judged by its octets: each raw message is written to the outbox as `<SES message id>.eml`."""
    name = re.sub(r"[^A-Za-z0-9.@_-]", "_", message_id)
    whole = outbox / f"{name}.part"
    whole.write_bytes(raw)
    whole.replace(outbox / f"{name}.eml")


def _deliver_to_our_own_domains(smtp_port: int, request: dict[str, Any], message_id: str, raw: bytes) -> None:
    """SES's own mail to a domain that SES receives for comes in again by its MX.

    A raw message to a domain that is an identity here goes to the local SMTP front, from SES's own envelope address.
    """
    to = [a for a in request.get("Destination", {}).get("ToAddresses", []) if _is_identity(_domain(a))]
    if to:
        sender = f"{message_id.partition('@')[0]}@amazonses.com"
        threading.Thread(target=_deliver, args=(smtp_port, sender, to, raw), daemon=True).start()


def _is_identity(name: str) -> bool:
    """MiniStack keeps what API v1 and API v2 made in two places."""
    return name in ses._identities or name in ses_v2._identities


def _domain(address: str) -> str:
    return parseaddr(address)[1].rpartition("@")[2].lower()


def _deliver(port: int, sender: str, to: list[str], raw: bytes) -> None:
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=60) as smtp:
            smtp.ehlo("amazonses.com")
            smtp.sendmail(sender, to, raw)
    except (OSError, smtplib.SMTPException) as error:
        # SES would bounce it; nobody waits for that here.
        print(f"SES could not deliver to {to}: {error}", file=sys.stderr)  # noqa: T201 - the emulator's log


def _authorise_raw_sending_as_ses_does() -> None:
    """SES asks for `ses:SendRawEmail` where a SendEmail of API v2 carries a raw message.

    It asks on the sender's identity, in the sandbox on the recipients' too, and on the configuration set. MiniStack
    asks for `ses:SendEmail` on `*`, which AWS would not accept of our role.
    """
    enforce = MINISTACK.original("app:_enforce_ses_v2")
    verified = MINISTACK.original("services.ses:_production_access_enabled")

    def enforce_raw(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any], request_id: str
    ) -> Response | None:
        request = json.loads(body) if method == "POST" and path.endswith("/outbound-emails") else {}
        if not request.get("Content", {}).get("Raw"):
            plain: Response | None = enforce(method, path, headers, body, query_params, request_id)
            return plain
        sender = _author(request)
        recipients = [] if verified() else request.get("Destination", {}).get("ToAddresses", [])
        resources = [f"identity/{_identity(address)}" for address in (sender, *recipients)]
        if name := request.get("ConfigurationSetName"):
            resources.append(f"configuration-set/{name}")
        for resource in resources:
            arn = f"arn:aws:ses:{app.extract_region(headers, query_params)}:{get_account_id()}:{resource}"
            denied: Response | None = app._enforce_data_plane(
                "sesv2",
                "ses:SendRawEmail",
                headers,
                query_params,
                request_id,
                resource_arn=arn,
                service_context={"ses:FromAddress": sender},
                named_resource=arn,
            )
            if denied:
                return denied
        return None

    MINISTACK.replace("app:_enforce_ses_v2", enforce_raw)


def _identity(address: str) -> str:
    """The identity that SES asks about: the address where it is verified by itself, else its domain."""
    return address if address in ses._identities else address.rpartition("@")[2]


def _tell_of_bounces_and_complaints() -> Callable[[dict[str, Any], str], None]:
    """A function that tells a configuration set's event destinations what became of a message.

    Where the recipient's domain asks for a bounce or complaint (simulator.py), the event goes to the topic as SES would
    send it, and as the topic's policy allows (Amazon SES Developer Guide, "Event publishing").
    """
    detail = MINISTACK.original("services.ses:_notification_detail")
    allows = MINISTACK.original("services.sns:topic_policy_allows")

    def tell(request: dict[str, Any], message_id: str) -> None:
        name = request.get("ConfigurationSetName", "")
        destinations = (ses_v2._config_sets.get(name) or {}).get("EventDestinations") or {}
        arn = f"arn:aws:ses:{get_region()}:{get_account_id()}:configuration-set/{name}"
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        for recipient in request.get("Destination", {}).get("ToAddresses", []):
            mail = {
                "timestamp": now,
                "source": _author(request),
                "sendingAccountId": get_account_id(),
                "messageId": message_id,
                "destination": [recipient],
                "headersTruncated": False,
                "headers": _header_fields(request),
                "tags": {"ses:configuration-set": [name]},
            }
            for kind in feedback(recipient.rpartition("@")[2]):
                # ConfigurationSet of template.yaml asks for both.
                ses_suppression.put(recipient, kind.upper())
                event = {"eventType": kind, **detail(kind, recipient, now), "mail": mail}
                for destination in destinations.values():
                    topic = destination.get("SnsDestination", {}).get("TopicArn", "")
                    if kind.upper() in destination["MatchingEventTypes"] and allows(
                        topic, "ses.amazonaws.com", arn, get_account_id()
                    ):
                        sns.publish_internal(topic, event, "Amazon SES Email Event Notification")

    return tell
