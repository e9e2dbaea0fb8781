"""Which messages are accepted: named rules in order; the first rule that a message breaks refuses it, with a code.

Over 300 lines, because all rules are in one place and in order.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from mimetypes import guess_type
from typing import Literal, Protocol

from mailstep.addresses import canonical, mailbox
from mailstep.authentication import is_authenticated
from mailstep.contracts import EMAIL_ID_FIELD, Attachment, Message, StoredEmail
from mailstep.errors import RefusedEmail
from mailstep.mime.options import DEFAULTS
from mailstep.outcomes import APPLICATION_REFUSED
from mailstep.routes import Route
from mailstep.validate import archives


class Records(Protocol):
    """The records kept between messages, as far as the rules use them (mailstep/aws/ledger.py)."""

    def is_suppressed(self, address: str) -> bool:
        """Whether a bounce or complaint suppressed the address."""

    def record_delivery(self, message: Message, execution_arn: str) -> bool:
        """Record this delivery, and return whether it is the first: no other one was processed or is in progress."""

    def count_reply(self, message: Message, at_most: int) -> bool:
        """Count a reply to the sender, and return whether the sender may get one more in this hour."""


@dataclass(frozen=True)
class Case:
    """A message to check, and everything that the rules may look at."""

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
    """One reason to refuse. `broken_by` returns the explanation, or None if the message passes."""

    code: str
    means: str
    source: str
    tell_sender: bool
    broken_by: Callable[[Case], str | None]
    needs: Literal["message", "stack", "verdicts"] = "message"
    """What the rule needs beyond the message and the route: records and times of the stack, or verdicts of SES."""


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
    return None if case.message.from_ else "The message has no From address to reply to."


def _has_a_virus(case: Case) -> str | None:
    return "SES found a virus." if case.message.verdicts.virus == "FAIL" else None


def _is_spam(case: Case) -> str | None:
    return "SES classified the message as spam." if case.message.verdicts.spam == "FAIL" else None


def _is_not_authenticated(case: Case) -> str | None:
    if is_authenticated(case.message) or (case.route and not case.route.require_authentication):
        return None
    return "Neither DMARC nor aligned SPF or DKIM authenticates the sender."


def _cannot_be_answered(case: Case) -> str | None:
    try:
        mailbox(case.message.from_[0])
    except ValueError:
        return "SES cannot send to the From address."
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
    if case.author in case.own_addresses or case.message.header(EMAIL_ID_FIELD):
        return "Mailstep sent this message itself, or it is a reply that came back."
    return None


def _has_no_route(case: Case) -> str | None:
    return None if case.route else f"There is no route named {case.message.route!r}."


def _is_stale(case: Case) -> str | None:
    received, stored = case.message.received, case.email.stored
    if case.route is None or case.email.replay or received is None or stored is None:
        return None
    if stored - received <= timedelta(hours=case.route.max_age_hours):
        return None
    return f"The message was stored more than {case.route.max_age_hours:g} hours after SES received it."


def _is_suppressed(case: Case) -> str | None:
    if case.records.is_suppressed(case.author):
        return "The sender's address is suppressed after a permanent bounce or a complaint."
    return None


def _is_blocked(case: Case) -> str | None:
    return "The route blocks the sender." if case.route and _matches(case.author, case.route.blocked_senders) else None


def _is_a_duplicate(case: Case) -> str | None:
    if case.records.record_delivery(case.message, case.execution_arn):
        return None
    return "The same message was received before."


def _is_one_too_many(case: Case) -> str | None:
    # An unauthenticated message gets no reply, and must not use up the replies of the address that it claims.
    if case.route is None or not is_authenticated(case.message):
        return None
    if case.records.count_reply(case.message, case.route.replies_an_hour):
        return None
    return f"The sender already got {case.route.replies_an_hour} replies in this hour."


def _is_not_allowed(case: Case) -> str | None:
    if case.route is None or not case.route.allowed_senders or _matches(case.author, case.route.allowed_senders):
        return None
    return (
        "This address accepts mail from certain senders only. Please write from the address that we know you by, "
        "or ask the person who gave you this address."
    )


def _is_too_large(case: Case) -> str | None:
    if case.route is None or case.message.size_octets <= case.route.max_size_octets:
        return None
    return (
        f"The message has {case.message.size_octets:,} bytes; at most {case.route.max_size_octets:,} are accepted "
        "here. Please send it in smaller parts."
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
        return f"An attachment has a type that is not accepted here. Accepted types: {', '.join(wanted)}."
    return "An attachment is a program or looks like one. Programs are not accepted. Please send only the data."


def _is_an_archive_bomb(case: Case) -> str | None:
    zipped = filter(archives.may_be_zip, case.message.attachments)
    if archives.are_a_bomb(map(case.open_attachment, zipped)):
        return (
            "The attached archives contain too much data, or archives within archives. "
            "Please send their files unpacked, in smaller archives, or in several messages."
        )
    return None


def _matches(value: str, patterns: tuple[str, ...]) -> bool:
    """Whether an address or media type matches a pattern of the route; both are canonical (route_settings.py)."""
    return any(fnmatchcase(value, pattern) for pattern in patterns)


def _is_of_a_kind(attachment: Attachment, wanted: tuple[str, ...]) -> bool:
    """Whether all known types match: the declared and the detected one, or failing both, the file name's."""
    declared, detected = attachment.media_type.lower(), attachment.media_type_detected
    known = {kind for kind in (declared, detected) if kind and kind != _SAYS_NOTHING}
    # Office documents are ZIP archives; only the declared type or the name tells which kind.
    if detected == "application/zip" and declared in archives.ZIP_TYPES:
        known = {declared}
    known = known or {guess_type(attachment.filename)[0] or _SAYS_NOTHING}
    if not wanted:
        return not (known & _PROGRAM_TYPES or _PROGRAMS.search(attachment.filename))
    return all(_matches(kind, wanted) for kind in known)


# Silent rules come first: Mailstep tells a sender nothing until it knows that the address is authentic and that a
# person wrote. The rules that write records (duplicates, replies an hour) run only if a message passed those before.
RULES = (
    Rule("no_sender", "No From address", "RFC 5322 section 3.6.2", False, _has_no_sender),
    Rule("virus", "SES found a virus", "SES, X-SES-Virus-Verdict", False, _has_a_virus, needs="verdicts"),
    Rule("spam", "SES classified it as spam", "SES, X-SES-Spam-Verdict", False, _is_spam, needs="verdicts"),
    Rule(
        "unauthenticated",
        "Neither DMARC nor aligned SPF or DKIM authenticates the sender, or From has several addresses",
        "RFC 7489 section 3.1; SES, Authentication-Results; `require_authentication`",
        False,
        _is_not_authenticated,
        needs="verdicts",
    ),
    Rule(
        "unanswerable_sender",
        "SES cannot send to the From address: SES accepts only US-ASCII before the @",
        "Amazon SES API v2, SendEmail, Destination",
        False,
        _cannot_be_answered,
    ),
    Rule(
        "automatic_mail",
        "Auto-Submitted, null Return-Path, Precedence, List-*, X-Auto-Response-Suppress, over 100 References, or a "
        "From such as mailer-daemon or no-reply",
        "RFC 3834 section 2; RFC 2369",
        False,
        _is_automatic,
    ),
    Rule(
        "own_address",
        f"From one of Mailstep's own addresses, or with Mailstep's own {EMAIL_ID_FIELD}: a reply that came back",
        "RFC 3834 section 2",
        False,
        _is_our_own,
    ),
    Rule("unknown_route", "routes.toml has no such route", "routes.toml", False, _has_no_route),
    Rule(
        "stale_message",
        "S3 stored it long after SES received it: old mail, copied or restored; `mailstep replay` still processes it",
        "SES's Received field; S3's event time; `max_age_hours`",
        False,
        _is_stale,
        needs="stack",
    ),
    Rule(
        "suppressed_sender",
        "The address is suppressed: an earlier reply bounced permanently, or its recipient complained",
        "Amazon SES Developer Guide, bounce and complaint events",
        False,
        _is_suppressed,
        needs="stack",
    ),
    Rule("blocked_sender", "The route blocks the sender", "`blocked_senders`", False, _is_blocked),
    Rule(
        "duplicate_message",
        "The route got the same Message-ID and content within five days, and that delivery did not fail",
        "RFC 5321 section 4.5.4.1: a sender's server may deliver twice, and gives up after four to five days",
        False,
        _is_a_duplicate,
        needs="stack",
    ),
    Rule(
        "too_many_replies",
        "The sender already got as many replies as the route allows in one hour",
        "RFC 3834 section 2; `replies_an_hour`",
        False,
        _is_one_too_many,
        needs="stack",
    ),
    Rule("sender_not_allowed", "The route allows only other senders", "`allowed_senders`", True, _is_not_allowed),
    Rule("too_large", "Larger than the route accepts", "`max_size_octets`", True, _is_too_large),
    Rule("too_many_attachments", "More than the route accepts", "`max_attachments`", True, _has_too_many_attachments),
    Rule(
        "attachment_type",
        "The route does not accept the declared or detected type of an attachment; a route without a list of types "
        "accepts everything but programs",
        "`attachment_types`",
        True,
        _has_a_forbidden_attachment,
    ),
    Rule(
        "archive_bomb",
        "Its ZIP archives together contain too much data, too many members, or archives within archives",
        "functions/mailstep/limits.py",
        True,
        _is_an_archive_bomb,
    ),
)
MEANINGS = {rule.code: rule.means for rule in RULES} | {
    APPLICATION_REFUSED: "The application answered 4xx with a reason, which the sender got"
}


def validate(case: Case) -> None:
    """Check a message against every rule.

    Raises:
        RefusedEmail: with the code of the first rule that the message breaks. The sender is told only if the rule
            says so and SES authenticated the sender.
    """
    for rule in RULES:
        if explanation := rule.broken_by(case):
            told = rule.tell_sender and is_authenticated(case.message)
            raise RefusedEmail(rule.code, explanation, tell_sender=told)
