"""The fields that SES puts on top of a message that it receives, in SES's order and words.

The shapes are those of messages that SES stored (../shared/cases/ses); the results are simulated (simulator.py).
"""

import base64
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parseaddr

from mailstep_local.simulator import Findings, findings

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SPF_COMMENTS = {
    "pass": "domain of {domain} designates {client} as permitted sender",
    "fail": "domain of {domain} does not designate {client} as permitted sender",
    "softfail": "transitioning domain of {domain} does not designate {client} as permitted sender",
    "temperror": "error in processing during lookup of {domain}",
    "permerror": "error in processing during lookup of {domain}",
}
_SPF_COMMENT = "{client} is neither permitted nor denied by domain of {domain}"
_RECEIPT_OCTETS, _SIGNATURE_OCTETS, _HASH_OCTETS = 450, 256, 32


@dataclass(frozen=True)
class Received:
    """An SMTP transaction of SES's inbound endpoint (RFC 5321)."""

    region: str
    message_id: str
    client: str
    helo: str
    mail_from: str
    recipient: str | None
    """None for several: naming one would show it to the others (RFC 5321 section 7.2)."""
    scanned: bool
    """Whether a rule for the message asks for scanning (`ScanEnabled`)."""


def trace(received: Received, content: bytes) -> bytes:
    """SES's fields, each line ended by CRLF.

    HELO and MAIL FROM are the sender's words: control characters in them are left out, so that they begin no line.
    """
    helo, sender = (_CONTROL.sub("", text) for text in (received.helo, received.mail_from))
    # aiosmtpd calls the null reverse-path so.
    sender = "" if sender == "<>" else sender
    author = _author_domain(content)
    found = findings(author)
    spf = _spf(found, received, sender.rpartition("@")[2] or helo, sender, helo)
    fields = [
        f"Return-Path: <{sender}>",
        f"Received: from {helo} ({helo} [{received.client}])\r\n by inbound-smtp.{received.region}.amazonaws.com "
        f"with SMTP id {received.message_id}{_recipient(received.recipient)};\r\n "
        f"{format_datetime(datetime.now(UTC))} (UTC)",
        *_scanned(found, received),
        *([f"Received-SPF: {spf}"] if spf else []),
        "\r\n ".join(["Authentication-Results: amazonses.com;", *_authentication(found, spf, author)]),
        f"X-SES-RECEIPT: {_random(_RECEIPT_OCTETS)}",
        "X-SES-DKIM-SIGNATURE: a=rsa-sha256; q=dns/txt; "
        f"b={_random(_SIGNATURE_OCTETS)}; c=relaxed/simple; s=local; d=amazonses.com; v=1; "
        f"bh={_random(_HASH_OCTETS)}; "
        "h=From:To:Cc:Bcc:Subject:Date:Message-ID:MIME-Version:Content-Type:X-SES-RECEIPT;",
    ]
    return "".join(f"{field}\r\n" for field in fields).encode("utf-8", errors="replace")


def _recipient(recipient: str | None) -> str:
    return f"\r\n for {_CONTROL.sub('', recipient)}" if recipient else ""


def _scanned(found: Findings, received: Received) -> list[str]:
    named = (("Spam", "spam"), ("Virus", "virus"))
    verdicts = [(name, found.verdict(check)) for name, check in named] if received.scanned else []
    return [f"X-SES-{name}-Verdict: {verdict}" for name, verdict in verdicts if verdict]


def _spf(found: Findings, received: Received, domain: str, sender: str, helo: str) -> str | None:
    result = found.result("spf")
    comment = _SPF_COMMENTS.get(result or "", _SPF_COMMENT).format(domain=domain, client=received.client)
    said = f"{result} (spfCheck: {comment}) client-ip={received.client}; envelope-from={sender}; helo={helo};"
    return said if result else None


def _authentication(found: Findings, spf: str | None, author: str) -> list[str]:
    dkim, dmarc = found.result("dkim"), found.result("dmarc")
    return [
        *([f"spf={spf}"] if spf else []),
        *([f"dkim={dkim} header.i=@{author};"] if dkim else []),
        *([f"dmarc={dmarc} header.from={author};"] if dmarc else []),
    ]


def _author_domain(content: bytes) -> str:
    """The domain of the From field, which SES finds DKIM and DMARC for; `unknown` without one."""
    header, _, _ = content.replace(b"\r\n", b"\n").partition(b"\n\n")
    lines = header.decode("latin-1").split("\n")
    from_field = next((line[5:] for line in lines if line.lower().startswith("from:")), "")
    return _CONTROL.sub("", parseaddr(from_field)[1].rpartition("@")[2]) or "unknown"


def _random(octets: int) -> str:
    return base64.b64encode(secrets.token_bytes(octets)).decode()
