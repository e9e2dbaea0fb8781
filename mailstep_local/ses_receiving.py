"""SES receiving, played on loopback: SMTP in, the active receipt rules applied, the message stored in S3.

It does what SES does: it refuses recipients that no rule names, puts its own header fields on top, and runs the S3
action of every rule that matches (Amazon SES Developer Guide, "Email receiving concepts").
"""

import asyncio
import secrets
import string
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from botocore.exceptions import ClientError

from mailstep_local.account import Account
from mailstep_local.ses_s3_action import store
from mailstep_local.ses_trace import Received, trace

SIZE_BOUND = 40 * 1024 * 1024
"""Octets of a message that SES receives (Amazon SES quotas)."""


class SesInbound:
    """The SMTP conversation of SES's inbound endpoint (hooks of aiosmtpd, RFC 5321)."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Refuse a recipient without a rule at SMTP time, as SES does."""
        _, rules = await asyncio.to_thread(self._matching, [address])
        if not rules:
            return "550 5.1.1 Requested action not taken: mailbox unavailable"
        if all(rule["TlsPolicy"] == "Require" for rule in rules):
            # This listener has no TLS.
            return "530 5.7.0 Must issue a STARTTLS command first"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Store the message by the S3 action of every matching rule; reply with SES's message id."""
        message_id = "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(40))
        try:
            await asyncio.to_thread(self._store, message_id, session, envelope)
        except ClientError as error:
            # SES has accepted by then, and retries. Here the SMTP client gets an error, so that nothing is lost.
            return f"451 4.3.0 Could not be stored: {error}"
        return f"250 OK {message_id}"

    def _matching(self, recipients: list[str]) -> tuple[str, list[dict[str, Any]]]:
        """The active rule set's name, and its rules for any of the recipients."""
        active = self._account.client("ses").describe_active_receipt_rule_set()
        return active.get("Metadata", {}).get("Name", ""), [
            rule
            for rule in active.get("Rules", [])
            if rule["Enabled"]
            and (
                not rule.get("Recipients")
                or any(matches(named, address) for named in rule["Recipients"] for address in recipients)
            )
        ]

    def _store(self, message_id: str, session: Session, envelope: Envelope) -> None:
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        rule_set, rules = self._matching(envelope.rcpt_tos)
        received = Received(
            region=self._account.region,
            message_id=message_id,
            client=session.peer[0] if isinstance(session.peer, tuple) else "127.0.0.1",
            helo=session.host_name or "",
            mail_from=envelope.mail_from or "",
            recipient=envelope.rcpt_tos[0] if len(envelope.rcpt_tos) == 1 else None,
            scanned=any(rule.get("ScanEnabled") for rule in rules),
        )
        raw = trace(received, content) + content
        for rule in rules:
            for action in rule["Actions"]:
                if "S3Action" in action:
                    store(self._account, rule_set, rule["Name"], action["S3Action"], message_id, raw)


def matches(condition: str, address: str) -> bool:
    """Whether a recipient of a receipt rule covers an address.

    `user@example.com` covers `user+label@example.com` too; with a label, only that label. `example.com` covers each
    address of the domain, and `.example.com` each of its subdomains (Amazon SES Developer Guide, "Creating receipt
    rules").
    """
    condition, address = condition.lower(), address.lower()
    user, _, domain = address.rpartition("@")
    if "@" in condition:
        return condition in {address, f"{user.partition('+')[0]}@{domain}"}
    return domain.endswith(condition) if condition.startswith(".") else domain == condition


class LenientSMTP(SMTP):  # type: ignore[misc]
    """SMTP that accepts lines longer than the 998 octets of RFC 5322, 2.1.1: real mail has them."""

    line_length_limit = SIZE_BOUND


class SmtpFront(Controller):  # type: ignore[misc]
    """The listener of SES's inbound endpoint on loopback."""

    def factory(self) -> SMTP:
        """One conversation."""
        return LenientSMTP(self.handler, **self.SMTP_kwargs)


def smtp_front(account: Account, port: int) -> SmtpFront:
    """The listener, not started yet."""
    return SmtpFront(
        SesInbound(account),
        hostname="127.0.0.1",
        port=port,
        data_size_limit=SIZE_BOUND,
        enable_SMTPUTF8=True,
        ident="Mailstep local SES",
        ready_timeout=30,
    )
