"""Who is processed and who is replied to: named rules in order, each with its effect on a message that breaks it.

Over 300 lines, because all rules are in one place and in order.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Literal

from mailstep import limits
from mailstep.addressee import addressee
from mailstep.addresses import canonical, is_one_of, mailbox, without_label
from mailstep.authentication import is_authenticated, is_only_signed
from mailstep.contracts import EMAIL_ID_FIELD, Address, Attachment, Message, StoredEmail
from mailstep.errors import RefusedEmail
from mailstep.outcomes import APPLICATION_REFUSED
from mailstep.route import Route
from mailstep.texts.choosing import of_reply
from mailstep.texts.speaking import say, speaking
from mailstep.validate import attached_files
from mailstep.validate.age import written
from mailstep.validate.automatic_mail import AutomaticMail, automatic_mail
from mailstep.validate.contents import Contents, look_into
from mailstep.validate.effects import Effect, Overridden, Setting
from mailstep.validate.records import Records

AUTOMATIC_MAIL = "automatic_mail"
OTHER_ROUTE = "other_route"
TOO_MANY_REPLIES = "too_many_replies"
"""The code of the rule that bounds the replies to a sender and to a domain."""


@dataclass(frozen=True)
class Case:
    """A message to check, and everything that the rules may look at."""

    message: Message
    email: StoredEmail
    execution_arn: str
    route: Route | None
    own_addresses: frozenset[str]
    """In canonical form; `@<domain>` stands for every address of the domain."""
    records: Records
    open_attachment: Callable[[Attachment], bytes]
    other_routes: frozenset[str] = frozenset()
    """The names of the other deployed routes."""
    same_processor: frozenset[str] = frozenset()
    """The addresses, in canonical form, of the other routes that the same built-in processor answers."""

    @property
    def author(self) -> str:
        """The From address, in canonical form."""
        return canonical(self.message.from_[0].address)

    @cached_property
    def addressee(self) -> Address:
        """The mailbox that a reply would go to."""
        return addressee(self.message, self.own_addresses)

    @cached_property
    def automatic(self) -> AutomaticMail | None:
        """The evidence that a machine wrote the message or passed it on."""
        elsewhere = self.addressee if self.message.reply_to and self.addressee in self.message.reply_to else None
        return automatic_mail(self.message, elsewhere)

    @cached_property
    def contents(self) -> Contents:
        """What is in the archives and documents of the message, each opened once."""
        return look_into(self.message.attachments, self.open_attachment)


@dataclass(frozen=True)
class Rule:
    """One reason to refuse a message or to withhold the reply.

    `broken_by` returns the explanation, or None if the message passes. A code may have one rule for each effect.
    """

    code: str
    means: str
    source: str
    effect: Effect
    broken_by: Callable[[Case], str | None]
    setting: Setting | None = None
    """The setting of a route that gives the rule another effect."""
    override: Overridden = Overridden.PROCESS
    needs: Literal["message", "stack", "verdicts"] = "message"
    """What the rule needs beyond the message and the route: records and times of the stack, or verdicts of SES."""

    def effect_on(self, case: Case) -> Effect | None:
        """What the rule does if the message breaks it; None if an operator overrode it."""
        if case.email.override and case.email.override.rule == self.code and self.override is not Overridden.NEVER:
            return Effect.WITHHOLD if self.override is Overridden.WITHHOLD else None
        if self.setting and case.route and getattr(case.route, self.setting.name) == self.setting.value:
            return self.setting.effect
        return self.effect

    @property
    def may_be_passed_later(self) -> bool:
        """Whether an override of the rule holds for answers after the first, too."""
        return self.override is Overridden.PROCESS and self.needs != "stack"

    @property
    def may_refuse(self) -> bool:
        """Whether the rule refuses some messages."""
        by_setting = self.setting is not None and self.setting.effect is not Effect.WITHHOLD
        return self.effect is not Effect.WITHHOLD or by_setting

    @property
    def may_withhold(self) -> bool:
        """Whether the rule withholds the reply of some messages."""
        by_setting = self.setting is not None and self.setting.effect is Effect.WITHHOLD
        return self.effect is Effect.WITHHOLD or by_setting or self.override is Overridden.WITHHOLD


def _has_no_sender(case: Case) -> str | None:
    return None if case.message.from_ else "The message has no From address to reply to."


def _has_a_virus(case: Case) -> str | None:
    return "SES found a virus." if case.message.verdicts.virus == "FAIL" else None


def _is_spam(case: Case) -> str | None:
    return "SES classified the message as spam." if case.message.verdicts.spam == "FAIL" else None


def _is_not_authenticated(case: Case) -> str | None:
    if is_authenticated(case.message):
        return None
    return "Neither DMARC nor aligned SPF or DKIM authenticates the sender."


def _cannot_be_answered(case: Case) -> str | None:
    try:
        mailbox(case.addressee)
    except ValueError:
        return "SES cannot send to the address."
    return None


def _is_a_response(case: Case) -> str | None:
    found = case.automatic
    return _automatic(found) if found and found.is_response else None


def _is_automatic(case: Case) -> str | None:
    return _automatic(case.automatic) if case.automatic else None


def _automatic(found: AutomaticMail) -> str:
    return f"The message is automatic mail ({', '.join(found.signs)})."


def _is_our_own(case: Case) -> str | None:
    if is_one_of(case.author, case.own_addresses) or case.message.header(EMAIL_ID_FIELD):
        return "Mailstep sent this message itself, or it is a reply that came back."
    return None


def _is_for_another_route(case: Case) -> str | None:
    # Only the rule of a catch-all route stores what is for another one (receiving.yaml).
    if case.route is None or not case.route.catch_all or case.message.recipient is None:
        return None
    name = without_label(case.message.recipient.address).rpartition("@")[0]
    return f"SES also stored it for the route {name!r}." if name in case.other_routes else None


def _has_no_route(case: Case) -> str | None:
    return None if case.route else f"There is no route named {case.message.route!r}."


def _is_stale(case: Case) -> str | None:
    received, stored = case.message.received, case.email.stored
    if case.route is None or case.email.replay or received is None:
        return None
    most = timedelta(hours=case.route.max_age_hours)
    if stored is not None and stored - received > most:
        return f"The message was stored more than {case.route.max_age_hours:g} hours after SES received it."
    signed = written(case.message) if is_only_signed(case.message) else None
    if signed is not None and received - signed > most:
        return f"The message was signed more than {case.route.max_age_hours:g} hours before SES received it."
    return None


def _is_suppressed(case: Case) -> str | None:
    if any(map(case.records.is_suppressed, {case.author, canonical(case.addressee.address)})):
        return "The sender's address is suppressed after a permanent bounce or a complaint."
    return None


def _is_blocked(case: Case) -> str | None:
    blocked = case.route.blocked_senders if case.route else ()
    if _matches(case.author, blocked) or _matches(without_label(case.author), blocked):
        return "The route blocks the sender."
    return None


def _is_a_duplicate(case: Case) -> str | None:
    if case.records.record_delivery(case.message, case.execution_arn):
        return None
    return "The same message was received before."


def _is_answered_by_another_route(case: Case) -> str | None:
    named = {without_label(address.address) for address in (*case.message.to, *case.message.cc)}
    if case.route is None or named.isdisjoint(case.same_processor):
        return None
    # For the ledger, the message is delivered to the processor: the first of its routes has the record.
    as_one = case.message.model_copy(update={"route": f"processor {case.route.processor}"})
    if case.records.record_delivery(as_one, case.execution_arn):
        return None
    # Nothing before this rule withheld the reply, so it is counted.
    case.records.forget_reply(case.message, case.addressee)
    return "Another route of the message has the same processor, and replies."


def _is_one_too_many(case: Case) -> str | None:
    if case.route is None:
        return None
    if case.records.count_reply(case.message, case.addressee, case.route.replies_an_hour):
        return None
    return "The sender, or its domain, already got as many replies as the route allows."


def _is_not_allowed(case: Case) -> str | None:
    if case.route is None or not case.route.allowed_senders or _matches(case.author, case.route.allowed_senders):
        return None
    return say("refusal.sender_not_allowed")


def _is_too_large(case: Case) -> str | None:
    if case.route is None or case.message.size_octets <= case.route.max_size_octets:
        return None
    return say("refusal.too_large", size=case.message.size_octets, most=case.route.max_size_octets)


def _is_not_scanned(case: Case) -> str | None:
    return attached_files.not_scanned(case.message) if case.route and case.route.unscanned == "refuse" else None


def _has_too_many_attachments(case: Case) -> str | None:
    return attached_files.too_many(case.message, case.route.max_attachments) if case.route else None


def _has_a_forbidden_attachment(case: Case) -> str | None:
    accepted = case.route.attachment_types if case.route else ()
    return attached_files.refused_type(case.message, accepted) or attached_files.refused_program(
        case.message, accepted, case.contents
    )


def _is_an_archive_bomb(case: Case) -> str | None:
    return say("refusal.archive_bomb") if case.contents.is_bomb else None


def _matches(address: str, patterns: tuple[str, ...]) -> bool:
    """Whether an address matches a pattern of the route; both are canonical (route_settings.py)."""
    return any(fnmatchcase(address, pattern) for pattern in patterns)


# A copy for the catch-all route comes first: operators do not count it as an email, whatever else is wrong with it.
# Rules that tell the sender come last: Mailstep tells a sender nothing until it knows that the address is authentic and
# that a person wrote. The rules that write records (duplicates, counts of replies) run only if a message passed all
# silent ones, and a reply is counted only if nothing withholds it.
RULES = (
    Rule(
        OTHER_ROUTE,
        "The rule of the catch-all route stored a message that SES stored for the route of its address too",
        "Amazon SES API, ReceiptRule: each rule that matches; `catch_all`",
        Effect.REFUSE,
        _is_for_another_route,
        needs="verdicts",
    ),
    Rule(
        "no_sender",
        "No From address",
        "RFC 5322 section 3.6.2",
        Effect.REFUSE,
        _has_no_sender,
        override=Overridden.NEVER,
    ),
    Rule("virus", "SES found a virus", "SES, X-SES-Virus-Verdict", Effect.REFUSE, _has_a_virus, needs="verdicts"),
    Rule("spam", "SES classified it as spam", "SES, X-SES-Spam-Verdict", Effect.REFUSE, _is_spam, needs="verdicts"),
    Rule(
        "unauthenticated",
        "Neither DMARC nor aligned SPF or DKIM authenticates the sender, or From has several addresses",
        "RFC 7489 section 3.1; SES, Authentication-Results",
        Effect.REFUSE,
        _is_not_authenticated,
        setting=Setting("require_authentication", False, Effect.WITHHOLD),
        override=Overridden.WITHHOLD,
        needs="verdicts",
    ),
    Rule(
        "unanswerable_sender",
        "SES cannot send to the From address: the part before the @ needs quotes or is not US-ASCII, or the part after "
        "it is no domain",
        "Amazon SES API v2, SendEmail, Destination",
        Effect.WITHHOLD,
        _cannot_be_answered,
        override=Overridden.NEVER,
    ),
    Rule(
        AUTOMATIC_MAIL,
        "A machine responded with it: Auto-Submitted: auto-replied, fields of older autoresponders, reports and "
        "receipts, calendar replies, null Return-Path, or a From such as mailer-daemon",
        "RFC 3834 sections 2 and 5; functions/mailstep/validate/automatic_mail.py",
        Effect.REFUSE,
        _is_a_response,
        override=Overridden.WITHHOLD,
    ),
    Rule(
        AUTOMATIC_MAIL,
        "A machine passed it on, or wrote it unasked: other values of Auto-Submitted, Precedence, List-*, "
        "X-Auto-Response-Suppress, the Subject of an absence notice, over 100 References, or a From such as no-reply",
        "RFC 3834 sections 2 and 5; RFC 2369; functions/mailstep/validate/automatic_mail.py",
        Effect.WITHHOLD,
        _is_automatic,
        setting=Setting("automatic_mail", "refuse", Effect.REFUSE),
    ),
    Rule(
        "own_address",
        f"From one of Mailstep's own addresses, or with Mailstep's own {EMAIL_ID_FIELD}: a reply that came back",
        "RFC 3834 section 2",
        Effect.REFUSE,
        _is_our_own,
        override=Overridden.WITHHOLD,
    ),
    Rule(
        "unknown_route",
        "routes.toml has no such route",
        "routes.toml",
        Effect.REFUSE,
        _has_no_route,
        override=Overridden.NEVER,
    ),
    Rule(
        "stale_message",
        "S3 stored it long after SES received it: old mail, copied or restored; or only DKIM authenticates it, and its "
        "Date or a signature is that old: a copy that somebody sent again. `mailstep replay` still processes it",
        "SES's Received field; S3's event time; Date; DKIM-Signature, `t=`; `max_age_hours`",
        Effect.REFUSE,
        _is_stale,
        needs="stack",
    ),
    Rule(
        "suppressed_sender",
        "The address is suppressed: an earlier reply bounced permanently, or its recipient complained",
        "Amazon SES Developer Guide, bounce and complaint events",
        Effect.WITHHOLD,
        _is_suppressed,
        needs="stack",
    ),
    Rule("blocked_sender", "The route blocks the sender", "`blocked_senders`", Effect.REFUSE, _is_blocked),
    Rule(
        "duplicate_message",
        "The route got the same Message-ID and content within five days, and that delivery did not fail",
        "RFC 5321 section 4.5.4.1: a sender's server may deliver twice, and gives up after four to five days",
        Effect.REFUSE,
        _is_a_duplicate,
        needs="stack",
    ),
    Rule(
        TOO_MANY_REPLIES,
        "The sender already caused as many replies as the route allows in an hour, or "
        f"{limits.REPLIES_A_DAY} times as many in a day; or its domain got {limits.REPLIES_TO_A_DOMAIN} times as "
        f"many, or the mailbox in its Reply-To {limits.REPLIES_BY_REPLY_TO} times as many by way of others. Labels do "
        "not count: `ann+x@` is `ann@`",
        "RFC 3834 section 2; `replies_an_hour`",
        Effect.WITHHOLD,
        _is_one_too_many,
        needs="stack",
    ),
    Rule(
        "sender_not_allowed", "The route allows only other senders", "`allowed_senders`", Effect.TELL, _is_not_allowed
    ),
    Rule("too_large", "Larger than the route accepts", "`max_size_octets`", Effect.TELL, _is_too_large),
    Rule(
        "unscanned",
        "SES did not scan it for viruses (the verdict is not PASS), and somebody attached files",
        "SES, X-SES-Virus-Verdict; `unscanned`",
        Effect.TELL,
        _is_not_scanned,
        needs="verdicts",
    ),
    Rule(
        "too_many_attachments",
        "More attached files than the route accepts",
        "`max_attachments`",
        Effect.TELL,
        _has_too_many_attachments,
    ),
    Rule(
        "attachment_type",
        "The type of an attached file is not accepted, by its octets, else its name, else its label; or an attachment "
        "is or contains a program or macros, and the route does not list that type",
        "`attachment_types`; functions/mailstep/validate/programs.py",
        Effect.TELL,
        _has_a_forbidden_attachment,
    ),
    Rule(
        "archive_bomb",
        "Its ZIP archives together contain more data or members than can be checked, or archives within archives",
        "functions/mailstep/limits.py",
        Effect.TELL,
        _is_an_archive_bomb,
    ),
    # Last: a route that refuses the message does not reply for the others.
    Rule(
        "replied_by_other_route",
        "To or Cc also names another route with the same built-in processor, and that one replies",
        "docs/addresses.md",
        Effect.WITHHOLD,
        _is_answered_by_another_route,
        needs="stack",
    ),
)


def _meaning(code: str) -> str:
    """What a refusal by the code means; if no rule of the code refuses, what its withheld reply means."""
    of_code = [rule for rule in RULES if rule.code == code]
    return ". Or: ".join(rule.means for rule in [rule for rule in of_code if rule.may_refuse] or of_code)


MEANINGS = {rule.code: _meaning(rule.code) for rule in RULES} | {
    APPLICATION_REFUSED: "The application, or the processor, refused it with a reason, which the sender got"
}
WITHHELD = {rule.code: rule.means for rule in RULES if rule.may_withhold}
"""The meaning of each code that withholds a reply."""
OVERRIDABLE = tuple(dict.fromkeys(rule.code for rule in RULES if rule.override is not Overridden.NEVER))
"""The codes that `mailstep replay --override` takes."""


# These rules judge a message, not its sender.
_OF_ONE_MESSAGE = {"unknown_route", OTHER_ROUTE, "stale_message", "duplicate_message", "replied_by_other_route"}


def withheld_from(case: Case, overridden: str = "") -> str | None:
    """The code of the first rule that withholds a later answer from the sender; None if no rule does.

    A message that was refused may be answered too, if its sender may be told. `overridden` is the code of the rule that
    an operator overrode for the message, or empty. That decided about the message: what is on record of the sender,
    such as a bounce since, still forbids to write.
    """
    if case.message.from_ and not is_authenticated(case.message):
        return "unauthenticated"
    silent = (rule for rule in RULES if rule.effect is not Effect.TELL and rule.code not in _OF_ONE_MESSAGE)
    asked = (rule for rule in silent if not (rule.code == overridden and rule.may_be_passed_later))
    return next((rule.code for rule in asked if rule.broken_by(case)), None)


def validate(case: Case) -> str | None:
    """Check a message against every rule.

    Returns:
        The code of the first rule that withholds the reply, or None: the sender gets a reply.

    Raises:
        RefusedEmail: with the code of the first rule that refuses the message, whatever withholds the reply. The sender
            is told only if the rule says so and nothing withholds the reply.
    """
    with speaking(of_reply(case.route.language if case.route else "", case.message)):
        return _checked(case)


def _checked(case: Case) -> str | None:
    withheld: str | None = None
    for rule in RULES:
        effect = rule.effect_on(case)
        # A second reason to withhold the reply changes nothing, and must not count a reply that is not sent.
        if effect is None or (effect is Effect.WITHHOLD and withheld):
            continue
        explanation = rule.broken_by(case)
        if explanation and effect is Effect.WITHHOLD:
            withheld = rule.code
        elif explanation:
            told = effect is Effect.TELL and withheld is None
            raise RefusedEmail(rule.code, explanation, tell_sender=told, withheld=withheld)
    return withheld
