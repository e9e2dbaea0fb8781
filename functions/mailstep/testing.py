"""For tests of a processor: an .eml in, its answer and the reply out, offline. It stands above the steps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from mailstep import keys, routes
from mailstep.addressee import addressee
from mailstep.addresses import canonical, canonical_domain, mailbox
from mailstep.answers import read_answer
from mailstep.authentication import is_authenticated
from mailstep.contracts import Answer, Attachment, Message, StoredEmail, Verdicts
from mailstep.errors import ConfigurationError, RefusedEmail
from mailstep.parse.message import parse
from mailstep.parse.recipients import Place
from mailstep.process.built_in import Processor, answered, built_in
from mailstep.reply.compose import compose
from mailstep.reply.look import look_of
from mailstep.route import Route
from mailstep.texts.choosing import of_reply
from mailstep.texts.speaking import speaking
from mailstep.validate.policy import RULES, Case, validate
from mailstep.validate.records import NothingOnRecord

type Source = Path | str | bytes | EmailMessage
"""The path of a file, the octets of a message, or a message of the email package."""
DOMAIN = "mailstep.example"
"""Where replies come from, unless the route names another address."""
_NEED_THE_STACK = tuple(rule.code for rule in RULES if rule.needs == "stack")
# Without the fields that SES puts on top.
_NEED_VERDICTS = tuple(rule.code for rule in RULES if rule.needs == "verdicts")


@dataclass(frozen=True)
class ReceivedEmail:
    """An email as the steps see it, its attachments in memory."""

    message: Message
    stored: StoredEmail
    contents: Mapping[str, bytes] = field(repr=False)
    settings: Route | None
    rules_not_applied: tuple[str, ...]
    """Codes of the policy's rules that need more than is known offline (docs/policy.md)."""

    def open_attachment(self, attachment: Attachment) -> bytes:
        """The decoded content of an attachment of the message."""
        return self.contents[attachment.key]

    def validate(self) -> str | None:
        """Apply the policy to the message. The rules of `rules_not_applied` let it pass.

        Of our own addresses, the route's is the only one that is known here.

        Returns:
            The code of the rule that withholds the reply (docs/policy.md), or None.

        Raises:
            RefusedEmail: a rule refuses it; `reason` is the rule's code (docs/policy.md).
            ConfigurationError: a setting of the route is wrong.
        """
        return validate(self._case())

    @property
    def language(self) -> str:
        """The language of what Mailstep itself writes in reply: `de`, `en` and so on."""
        route = self.settings or routes.routes().get(self.message.route)
        return of_reply(route.language if route else "", self.message)

    def automatic_by(self) -> tuple[str, ...]:
        """The signs of automatic mail in the message, by the names of their fields; none if a person sent it.

        Raises:
            ConfigurationError: a setting of the route is wrong.
        """
        found = self._case().automatic
        return found.signs if found else ()

    def refused_by(self) -> str | None:
        """The code of the rule that refuses the message (docs/policy.md), or None. See `validate`."""
        try:
            self.validate()
        except RefusedEmail as refused:
            return refused.reason
        return None

    def withheld_by(self) -> str | None:
        """The code of the rule that withholds the reply to the message (docs/policy.md), or None. See `validate`."""
        try:
            return self.validate()
        except RefusedEmail as refused:
            return refused.withheld

    def process(self, processor: str | Processor | None = None) -> Answer | Any:
        """Answer as the route's processor does, or the built-in one of that name, or that function.

        The answer has been written and read again, as on its way through S3. It is None if the processor asks for no
        reply; the type says `Any`, so that a test of an answer needs no check for it.

        Raises:
            ApplicationRefused: the processor refuses the message; `explanation` is the reason.
            ConfigurationError: there is no such processor, a setting of the route is wrong, or its mail is for an
                application.
            TypeError: what the processor answers is not an Answer.
            MalformedAnswer: it is one that the contract does not allow.
            Exception: whatever the processor raises.
        """
        if processor is None:
            processor = self._processor()
        work = built_in(processor) if isinstance(processor, str) else processor
        with speaking(self.language):
            answer = answered(work, self.message, self.open_attachment)
        return answer and read_answer(answer.model_dump_json().encode())

    def reply(self, answer: Answer) -> EmailMessage:
        """The reply with this answer, as its reader gets it.

        Raises:
            ValueError: SES did not authenticate this sender, or cannot send to the address.
        """
        if not is_authenticated(self.message):
            raise ValueError("nothing is sent to a sender that SES did not authenticate")
        route = self._route()
        sender = Address(route.reply_name, addr_spec=route.reply_from or f"{self.message.route}@{DOMAIN}")
        to = mailbox(addressee(self.message, self._own(route)))
        with speaking(self.language):
            look = look_of(route)
            composed = compose(self.message, answer, sender=sender, to=to, now=datetime.now(UTC), look=look)
        return message_from_bytes(composed.as_bytes(), _class=EmailMessage, policy=policy.default)

    def _case(self) -> Case:
        route = self._route()
        return Case(
            message=self.message,
            email=self.stored,
            execution_arn="",
            route=route,
            own_addresses=self._own(route),
            records=NothingOnRecord(),
            open_attachment=self.open_attachment,
        )

    def _own(self, route: Route) -> frozenset[str]:
        own = {route.reply_from, f"{self.message.route}@{DOMAIN}"} - {""}
        return frozenset(map(canonical, own))

    def _route(self) -> Route:
        return self.settings or routes.routes()[self.message.route]

    def _processor(self) -> str:
        route = self._route()
        if route.calls_an_application:
            raise ConfigurationError(f"mail to the route {self.message.route!r} is for an application to answer")
        return route.processor


def receive(source: Source, route: str = "orders", settings: Route | None = None) -> ReceivedEmail:
    """Parse a message as ParseEmail does, as mail to the route.

    The sender counts as authenticated, unless the message begins with the fields that SES puts on top: then they say.
    The route's settings are those of routes.toml where none are given.

    Raises:
        ConfigurationError: no settings are given, and routes.toml has no such route.
        OSError: the file cannot be read.
        UnreadableEmail: it is not an email.
    """
    if settings is None and route not in (known := routes.deployed_names()):
        raise ConfigurationError(
            f"there is no route {route!r} in {routes.ROUTES_FILE}; there are: {', '.join(sorted(known))}"
        )
    match source:
        case EmailMessage():
            raw = source.as_bytes(policy=source.policy.clone(linesep="\r\n"))
        case bytes():
            raw = source
        case _:
            raw = Path(source).read_bytes()
    stored = StoredEmail(email_id="offline", route=route, bucket="offline", key=f"{keys.INBOUND}{route}/offline")
    contents: dict[str, bytes] = {}
    enclosed = settings.read_enclosed if settings else routes.reads_enclosed(route)
    message = parse(raw, stored, contents.__setitem__, enclosed=enclosed, place=Place(route, DOMAIN))
    if message.received or message.verdicts != Verdicts():
        return ReceivedEmail(message, stored, contents, settings, _NEED_THE_STACK)
    message = message.model_copy(update={"verdicts": _authenticated(message)})
    return ReceivedEmail(message, stored, contents, settings, (*_NEED_THE_STACK, *_NEED_VERDICTS))


def _authenticated(message: Message) -> Verdicts:
    """The verdicts of a message whose sender is authenticated."""
    domain = canonical_domain(message.from_[0].address.rpartition("@")[2]) if message.from_ else None
    return Verdicts(spam="PASS", virus="PASS", dmarc="pass", dmarc_domain=domain)
