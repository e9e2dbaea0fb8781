"""The shapes that cross a boundary: between states, in S3, and towards the application (docs/architecture.md).

State carries references and a small envelope only, a claim check: Step Functions holds at most 256 KiB and shows
all of it in history, so bodies and attachments stay in S3.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

SUBJECT_IN_STATE = 200
"""Characters of the subject that state carries: enough to recognise a message, too few to fill history."""


class Contract(BaseModel):
    """A shape both sides agree on: nothing unknown passes, nothing changes after it is made."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class StoredEmail(Contract):
    """The raw message in S3, and the input of an execution. Minimal, so that repeated events are byte-identical."""

    id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,76}$", description="Derived from bucket, key and version")
    bucket: str
    key: str
    version_id: str | None = None

    @property
    def route(self) -> str:
        """The name between `inbound/` and the object's own name."""
        return self.key.split("/")[1]


class Address(Contract):
    """A mailbox of RFC 5322 section 3.4, its display name decoded (RFC 2047)."""

    name: str = ""
    address: str


class Attachment(Contract):
    """A part that is not the text to read. Its content lies at `key`, which is never made from `filename`."""

    filename: str
    media_type: str
    size_octets: int
    sha256: str
    content_id: str | None = None
    inline: bool = False
    key: str


class Message(Contract):
    """A parsed email, stored as `parsed/<id>/message.json`."""

    id: str
    route: str
    size_octets: int = Field(description="Of the raw message")
    return_path: str | None = Field(default=None, description="Envelope sender; empty for the null reverse-path")
    from_: Annotated[tuple[Address, ...], Field(alias="from", serialization_alias="from")] = ()
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    subject: str = ""
    date: datetime | None = None
    message_id: str | None = None
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    text: str = ""
    html: str | None = None
    attachments: tuple[Attachment, ...] = ()
    headers: tuple[tuple[str, str], ...] = Field(
        default=(), description="Every header field in order, as (name, value)"
    )
    defects: tuple[str, ...] = Field(default=(), description="What was wrong with the message and what was done")

    model_config = ConfigDict(populate_by_name=True)

    def header(self, name: str) -> list[str]:
        """Every value of the header field `name`, topmost first; field names know no case (RFC 5322, 1.2.2)."""
        return [value for field, value in self.headers if field.lower() == name.lower()]


class Envelope(Contract):
    """What state may know of a message: enough to follow it, never its content."""

    sender: str | None
    subject: str = Field(max_length=SUBJECT_IN_STATE)
    message_id: str | None
    size_octets: int
    attachments: int


class Claim(Contract):
    """The claim check that the states pass on: where everything is, and the envelope."""

    email: StoredEmail
    route: str
    message_key: str
    envelope: Envelope


class DigestAttachment(Contract):
    """A file that goes out with the reply."""

    filename: str
    media_type: str
    content_base64: str


class Digest(Contract):
    """What an application (or a built-in processor) answers: the reply's content, stored as `digest/<id>.json`."""

    subject: str | None = Field(default=None, description="Default: that of the message, with `Re: `")
    text: str
    html: str | None = None
    attachments: tuple[DigestAttachment, ...] = ()


class ProcessRequest(Contract):
    """Input of ProcessEmail. The key is the same in every retry and redrive of one execution."""

    claim: Claim
    idempotency_key: str


class Processed(Contract):
    """Output of ProcessEmail: where the digest lies."""

    digest_key: str


class ReplyRequest(Contract):
    """Input of SendReply and its two sisters: what to say lies at `digest_key`, else it follows from the kind."""

    execution: str
    claim: Claim
    kind: Literal["digest", "refusal", "failure"]
    digest_key: str | None = None
    explanation: str | None = None


class Replied(Contract):
    """Output of SendReply: the id SES gave the reply."""

    ses_message_id: str


class ApplicationRequest(Contract):
    """What the application is sent: the message, and links to fetch its attachments from."""

    message: Message
    attachment_urls: dict[str, str] = Field(description="Attachment key to presigned URL")
