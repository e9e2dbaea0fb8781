"""Messages written as text, and read as ParseEmail reads them."""

from email.message import EmailMessage

from mailstep.contracts import Message, StoredEmail
from mailstep.parse.message import parse

EMAIL = StoredEmail(email_id="m", route="orders", bucket="b", key="inbound/orders/m")


def parsed(text: str | bytes, contents: dict[str, bytes] | None = None, *, enclosed: bool = False) -> Message:
    """Parse octets as they are, or text with its lines ended by CRLF; attachments go into `contents`."""
    raw = text.replace("\n", "\r\n").encode() if isinstance(text, str) else text
    kept = {} if contents is None else contents
    return parse(raw, EMAIL, kept.__setitem__, enclosed=enclosed)


def field(name: str, value: str | bytes) -> Message:
    """Parse a message with that one header field."""
    octets = value if isinstance(value, bytes) else value.encode()
    return parsed(b"%s: %s\r\n\r\nx\r\n" % (name.encode(), octets))


def mail_with(files: dict[str, bytes], *, subject: str = "Hello", text: str = "Hello") -> EmailMessage:
    """A message with files attached, of a type that says nothing."""
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "ann@shop.example", subject
    mail.set_content(text)
    for name, content in files.items():
        mail.add_attachment(content, "application", "octet-stream", filename=name)
    return mail


SES = (
    "Return-Path: <ann@shop.example>\r\n"
    "Received: from mx.shop.example (mx.shop.example [198.51.100.7])\r\n by inbound-smtp.us-east-1.amazonaws.com"
    " with SMTP id x\r\n for orders@mail.example;\r\n Tue, 24 Nov 2026 08:30:02 +0000 (UTC)\r\n"
    "X-SES-Spam-Verdict: {spam}\r\n"
    "X-SES-Virus-Verdict: {virus}\r\n"
    "Received-SPF: pass (spfCheck: ok) client-ip=198.51.100.7; envelope-from=ann@shop.example; helo=mx;\r\n"
    "Authentication-Results: amazonses.com;\r\n spf=pass (spfCheck: ok) client-ip=198.51.100.7;\r\n"
    " dkim={dkim} header.i=@shop.example;\r\n dmarc={dmarc} header.from=shop.example;\r\n"
    "X-SES-RECEIPT: AEFBQUFBQUFBQUFG\r\n"
    "X-SES-DKIM-SIGNATURE: a=rsa-sha256; q=dns/txt; b=AAAA; c=relaxed/simple; d=amazonses.com; v=1; bh=AAAA=;\r\n"
)


def stored(rest: str, **verdicts: str) -> Message:
    """Parse what SES stores: its own block on top, with these verdicts, then the sender's part."""
    said = {"spam": "PASS", "virus": "PASS", "dkim": "pass", "dmarc": "pass"} | verdicts
    return parsed((SES.format(**said) + rest.replace("\n", "\r\n")).encode())
