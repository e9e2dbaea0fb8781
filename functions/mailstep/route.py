"""The settings of a route: how the mail to one address is processed. docs/policy.md is generated from them."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from mailstep import limits, route_settings
from mailstep.contracts import Contract
from mailstep.mime.options import DEFAULTS

_HOUR = 3600

_SenderPatterns = tuple[Annotated[str, AfterValidator(route_settings.sender_pattern)], ...]
_MediaTypePatterns = tuple[Annotated[str, AfterValidator(route_settings.media_type_pattern)], ...]


class Route(Contract):
    """What happens to mail under `inbound/<name>/`, which is mail to `<name>@<domain>`."""

    # The worker is the first of url, queue and processor that is not empty.
    url: Annotated[str, AfterValidator(route_settings.application_url)] = Field(
        default="", description="The application's HTTPS endpoint; empty: use `queue` or `processor`"
    )
    auth: Literal["none", "sigv4", "standard_webhooks", "api_key"] = Field(
        default="none",
        description="How Mailstep authenticates to the application: `none`, `sigv4`, `standard_webhooks`, `api_key`",
    )
    secret: Annotated[str, AfterValidator(route_settings.secret_arn)] = Field(
        default="", description="ARN of the secret, for `standard_webhooks` and `api_key`"
    )
    outage_hours: float = Field(
        default=24, ge=0, le=72, allow_inf_nan=False, description="How long to keep trying an unavailable application"
    )
    queue: Annotated[str, AfterValidator(route_settings.queue_url)] = Field(
        default="", description="URL of the SQS FIFO queue that the application pulls from"
    )
    limit_hours: float = Field(
        default=24, gt=0, le=72, allow_inf_nan=False, description="How long the queue's consumer may take"
    )
    heartbeat_seconds: int = Field(default=0, ge=0, description="Longest time between its heartbeats; 0: `limit_hours`")
    processor: Annotated[str, AfterValidator(route_settings.processor)] = Field(
        default="receipt", description="A built-in processor: a module of mailstep/process/processors"
    )

    # Which addresses it has.
    catch_all: bool = Field(
        default=False,
        description="true: also mail to each address of the domain that no other route has; one route at most",
    )

    # What an application gets beside the message.
    thread: bool = Field(
        default=False,
        description="true: the application also gets the sender's earlier messages in the thread, and what was sent in "
        "reply, as links",
    )

    # How much of a message is read.
    read_enclosed: bool = Field(
        default=False, description="true: attached messages (message/rfc822) are read too, their files with them"
    )

    # The reply.
    reply_from: Annotated[str, AfterValidator(route_settings.reply_address)] = Field(
        default="", description="From address of replies, at the domain; empty: the stack's ReplyFrom"
    )
    reply_name: Annotated[str, AfterValidator(route_settings.display_name)] = Field(
        default="", description="Display name of replies"
    )
    reply_footer: Annotated[str, AfterValidator(route_settings.footer)] = Field(
        default="", description="Text below each reply, such as your company's name and address"
    )
    reply_signature: bool = Field(default=True, description="false: replies do not say that Mailstep sent them")
    reply_colour: Annotated[str, AfterValidator(route_settings.colour)] = Field(
        default="", description="Colour of the bar above each reply, as `#1a73e8`; empty: no bar"
    )
    reply_logo: Annotated[str, AfterValidator(route_settings.logo)] = Field(
        default="", description="A PNG in functions/custom/, shown above each reply"
    )
    language: Annotated[str, AfterValidator(route_settings.language)] = Field(
        default="",
        description="Language of what Mailstep itself writes to senders: `de`, `en`, `es` or `fr`; empty: that of the "
        "message, or English if it does not tell",
    )

    # Which messages are accepted (policy.py).
    require_authentication: bool = Field(
        default=True, description="false: unauthenticated mail is processed too, but never gets a reply"
    )
    automatic_mail: Literal["withhold", "refuse"] = Field(
        default="withhold",
        description="Lists, forwarded mail, no-reply senders and the like: `withhold` processes them without a reply, "
        "`refuse` does not process them",
    )
    allowed_senders: _SenderPatterns = Field(
        default=(), description="Patterns such as `*@shop.example`; empty: all senders"
    )
    blocked_senders: _SenderPatterns = Field(default=(), description="Patterns such as `*@shop.example`")
    max_age_hours: float = Field(
        default=72,
        gt=0,
        le=24 * 90,
        description="Longest time between SES's receipt and S3's event, and from the Date of mail that only DKIM "
        "authenticates; older mail is refused",
    )
    replies_an_hour: int = Field(
        default=20, ge=1, le=1_000, description="Most replies of the route to one sender in any hour"
    )
    unscanned: Literal["refuse", "process"] = Field(
        default="refuse",
        description="Mail with attached files that SES did not scan for viruses: `refuse` tells the sender, "
        "`process` accepts it",
    )
    max_size_octets: int = Field(
        default=limits.MESSAGE_OCTETS, gt=0, le=limits.MESSAGE_OCTETS, description="Octets of the largest message"
    )
    max_attachments: int = Field(default=50, ge=0, le=DEFAULTS.parts, description="Most files that may be attached")
    attachment_types: _MediaTypePatterns = Field(
        default=(), description="Media types such as `text/csv` and `image/*`; empty: all but programs"
    )

    @property
    def calls_an_application(self) -> bool:
        """Whether an application answers the mail, by HTTPS or from the queue."""
        return bool(self.url or self.queue)

    @property
    def limit_seconds(self) -> int:
        """How long the queue's consumer may take."""
        return round(self.limit_hours * _HOUR)

    @property
    def outage_seconds(self) -> int:
        """How long to keep trying an unavailable application."""
        return round(self.outage_hours * _HOUR)

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.url and self.queue:
            raise ValueError("queue: name one of them, url or queue")
        if self.auth in {"standard_webhooks", "api_key"} and self.url and not self.secret:
            raise ValueError(f"auth: {self.auth} needs secret, the ARN of a secret in Secrets Manager")
        if not (self.url or self.queue or self.processor):
            raise ValueError("processor: name one, or a url or queue")
        if self.limit_seconds < 2:
            raise ValueError("limit_hours: give the queue's consumer some seconds at least")
        if self.heartbeat_seconds >= self.limit_seconds:
            raise ValueError("heartbeat_seconds: stay below limit_hours")
        return self
