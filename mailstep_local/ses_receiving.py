"""SES receiving, played on loopback: SMTP in, the active receipt rules applied, the message stored in S3.

What it does is what SES does: refuse recipients that no rule names, put its own header fields on top, and run the S3
action of every rule that matches (Amazon SES Developer Guide, "Email receiving concepts").
"""

import asyncio
import secrets
import string
from email.utils import formatdate, parseaddr
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from botocore.exceptions import ClientError

from mailstep_local.account import Account
from mailstep_local.ses_s3_action import store
from mailstep_local.simulator import findings

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
        wanted = {part for address in recipients for part in (address.lower(), address.lower().rpartition("@")[2])}
        return active.get("Metadata", {}).get("Name", ""), [
            rule
            for rule in active.get("Rules", [])
            if rule["Enabled"] and (not rule.get("Recipients") or wanted & {r.lower() for r in rule["Recipients"]})
        ]

    def _store(self, message_id: str, session: Session, envelope: Envelope) -> None:
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        raw = _trace(self._account.region, message_id, session, envelope, content) + content
        rule_set, rules = self._matching(envelope.rcpt_tos)
        for rule in rules:
            for action in rule["Actions"]:
                if "S3Action" in action:
                    store(self._account, rule_set, rule["Name"], action["S3Action"], message_id, raw)


def _trace(region: str, message_id: str, session: Session, envelope: Envelope, content: bytes) -> bytes:
    """The fields that SES puts on top of a message, in SES's order. The verdicts are simulated: see simulator.py."""
    sender = envelope.mail_from or ""
    header, _, _ = content.replace(b"\r\n", b"\n").partition(b"\n\n")
    from_field = next(
        (line[5:] for line in header.decode("latin-1").split("\n") if line.lower().startswith("from:")), ""
    )
    author = parseaddr(from_field)[1].rpartition("@")[2] or "unknown"
    domain = sender.rpartition("@")[2] or author
    client = session.peer[0] if isinstance(session.peer, tuple) else "127.0.0.1"
    found = findings(author)
    designates = "does not designate" if "spf" in found.failing else "designates"
    spf = f"(spfCheck: domain of {domain} {designates} {client} as permitted sender)"
    fields = [
        f"Return-Path: <{sender}>",
        f"Received: from {session.host_name} ({client})\r\n by inbound-smtp.{region}.amazonaws.com with SMTP id "
        f"{message_id}\r\n for {envelope.rcpt_tos[0]};\r\n {formatdate()}",
        f"X-SES-Spam-Verdict: {found.verdict('spam')}",
        f"X-SES-Virus-Verdict: {found.verdict('virus')}",
        f"Received-SPF: {found.result('spf')} {spf} client-ip={client}; envelope-from={sender}; "
        f"helo={session.host_name};",
        f"Authentication-Results: amazonses.com;\r\n spf={found.result('spf')} {spf} client-ip={client};\r\n"
        f" dkim={found.result('dkim')} header.i=@{author};\r\n dmarc={found.result('dmarc')} header.from={author};",
        f"X-SES-RECEIPT: {secrets.token_urlsafe(24)}",
        # SES signs what it stores.
        f"X-SES-DKIM-SIGNATURE: a=rsa-sha256; q=dns/txt; b={secrets.token_urlsafe(24)}; c=relaxed/simple; "
        "d=amazonses.com; v=1; bh=; h=From:To:Cc:Bcc:Subject:Date:Message-ID:MIME-Version:Content-Type;",
    ]
    return "".join(f"{field}\r\n" for field in fields).encode("utf-8", errors="replace")


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
