"""The shapes that cross a boundary: between states, in S3, and towards the application (docs/architecture.md).

State carries references and a small summary only, a claim check: Step Functions holds at most 256 KiB and shows
all of it in history, so bodies and attachments stay in S3.

It is over 300 lines because all shapes stand together: each side of a boundary imports this module alone.
"""

import base64
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    TypeAdapter,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from mailstep.mime.defects import Defect
from mailstep.mime.options import DEFAULTS
from mailstep.outcomes import ReplyKind

EMAIL_ID_FIELD = "X-Mailstep-Email-Id"
"""The header field of every reply that has the email's id. A message that has the field is a reply that came back."""
EMAIL_ID = r"[A-Za-z0-9_-]{1,76}"
"""The form of an email_id (start/identity.py)."""
ANSWER_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
"""The form of the name of a later answer."""
SUBJECT_IN_STATE = 200
"""Characters of the subject that state carries: enough to recognise a message, too few to fill history."""


class Contract(BaseModel):
    """A shape that both sides agree on. It rejects unknown fields, and is immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Override(Contract):
    """A rule of the policy that an operator overrode for one message (`mailstep replay --override`)."""

    rule: str = Field(pattern=r"^[a-z_]{1,40}$", description="The rule's code (docs/policy.md)")
    by: str = Field(max_length=2048, description="ARN of the operator, as AWS STS answers it (GetCallerIdentity)")


class StoredEmail(Contract):
    """The raw message in S3, and the input of an execution."""

    email_id: str = Field(pattern=f"^{EMAIL_ID}$", description="Derived from bucket and key (identity.py)")
    route: str = Field(description="The route that SES stored it for (keys.py)")
    bucket: str
    key: str
    version_id: str | None = None
    stored: datetime | None = Field(default=None, description="When S3 stored it: eventTime of the S3 event")
    replay: bool = Field(default=False, description="Whether an operator processes it again (`mailstep replay`)")
    reply_again: bool = Field(default=False, description="Whether the replay may send a second reply")
    override: Override | None = Field(default=None, description="The rule that an operator overrode for this replay")


class LaterAnswer(Contract):
    """A further answer to an email, in the mail bucket; and the input of the execution that sends it."""

    email_id: str = Field(pattern=f"^{EMAIL_ID}$", description="The email that it answers")
    name: str = Field(pattern=f"^{ANSWER_NAME}$", description="Its own name: it is sent once")
    bucket: str
    key: str


class CheckSenderRequest(StoredEmail):
    """Input of CheckSender: a message that could not be read or checked, and was copied to quarantine/."""

    unreadable: Literal[True]


class CheckedSender(Contract):
    """Output of CheckSender: whether the operators must hear of the message, or counting it is enough."""

    alert_operators: bool


class Address(Contract):
    """A mailbox of RFC 5322 section 3.4, its display name decoded (RFC 2047)."""

    name: str = Field(default="", description="Display name (RFC 5322 section 3.4), decoded")
    address: str = Field(description="addr-spec (RFC 5322 section 3.4.1), internationalised ones too (RFC 6532)")
    group: str | None = Field(default=None, description="The group that it belongs to (RFC 5322 section 3.4)")


class EnclosedMessage(Contract):
    """An attached message (message/rfc822). Its files are attachments of the message too, with `enclosed_in`."""

    from_: tuple[Address, ...] = Field(default=(), alias="from", description="RFC 5322 section 3.6.2")
    subject: str = Field(default="", description="Decoded, on one line (RFC 5322 section 3.6.5)")
    date: datetime | None = Field(default=None, description="RFC 5322 section 3.6.1")
    message_id: str | None = Field(default=None, description="RFC 5322 section 3.6.4")
    text: str = Field(default="", description="The text/plain body (RFC 8621 section 4.1.4), with LF line ends")
    html: str | None = Field(default=None, description="The text/html body")
    defects: tuple[Defect, ...] = Field(default=(), description="Codes of what was wrong with it")

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)


class Attachment(Contract):
    """A part that is not the body. Its content is at `key`, which is never made from `filename`."""

    filename: str = Field(description="Decoded (RFC 2183, 2231) and made safe; if missing, made from the media type")
    media_type: str = Field(description="As declared (RFC 2045)")
    charset: str | None = Field(default=None, description="As declared (RFC 2046 section 4.1.2)")
    media_type_detected: str | None = Field(
        default=None, description="Detected from the first octets; None if not recognised"
    )
    size_octets: int = Field(description="Size of the decoded content")
    sha256: str = Field(description="SHA-256 of the decoded content, in hexadecimal (FIPS 180-4)")
    content_id: str | None = Field(default=None, description="Without angle brackets (RFC 2392)")
    inline: bool = Field(
        default=False,
        description="Whether it is shown within the text: as declared (RFC 2183), else if the HTML shows it",
    )
    attached: bool = Field(
        default=True,
        description="Whether somebody attached it as a file; false for a picture that the HTML shows, a signature, an "
        "alternative of the text, a calendar part, and a text that is kept whole",
    )
    subject: str | None = Field(default=None, description="Subject of a nested message (message/rfc822)")
    enclosed: EnclosedMessage | None = Field(
        default=None, description="The nested message, one level deep, if the route has `read_enclosed`"
    )
    enclosed_in: str | None = Field(default=None, description="Key of the nested message that it is a file of")
    key: str = Field(description="Key of the content in the mail bucket")


class Verdicts(Contract):
    """What SES found, from the fields it put on top (Amazon SES Developer Guide, "Email receiving"); None: not said."""

    spam: str | None = Field(default=None, description="X-SES-Spam-Verdict: PASS, FAIL, GRAY, PROCESSING_FAILED")
    virus: str | None = Field(default=None, description="X-SES-Virus-Verdict: the same values")
    spf: str | None = Field(default=None, description="RFC 7208: pass, fail, softfail, neutral, none, ...")
    spf_domain: str | None = Field(default=None, description="The envelope sender's domain, which SPF checked")
    dkim: str | None = Field(default=None, description="RFC 6376: pass if one signature passed")
    dkim_domains: tuple[str, ...] = Field(default=(), description="Domains of the signatures that passed")
    dmarc: str | None = Field(default=None, description="RFC 7489")
    dmarc_domain: str | None = Field(default=None, description="The From domain, which DMARC checked")


class ReportedRecipient(Contract):
    """One recipient of a delivery report (RFC 3464 section 2.3)."""

    final_recipient: str | None = Field(default=None, description="RFC 3464 section 2.3.2")
    original_recipient: str | None = Field(default=None, description="RFC 3464 section 2.3.1")
    action: str | None = Field(default=None, description="failed, delayed, delivered, ... (RFC 3464 section 2.3.3)")
    status: str | None = Field(default=None, description="RFC 3463, as 5.1.1")
    diagnostic_code: str | None = Field(default=None, description="The other system's message (RFC 3464 section 2.3.6)")


class DeliveryReport(Contract):
    """A delivery status notification (RFC 3464)."""

    reporting_mta: str | None = Field(default=None, description="RFC 3464 section 2.2.2")
    recipients: tuple[ReportedRecipient, ...] = Field(default=(), description="RFC 3464 section 2.3")


class TextKind(StrEnum):
    """How a text stands to the one that it answers."""

    means: str
    """The kind in one English sentence."""

    def __new__(cls, code: str, means: str) -> Self:
        """A string that is the code."""
        kind = str.__new__(cls, code)
        kind._value_ = code
        kind.means = means
        return kind

    PLAIN = "plain", "It quotes nothing, or nothing that a mail client has quoted."
    TOP = "top", "The reply stands above what it quotes."
    BOTTOM = "bottom", "The reply, or a part of it, stands below what it quotes."
    INTERLEAVED = "interleaved", "The reply answers quoted lines one by one: those that it answers are in `reply_text`."
    FORWARD = "forward", "It hands another message on: `reply_text` is the whole text."
    ONLY_HISTORY = "only_history", "The sender wrote nothing: `reply_text` is empty."


class Recipient(Contract):
    """The envelope recipient (RFC 5321 section 4.1.1.3), in canonical form (`addresses.canonical`).

    SES writes it into its own Received field. If it wrote none, because the transaction had several, it is the address
    in To or Cc that belongs to the route, else the route's own address.
    """

    address: str = Field(description="addr-spec in lower case, with its label: `orders+4711@mail.example`")
    label: str | None = Field(
        default=None, description="What follows the first `+` before the @ (RFC 5233): `4711`; null without one"
    )


class Message(Contract):
    """A parsed email, stored as `parsed/<email_id>/message.json`."""

    schema_: Literal["mailstep.message/1"] = Field(
        default="mailstep.message/1", alias="schema", description="Version of this contract"
    )
    email_id: str = Field(description="Mailstep's id of the email, and the name of its execution (identity.py)")
    route: str = Field(description="The route, and so the address, that it came to")
    raw_key: str = Field(default="", description="Key of the raw message in the mail bucket")
    size_octets: int = Field(description="Size of the message as it was sent: without the fields that SES put on top")
    received: datetime | None = Field(default=None, description="When SES received it, by SES's own Received field")
    return_path: str | None = Field(default=None, description="Envelope sender; empty for the null reverse-path")
    recipient: Recipient | None = Field(
        default=None, description="Envelope recipient; null only outside of a stack, whose domain is not known"
    )
    from_: tuple[Address, ...] = Field(default=(), alias="from", description="RFC 5322 section 3.6.2")
    to: tuple[Address, ...] = Field(default=(), description="RFC 5322 section 3.6.3")
    cc: tuple[Address, ...] = Field(default=(), description="RFC 5322 section 3.6.3")
    reply_to: tuple[Address, ...] = Field(default=(), description="RFC 5322 section 3.6.2")
    subject: str = Field(default="", description="Decoded, on one line (RFC 5322 section 3.6.5)")
    date: datetime | None = Field(
        default=None, description="RFC 5322 section 3.6.1, with the sender's offset (RFC 3339)"
    )
    date_raw: str | None = Field(default=None, description="The Date field, if it could not be read")
    message_id: str | None = Field(default=None, description="With its angle brackets (RFC 5322 section 3.6.4)")
    in_reply_to: tuple[str, ...] = Field(default=(), description="RFC 5322 section 3.6.4")
    references: tuple[str, ...] = Field(default=(), description="The thread, oldest first (RFC 5322 section 3.6.4)")
    thread_id: str = Field(
        default="",
        description="The conversation that it says it belongs to: the same for all messages whose thread (References, "
        "In-Reply-To) begins with the same message, one of ours included. A sender can write any; see security.md",
    )
    text: str = Field(
        default="",
        description="The text to read (RFC 8621 section 4.1.4, `textBody`), with LF line ends; the paragraphs of "
        "flowed text (RFC 3676) are put together; HTML that has no text beside it is written as text",
    )
    text_from_html: bool = Field(default=False, description="Whether `text`, or a part of it, was made from HTML")
    html: str | None = Field(default=None, description="The text/html body")
    reply_text: str = Field(default="", description="`text` without quoted history and signature")
    reply_kind: TextKind = Field(default=TextKind.PLAIN, description="How `text` stands to the text that it answers")
    signature: str = Field(default="", description="The signature in `text`, without the line `-- ` (RFC 3676, 4.3)")
    quoted_text: str = Field(default="", description="The quoted history in `text`, without what `reply_text` keeps")
    attachments: tuple[Attachment, ...] = Field(default=(), description="All parts that are not the body")
    delivery_report: DeliveryReport | None = Field(default=None, description="If the message is one (RFC 3464)")
    calendar_method: str | None = Field(
        default=None, description="What its calendar part does (RFC 5546 section 1.4): REQUEST, REPLY, CANCEL, ..."
    )
    signed: Literal["smime", "pgp"] | None = Field(default=None, description="RFC 8551, RFC 3156; not verified")
    encrypted: Literal["smime", "pgp"] | None = Field(default=None, description="RFC 8551, RFC 3156; not decrypted")
    verdicts: Verdicts = Field(
        default=Verdicts(), description="The results of SES's checks; never the sender's own claims"
    )
    headers: tuple[tuple[str, str], ...] = Field(
        default=(), description="Header fields in order, as (name, decoded value)"
    )
    defects: tuple[Defect, ...] = Field(
        default=(), description="Codes of what was wrong with the message, each once; later versions may add codes"
    )

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    def header(self, name: str) -> list[str]:
        """Every value of the header field `name`, topmost first. Field names are case-insensitive (RFC 5322, 1.2.2)."""
        return [value for field, value in self.headers if field.lower() == name.lower()]

    def to_json(self) -> bytes:
        """The JSON in UTF-8. `model_dump_json` makes a text of it first, which takes four times the memory."""
        return _MESSAGE.dump_json(self)

    def summary(self) -> "Summary":
        """The few fields that the workflow's state has."""
        return Summary(
            from_address=self.from_[0].address if self.from_ else None,
            subject=self.subject[:SUBJECT_IN_STATE],
            message_id=self.message_id,
            size_octets=self.size_octets,
            attachments=len(self.attachments),
        )


class Summary(Contract):
    """The few fields of a message that the workflow's state has: enough to recognise it, never its content."""

    from_address: str | None = Field(max_length=DEFAULTS.address)
    subject: str = Field(max_length=SUBJECT_IN_STATE)
    message_id: str | None = Field(max_length=DEFAULTS.message_id)
    size_octets: int
    attachments: int


class Claim(Contract):
    """The claim check that the states pass on: where the parts of the message are, and the summary."""

    email: StoredEmail
    message_key: str
    summary: Summary


class ValidateRequest(Contract):
    """Input of ValidateEmail. A redrive has the same execution, a replay has its own."""

    claim: Claim
    execution_arn: str


class LaterAnswerRequest(Contract):
    """Input of ValidateLaterAnswer."""

    later_answer: LaterAnswer


class LaterAnswerClaim(Contract):
    """Output of ValidateLaterAnswer: the email that it answers, and the code of the rule that withholds it, if any."""

    claim: "Claim"
    withheld: str | None = None


class Processing(Contract):
    """The route's settings that the workflow needs."""

    queue_url: str = Field(default="", description="The application's queue; empty if a function does the work")
    group: str = Field(
        default="", description="SQS message group of the sender, which keeps one sender's mail in order"
    )
    limit_seconds: int = Field(description="How long the queue's consumer may take")
    heartbeat_seconds: int = Field(description="How long the queue's consumer may be silent")
    outage_seconds: int = Field(description="How long to keep trying an unavailable application")


class EarlierEmail(Contract):
    """An earlier message of the same sender in the same thread, and what Mailstep sent in reply."""

    email_id: str
    message_key: str = Field(description="Key of its Message; it expires after ParsedRetentionDays")
    answer_keys: tuple[str, ...] = Field(default=(), description="Keys of the answers that were sent, oldest first")


class ValidClaim(Claim):
    """The claim of a message that ValidateEmail accepted."""

    processing: Processing
    withheld: str | None = Field(default=None, description="Code of the rule that withholds the reply, if one does")
    thread: tuple[EarlierEmail, ...] = Field(default=(), description="If the route has `thread`: newest last")


def _octets(value: object, info: ValidationInfo) -> object:
    """The octets of Base64, in which line ends may stand and the padding may be missing."""
    if info.mode != "json" or not isinstance(value, str):
        return value
    written = "".join(value.split())
    try:
        return base64.b64decode(written + "=" * (-len(written) % 4), validate=True)
    except ValueError:
        raise ValueError("not Base64 with the standard alphabet (RFC 4648 section 4)") from None


_Content = Annotated[
    bytes,
    BeforeValidator(_octets),
    PlainSerializer(lambda octets: base64.b64encode(octets).decode("ascii"), when_used="json"),
    WithJsonSchema({"type": "string", "format": "base64"}),
]
"""Octets in Python, Base64 in JSON (RFC 4648 section 4)."""


class AnswerAttachment(Contract):
    """A file attached to the reply."""

    filename: str
    media_type: str = Field(pattern=r"^(application|audio|font|image|model|text|video)/[a-z0-9!#$&^_.+-]+$")
    content: _Content = Field(alias="content_base64")
    content_id: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9._+-]{1,100}(@[A-Za-z0-9.-]{1,100})?$",
        description='For a picture that the HTML shows with `<img src="cid:...">` (RFC 2392); no angle brackets',
    )

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)


class Answer(Contract):
    """An answer of an application or a built-in processor: the reply's content, stored as `answers/<email_id>.json`."""

    subject: str | None = Field(default=None, description="Default: the message's subject, with `Re: `")
    text: str = Field(description="The text; it may be empty if there is `html`, and is then made from that")
    html: str | None = None
    attachments: tuple[AnswerAttachment, ...] = ()

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.text.strip() and not (self.html or "").strip():
            raise ValueError(
                "the text is empty: for no reply, an application answers 204, and a processor returns None"
            )
        return self


class ProcessRequest(Contract):
    """Input of ProcessEmail. The key is the same in every retry and redrive of one execution."""

    claim: ValidClaim
    idempotency_key: str


class Processed(Contract):
    """Output of ProcessEmail: the key of the answer; None if the application asked for no reply."""

    answer_key: str | None


class ReplyRequest(Contract):
    """Input of each state that sends. The content is at `answer_key`, or else follows from the kind."""

    execution_name: str
    claim: ValidClaim | Claim
    kind: ReplyKind
    answer_key: str | None = None
    explanation: str | None = None
    later_answer: LaterAnswer | None = None

    @property
    def is_withheld(self) -> bool:
        """Whether a rule of the policy withholds every reply to this email."""
        return isinstance(self.claim, ValidClaim) and self.claim.withheld is not None

    @property
    def reply_key(self) -> str:
        """The ledger's key of this reply: the email's, so that a replay sends no second one unless asked to.

        A later answer has a key of its own, because an email can have several.
        """
        email = self.claim.email
        if self.later_answer:
            return f"{email.email_id}/{self.later_answer.name}#{self.kind}"
        return f"{self.execution_name if email.reply_again else email.email_id}#{self.kind}"


class Replied(Contract):
    """Output of each state that sends: the id that SES assigned to the reply; None if no reply was sent.

    `already_sent` says that an earlier attempt or execution sent the reply, and so this one did not.
    """

    ses_message_id: str | None
    already_sent: bool = False


_MESSAGE = TypeAdapter(Message)


class QueueItem(Contract):
    """An item in the queue of an application that pulls. The application reads and writes the mail bucket itself."""

    schema_: Literal["mailstep.queue-item/1"] = Field(
        default="mailstep.queue-item/1", alias="schema", description="Version of this contract"
    )
    task_token: str = Field(description="For SendTaskSuccess, SendTaskFailure and SendTaskHeartbeat of Step Functions")
    idempotency_key: str = Field(description="The same each time the item is delivered")
    bucket: str = Field(description="The mail bucket")
    message_key: str = Field(description="Key of the Message, which has the keys of its attachments")
    answer_key: str = Field(description="Key to write the Answer to")
    withheld: str | None = Field(
        default=None, description="Code of the rule that withholds the reply (docs/policy.md); null: it will be sent"
    )
    thread: tuple[EarlierEmail, ...] = Field(
        default=(), description="If the route has `thread`: earlier messages of the sender in the thread, newest last"
    )


class ReplyPlan(Contract):
    """Whether the sender will get the application's answer."""

    will_be_sent: bool = Field(description="False: Mailstep keeps the answer, and sends nothing to the sender")
    withheld: str | None = Field(default=None, description="Code of the rule that withholds it (docs/policy.md)")


class EarlierEmailLinks(Contract):
    """An earlier message of the same sender in the same thread, and what Mailstep sent in reply, as links."""

    email_id: str
    message_url: str = Field(description="Presigned URL of its Message; 403 or 404 if it has expired")
    answer_urls: tuple[str, ...] = Field(default=(), description="Presigned URLs of the answers sent, oldest first")


class ApplicationRequest(Contract):
    """The request to the application: the message, and links to its attachments."""

    message: Message
    attachment_urls: dict[str, str] = Field(description="Attachment key to presigned URL")
    reply: ReplyPlan = Field(description="Whether the sender will get the answer")
    thread: tuple[EarlierEmailLinks, ...] = Field(
        default=(), description="If the route has `thread`: earlier messages of the sender in the thread, newest last"
    )
