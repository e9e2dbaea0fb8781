"""Who is answered: named rules in order, the first that says no decides. Every refusal has a code to look up."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from mailstep import bounds, replying
from mailstep.contracts import Message
from mailstep.errors import RefusedEmail
from mailstep.routes import Route


@dataclass(frozen=True)
class Rule:
    """One reason to refuse. `broken_by` answers what to tell the sender, or None where the message passes."""

    code: str
    source: str
    tell_sender: bool
    broken_by: Callable[[Message, Route | None], str | None]


_ROBOTS = re.compile(r"^(mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?)([+.-].*)?$", re.IGNORECASE)


def _has_no_sender(message: Message, _route: Route | None) -> str | None:
    return None if message.from_ else "The message has no From address to answer to."


def _has_a_virus(message: Message, _route: Route | None) -> str | None:
    return "SES found a virus." if message.verdicts.virus == "FAIL" else None


def _is_spam(message: Message, _route: Route | None) -> str | None:
    return "SES takes the message for spam." if message.verdicts.spam == "FAIL" else None


def _is_not_authenticated(message: Message, _route: Route | None) -> str | None:
    """Whether nothing proves that the From domain sent it: DMARC, or SPF or DKIM in its name (RFC 7489 section 3.1)."""
    seen, author = message.verdicts, message.from_[0].address.rpartition("@")[2].lower()
    if len(message.from_) > 1:
        return "The message names more than one author."
    if seen.dmarc == "pass" and seen.dmarc_domain == author:
        return None
    aligned = [
        *([seen.spf_domain] if seen.spf == "pass" else []),
        *(seen.dkim_domains if seen.dkim == "pass" else ()),
    ]
    if any(domain and (domain == author or author.endswith(f".{domain}")) for domain in aligned):
        return None
    return "Neither DMARC, nor SPF or DKIM in the sender's name, vouches for the sender."


def _cannot_be_answered(message: Message, _route: Route | None) -> str | None:
    """SES takes nothing but US-ASCII before the @ (Amazon SES API v2 reference, SendEmail, Destination)."""
    try:
        replying.mailbox(message)
    except ValueError:
        return "The From address is one that SES cannot send to."
    return None


def _is_automatic(message: Message, _route: Route | None) -> str | None:
    """RFC 3834 section 2, and the fields that mail systems set besides."""
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
        "References": len(message.references) >= bounds.REFERENCES,
        "From": bool(message.from_) and bool(_ROBOTS.match(message.from_[0].address.rpartition("@")[0])),
    }
    found = [sign for sign, present in signs.items() if present]
    return f"The message is automatic mail ({', '.join(found)})." if found else None


def _has_no_route(message: Message, route: Route | None) -> str | None:
    return None if route else f"Nothing is set up for mail to {message.route!r}."


def _is_too_large(message: Message, route: Route | None) -> str | None:
    if route is None or message.size_octets <= route.max_size_octets:
        return None
    return (
        f"The message has {message.size_octets:,} bytes; at most {route.max_size_octets:,} are accepted here. "
        "Please send it in parts."
    )


RULES = (
    Rule("no_sender", "RFC 5322 section 3.6.2", tell_sender=False, broken_by=_has_no_sender),
    Rule("virus", "SES, X-SES-Virus-Verdict", tell_sender=False, broken_by=_has_a_virus),
    Rule("spam", "SES, X-SES-Spam-Verdict", tell_sender=False, broken_by=_is_spam),
    Rule("unauthenticated", "RFC 7489, SES Authentication-Results", tell_sender=False, broken_by=_is_not_authenticated),
    Rule("unanswerable_sender", "Amazon SES SendEmail", tell_sender=False, broken_by=_cannot_be_answered),
    Rule("automatic_mail", "RFC 3834 section 2", tell_sender=False, broken_by=_is_automatic),
    Rule("unknown_route", "functions/routes.toml", tell_sender=False, broken_by=_has_no_route),
    Rule("too_large", "functions/routes.toml, max_size_octets", tell_sender=True, broken_by=_is_too_large),
)


def validate(message: Message, route: Route | None) -> None:
    """Pass a message that may be processed and answered.

    Raises:
        RefusedEmail: with the code of the first rule that the message breaks.
    """
    for rule in RULES:
        if explanation := rule.broken_by(message, route):
            raise RefusedEmail(rule.code, explanation, tell_sender=rule.tell_sender)
