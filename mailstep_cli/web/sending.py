"""Sends what the page's form has to the SES of a local account."""

from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path

from mailstep_cli.errors import UserError
from mailstep_cli.message_files import parse_octets
from mailstep_cli.smtp_client import MessageFile, send


@dataclass(frozen=True)
class LocalMail:
    """The SMTP of a local account on loopback, and the addresses of its routes."""

    port: int
    addresses: tuple[str, ...]

    def send(self, form: Mapping[str, str]) -> str:
        """Send a message; return the id that SES gave it.

        The form has `to`, and either `eml`, a whole message (RFC 5322), or `from`, `subject` and `text`.

        Raises:
            UserError: `to` is no route's address, a field is wrong, or SES refused the message.
        """
        to = form.get("to", "")
        if to not in self.addresses:
            raise UserError(f"{to!r} is not an address of a route")
        raw = form["eml"].encode() if form.get("eml", "").strip() else _composed(form, to)
        path = Path("message.eml")
        try:
            return send(MessageFile(path, raw, parse_octets(raw, path)), to, port=self.port)
        except OSError as error:
            raise UserError(f"the local account does not answer: {error}") from error


def _composed(form: Mapping[str, str], to: str) -> bytes:
    message = EmailMessage()
    try:
        message["From"], message["To"], message["Subject"] = form.get("from", ""), to, form.get("subject", "")
    except ValueError as error:
        raise UserError("From and Subject are each one line") from error
    message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain="mailstep.example")
    message.set_content(form.get("text", ""))
    return message.as_bytes()
