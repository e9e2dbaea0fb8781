"""Finds the thread that a message says it belongs to (RFC 5322 section 3.6.4)."""

import re
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

from mailstep.mime.fields import parse_message_ids
from mailstep.mime.options import DEFAULTS

FindThread = Callable[[str], str | None]
"""The thread in which Mailstep sent the reply with this SES message id."""

# SES replaces the Message-ID of what it sends (Amazon SES Developer Guide, "Message header fields").
_OF_SES = re.compile(r"<([A-Za-z0-9-]{1,100})@[a-z0-9.-]*amazonses\.com>")
_LENGTH = 24
"""Hexadecimal digits: 96 bits, so that nobody can find a Message-ID that gives the id of another thread."""


def thread_id(first: str, find_thread: FindThread) -> str:
    """The id of the thread that begins with the message of that Message-ID.

    Our replies carry the thread's first message in References. A client that drops it refers to our reply alone, whose
    Message-ID is SES's: then `find_thread` knows the thread.
    """
    ours = _OF_SES.fullmatch(first)
    known = find_thread(ours[1]) if ours else None
    return known or sha256(first.encode("utf-8", "surrogatepass")).hexdigest()[:_LENGTH]


def first_of(references: str, in_reply_to: tuple[str, ...], message_id: str | None, email_id: str) -> str:
    """The Message-ID of the thread's first message.

    It is the first of References (the field's value), else of In-Reply-To, else the message's own; a message without
    any begins a thread under its `email_id`.
    """
    # Of many references, the Message has only the newest.
    known = parse_message_ids(references, replace(DEFAULTS, message_ids=len(references) or 1))
    return next(iter((*known[:1], *in_reply_to[:1])), message_id or email_id)
