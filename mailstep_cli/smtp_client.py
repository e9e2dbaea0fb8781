"""Sends a message file by SMTP, as its sender's server would."""

import smtplib
from dataclasses import dataclass
from pathlib import Path

from mailstep.addresses import canonical, without_label
from mailstep.contracts import Message
from mailstep_cli.errors import UserError
from mailstep_cli.message_files import parse_octets, read_file
from mailstep_cli.terminal import complain


@dataclass(frozen=True)
class MessageFile:
    """A file to send. `message` is None if the file is not an email; SES accepts such files too."""

    path: Path
    raw: bytes
    message: Message | None

    @property
    def sender(self) -> str:
        """The envelope sender: the From address, or else the null reverse-path."""
        return self.message.from_[0].address if self.message and self.message.from_ else ""


def read_message_file(path: Path) -> MessageFile:
    """Read a message file.

    Raises:
        UserError: the file cannot be read.
    """
    raw = read_file(path)
    try:
        return MessageFile(path, raw, parse_octets(raw, path))
    except UserError:
        return MessageFile(path, raw, None)


def recipient(file: MessageFile, addresses: list[str], route: str | None) -> str:
    """The address to send to: that of `route`, else the first one in To or Cc, with its label, else the first of all.

    The last is said on stderr.
    """
    if route is not None:
        return next((address for address in addresses if address.partition("@")[0] == route), addresses[0])
    named = [canonical(found.address) for found in (*file.message.to, *file.message.cc)] if file.message else []
    ours = [found for found in named if {found, without_label(found)} & set(addresses)]
    if not ours:
        complain(
            f"{file.path} has no address of a route in To or Cc: it goes to {addresses[0]}; name another with --route"
        )
    return ours[0] if ours else addresses[0]


def send(file: MessageFile, to: str, *, port: int) -> str:
    """Send by SMTP on loopback; return the message id that SES assigned.

    Raises:
        UserError: the message was refused at SMTP time.
    """
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as smtp:
        smtp.ehlo("demo.mailstep.example")
        options = [] if file.sender.isascii() else ["SMTPUTF8"]
        code, answer = smtp.mail(file.sender, options)
        if code != 250:
            raise UserError(f"{file.path}: SES rejects the sender <{file.sender}>: {_said(code, answer)}")
        code, answer = smtp.rcpt(to)
        if code != 250:
            raise UserError(
                f"{file.path}: SES rejects mail to {to}: {_said(code, answer)}. Send it to an address that the account "
                "has: mailstep up prints them"
            )
        code, answer = smtp.data(file.raw)
    if code != 250:
        raise UserError(f"{file.path}: SES rejects the message: {_said(code, answer)}")
    return answer.decode().rpartition(" ")[2]


def _said(code: int, answer: bytes) -> str:
    return f"{code} {answer.decode(errors='replace')}"
