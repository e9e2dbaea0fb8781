"""A message file handed over by SMTP, as its sender's server would."""

import smtplib
from dataclasses import dataclass
from pathlib import Path

from localcloud.errors import UserError
from mailstep.contracts import Message, StoredEmail
from mailstep.errors import UnreadableEmail
from mailstep.parsing import parse


@dataclass(frozen=True)
class MessageFile:
    """A file that holds an email."""

    path: Path
    raw: bytes
    message: Message

    @property
    def sender(self) -> str:
        """The envelope sender: the From address, or the null reverse-path where there is none."""
        return self.message.from_[0].address if self.message.from_ else ""


def read_message_file(path: Path) -> MessageFile:
    """Read a message file.

    Raises:
        UserError: there is no such file, or it holds no email.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from error
    try:
        message = parse(raw, StoredEmail(id="file", bucket="file", key="inbound/file/file")).message
    except UnreadableEmail as error:
        raise UserError(f"{path}: not an email ({error})") from error
    return MessageFile(path, raw, message)


def recipient(file: MessageFile, addresses: list[str], route: str | None) -> str:
    """Which address to send to: that of `route`, else one the message names, else the first.

    Raises:
        UserError: there is no such route.
    """
    if route is not None:
        found = next((address for address in addresses if address.partition("@")[0] == route), None)
        if found is None:
            known = ", ".join(address.partition("@")[0] for address in addresses)
            raise UserError(f"there is no route {route!r} in functions/routes.toml; there are: {known}")
        return found
    named = {address.address.lower() for address in (*file.message.to, *file.message.cc)}
    return next((address for address in addresses if address in named), addresses[0])


def send(file: MessageFile, to: str, *, port: int) -> str:
    """Send by SMTP on loopback; answer the message id that SES gave it.

    Raises:
        UserError: the message was refused at SMTP time.
    """
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as smtp:
        smtp.ehlo("demo.mailstep.example")
        options = [] if file.sender.isascii() else ["SMTPUTF8"]
        for code, answer in (smtp.mail(file.sender, options), smtp.rcpt(to)):
            if code != 250:
                raise UserError(f"{file.path}: refused by SES: {code} {answer.decode(errors='replace')}")
        code, answer = smtp.data(file.raw)
    if code != 250:
        raise UserError(f"{file.path}: refused by SES: {code} {answer.decode(errors='replace')}")
    return answer.decode().rpartition(" ")[2]
