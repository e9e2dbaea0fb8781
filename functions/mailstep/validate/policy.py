"""Who is answered: named rules in order, the first that says no decides. Every refusal has a code to look up."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from mimetypes import guess_type
from typing import Literal, Protocol

from mailstep.addresses import canonical, mailbox
from mailstep.authentication import is_authenticated
from mailstep.contracts import Attachment, Message, StoredEmail
from mailstep.errors import RefusedEmail
from mailstep.mime.options import DEFAULTS
from mailstep.outcomes import APPLICATION_REFUSED
from mailstep.routes import Route
from mailstep.validate import archives


class Records(Protocol):
    """What the rules ask of what is remembered between messages (mailstep/aws/ledger.py)."""

    def is_suppressed(self, address: str) -> bool:
        """Whether a bounce or complaint said that nothing more may go to the address."""

    def record_delivery(self, message: Message, execution_arn: str) -> bool:
        """Whether no other delivery of the message is processed or under way; this one is on record from now on."""

    def count_reply(self, message: Message, at_most: int) -> bool:
        """Whether the sender may be answered once more in this hour; the answer is counted from now on."""


@dataclass(frozen=True)
class Case:
    """A message before the rules, and what they may look at."""

    message: Message
    email: StoredEmail
    execution_arn: str
    route: Route | None
    own_addresses: frozenset[str]
    records: Records
    open_attachment: Callable[[Attachment], bytes]

    @property
    def author(self) -> str:
        """The From address, in canonical form."""
        return canonical(self.message.from_[0].address)


@dataclass(frozen=True)
class Rule:
    """One reason to refuse. `broken_by` answers what to tell the sender, or None where the message passes."""

    code: str
    means: str
    source: str
    tell_sender: bool
    broken_by: Callable[[Case], str | None]
    needs: Literal["message", "stack", "verdicts"] = "message"
    """What it looks at beyond the message and the route: records and times of the stack, or verdicts of SES."""


_ROBOTS = re.compile(r"^(mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?)([+.-].*)?$", re.IGNORECASE)
_SAYS_NOTHING = "application/octet-stream"
_PROGRAMS = re.compile(
    r"\.(exe|com|scr|pif|cpl|msi|msp|bat|cmd|ps1|vbs?|vbe|jse?|wsf|wsh|hta|lnk|jar|reg|dll|apk|app|dmg|iso|img)$",
    re.IGNORECASE,
)
_PROGRAM_TYPES = {
    "application/x-msdownload",
    "application/x-msdos-program",
    "application/x-dosexec",
    "application/x-executable",
    "application/x-elf",
    "application/x-sh",
    "application/x-apple-diskimage",
    "application/java-archive",
    "application/vnd.android.package-archive",
    "application/vnd.microsoft.portable-executable",
    "application/hta",
}


def _has_no_sender(case: Case) -> str | None:
    return None if case.message.from_ else "The message has no From address to answer to."


def _has_a_virus(case: Case) -> str | None:
    return "SES found a virus." if case.message.verdicts.virus == "FAIL" else None


def _is_spam(case: Case) -> str | None:
    return "SES takes the message for spam." if case.message.verdicts.spam == "FAIL" else None


def _is_not_authenticated(case: Case) -> str | None:
    if is_authenticated(case.message) or (case.route and not case.route.require_authentication):
        return None
    return "Neither DMARC, nor SPF or DKIM in the sender's name, vouches for the one sender."


def _cannot_be_answered(case: Case) -> str | None:
    try:
        mailbox(case.message.from_[0])
    except ValueError:
        return "The From address is one that SES cannot send to."
    return None


def _is_automatic(case: Case) -> str | None:
    message = case.message
    submitted = [value.split(";")[0].strip().lower() for value in message.header("Auto-Submitted")]
    precedence = {value.strip().lower() for value in message.header("Precedence")}
    signs = {
        "Auto-Submitted": any(value != "no" for value in submitted),
        "null Return-Path": message.return_path == "",
        "Precedence": bool(precedence & {"bulk", "list", "junk"}),
        "List-*": any(name.lower().startswith("list-") for name, _ in message.headers),
        "X-Auto-Response-Suppress": any(
            word.strip().lower() in {"all", "autoreply", "oof"}
            for value in message.header("X-Auto-Response-Suppress")
            for word in value.split(",")
        ),
        "References": len(message.references) >= DEFAULTS.message_ids,
        "From": bool(_ROBOTS.match(case.author.rpartition("@")[0])),
    }
    found = [sign for sign, present in signs.items() if present]
    return f"The message is automatic mail ({', '.join(found)})." if found else None


def _is_our_own(case: Case) -> str | None:
    if case.author in case.own_addresses or case.message.header("X-Mailstep-Email-Id"):
        return "The message is one of our own, or came back to us."
    return None


def _has_no_route(case: Case) -> str | None:
    return None if case.route else f"Nothing is set up for mail to {case.message.route!r}."


def _is_stale(case: Case) -> str | None:
    received, stored = case.message.received, case.email.stored
    if case.route is None or case.email.replay or received is None or stored is None:
        return None
    if stored - received <= timedelta(hours=case.route.max_age_hours):
        return None
    return f"The message was stored more than {case.route.max_age_hours:g} hours after SES received it."


def _is_suppressed(case: Case) -> str | None:
    if case.records.is_suppressed(case.author):
        return "Mail to the sender bounced for good, or was complained about."
    return None


def _is_blocked(case: Case) -> str | None:
    return "The route blocks the sender." if case.route and _matches(case.author, case.route.blocked_senders) else None


def _is_a_duplicate(case: Case) -> str | None:
    if case.records.record_delivery(case.message, case.execution_arn):
        return None
    return "The same message was received before."


def _is_one_too_many(case: Case) -> str | None:
    # What nobody vouches for is not answered, and does not count against the one in whose name it comes.
    if case.route is None or not is_authenticated(case.message):
        return None
    if case.records.count_reply(case.message, case.route.replies_an_hour):
        return None
    return f"The sender was answered {case.route.replies_an_hour} times in this hour."


def _is_not_allowed(case: Case) -> str | None:
    if case.route is None or not case.route.allowed_senders or _matches(case.author, case.route.allowed_senders):
        return None
    return (
        "This address takes mail from certain senders only. Please write from the address that you are known by, "
        "or ask whoever gave you this one."
    )


def _is_too_large(case: Case) -> str | None:
    if case.route is None or case.message.size_octets <= case.route.max_size_octets:
        return None
    return (
        f"The message has {case.message.size_octets:,} bytes; at most {case.route.max_size_octets:,} are accepted "
        "here. Please send it in parts."
    )


def _has_too_many_attachments(case: Case) -> str | None:
    count = len(case.message.attachments)
    if case.route is None or count <= case.route.max_attachments:
        return None
    return (
        f"The message has {count} attachments; at most {case.route.max_attachments} are accepted here. "
        "Please send them in several messages."
    )


def _has_a_forbidden_attachment(case: Case) -> str | None:
    wanted = case.route.attachment_types if case.route else ()
    if all(_is_of_a_kind(attachment, wanted) for attachment in case.message.attachments):
        return None
    if wanted:
        return f"An attachment is of a kind that is not accepted here. Accepted are: {', '.join(wanted)}."
    return "An attachment is a program, or looks like one; those are not accepted. Please send the data only."


def _is_an_archive_bomb(case: Case) -> str | None:
    zipped = filter(archives.may_be_zip, case.message.attachments)
    if archives.are_a_bomb(map(case.open_attachment, zipped)):
        return (
            "The attached archives hold too much, or archives within archives. "
            "Please send their files unpacked, in smaller archives, or in several messages."
        )
    return None


def _matches(value: str, patterns: tuple[str, ...]) -> bool:
    """Whether an address or media type is one of a route's; both are in their one form (route_settings.py)."""
    return any(fnmatchcase(value, pattern) for pattern in patterns)


def _is_of_a_kind(attachment: Attachment, wanted: tuple[str, ...]) -> bool:
    """By every type that is known: the declared one, the one its octets show, and failing both that of its name."""
    declared, detected = attachment.media_type.lower(), attachment.media_type_detected
    known = {kind for kind in (declared, detected) if kind and kind != _SAYS_NOTHING}
    # Office documents are ZIP archives; what they are is in the declared type, or in the name.
    if detected == "application/zip" and declared in archives.ZIP_TYPES:
        known = {declared}
    known = known or {guess_type(attachment.filename)[0] or _SAYS_NOTHING}
    if not wanted:
        return not (known & _PROGRAM_TYPES or _PROGRAMS.search(attachment.filename))
    return all(_matches(kind, wanted) for kind in known)


# Silent ones first: nobody is told anything before it is proven who wrote, and that no machine did. What is written
# down (duplicates, answers an hour) is written only for a message that came so far.
RULES = (
    Rule("no_sender", "No From address", "RFC 5322 section 3.6.2", False, _has_no_sender),
    Rule("virus", "SES found a virus", "SES, X-SES-Virus-Verdict", False, _has_a_virus, needs="verdicts"),
    Rule("spam", "SES takes it for spam", "SES, X-SES-Spam-Verdict", False, _is_spam, needs="verdicts"),
    Rule(
        "unauthenticated",
        "Neither DMARC, nor SPF or DKIM in the sender's name, vouches for the one sender",
        "RFC 7489 section 3.1; SES, Authentication-Results; `require_authentication`",
        False,
        _is_not_authenticated,
        needs="verdicts",
    ),
    Rule(
        "unanswerable_sender",
        "SES cannot send to the From address: SES takes only US-ASCII before the @",
        "Amazon SES API v2, SendEmail, Destination",
        False,
        _cannot_be_answered,
    ),
    Rule(
        "automatic_mail",
        "Auto-Submitted, null Return-Path, Precedence, List-*, X-Auto-Response-Suppress, over 100 References, or a "
        "From such as mailer-daemon and no-reply",
        "RFC 3834 section 2; RFC 2369",
        False,
        _is_automatic,
    ),
    Rule(
        "own_address",
        "From one of our own addresses, or with our own X-Mailstep-Email-Id: it came back to us",
        "RFC 3834 section 2",
        False,
        _is_our_own,
    ),
    Rule("unknown_route", "functions/routes.toml has no such route", "functions/routes.toml", False, _has_no_route),
    Rule(
        "stale_message",
        "S3 stored it long after SES received it: old mail, copied or restored; `mailstep replay` processes it",
        "SES's Received field; S3's event time; `max_age_hours`",
        False,
        _is_stale,
        needs="stack",
    ),
    Rule(
        "suppressed_sender",
        "An earlier reply bounced for good, or was complained about",
        "Amazon SES Developer Guide, bounce and complaint events",
        False,
        _is_suppressed,
        needs="stack",
    ),
    Rule("blocked_sender", "The route blocks the sender", "`blocked_senders`", False, _is_blocked),
    Rule(
        "duplicate_message",
        "The same Message-ID and content came to the route within five days, and did not fail there",
        "RFC 5321 section 4.5.4.1: a sender's server may deliver twice, and gives up after some four to five days",
        False,
        _is_a_duplicate,
        needs="stack",
    ),
    Rule(
        "too_many_replies",
        "The sender was answered as often as the route allows in one hour",
        "RFC 3834 section 2; `replies_an_hour`",
        False,
        _is_one_too_many,
        needs="stack",
    ),
    Rule("sender_not_allowed", "The route names other senders", "`allowed_senders`", True, _is_not_allowed),
    Rule("too_large", "Larger than the route takes", "`max_size_octets`", True, _is_too_large),
    Rule("too_many_attachments", "More than the route takes", "`max_attachments`", True, _has_too_many_attachments),
    Rule(
        "attachment_type",
        "An attachment is of no kind that the route takes, as declared or by its octets; programs, where it names none",
        "`attachment_types`",
        True,
        _has_a_forbidden_attachment,
    ),
    Rule(
        "archive_bomb",
        "Its ZIP archives, all together, hold too much content, too many members, or archives within archives",
        "functions/mailstep/limits.py",
        True,
        _is_an_archive_bomb,
    ),
)
MEANINGS = {rule.code: rule.means for rule in RULES} | {
    APPLICATION_REFUSED: "The application answered 4xx with a reason, which the sender was told"
}


def validate(case: Case) -> None:
    """Pass a message that may be processed.

    Raises:
        RefusedEmail: with the code of the first rule that the message breaks. The sender is told only where the rule
            says so and SES vouches for the sender.
    """
    for rule in RULES:
        if explanation := rule.broken_by(case):
            told = rule.tell_sender and is_authenticated(case.message)
            raise RefusedEmail(rule.code, explanation, tell_sender=told)
