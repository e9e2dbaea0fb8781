"""Reads the outbox of a local account: each message that its SES sent, as a file."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from mailstep.contracts import EMAIL_ID_FIELD
from mailstep_cli.errors import UserError


@dataclass(frozen=True)
class Sent:
    """A message that the account sent. `email_id` is the email that it replies to; None for other mail."""

    file: Path
    sent: datetime
    message: EmailMessage

    @property
    def ses_message_id(self) -> str:
        """The id that SES gave it."""
        return self.file.stem

    @property
    def email_id(self) -> str | None:
        """The email that it replies to."""
        found = self.message[EMAIL_ID_FIELD]
        return str(found).strip() if found else None

    @property
    def entry(self) -> "OutboxEntry":
        """What `mailstep outbox --json` prints of it."""
        sender, recipient, subject = (str(self.message[name] or "") for name in ("From", "To", "Subject"))
        return OutboxEntry(str(self.file), self.ses_message_id, self.email_id, self.sent, sender, recipient, subject)


@dataclass(frozen=True)
class OutboxEntry:
    """A message that a local account sent. `sender`, `recipient` and `subject` are its fields From, To and Subject."""

    file: str
    ses_message_id: str
    email_id: str | None
    sent: datetime
    sender: str
    recipient: str
    subject: str


@dataclass(frozen=True)
class Delivery:
    """A message file that SES accepted, as `mailstep send --json` prints it."""

    file: str
    to: str
    email_id: str


def sent(outbox: Path) -> Iterator[Sent]:
    """The messages in an outbox, the newest first.

    Raises:
        UserError: it is not a directory.
    """
    if not outbox.is_dir():
        raise UserError(f"{outbox} is not the outbox of a local account: is `mailstep up` still running?")
    files = sorted(outbox.glob("*.eml"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    for file in files:
        message = message_from_bytes(file.read_bytes(), _class=EmailMessage, policy=policy.default)
        yield Sent(file, datetime.fromtimestamp(file.stat().st_mtime, UTC), message)
