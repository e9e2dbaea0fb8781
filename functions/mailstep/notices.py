"""The notices that Mailstep itself sends: a message was refused, is delayed, failed, or is done."""

import re

from mailstep.addresses import one_line
from mailstep.contracts import Answer, Message
from mailstep.rendering import render
from mailstep.texts.speaking import say

_MENTION = re.compile(r"\{attachment (\d{1,4})\}")


def notice(kind: str, message: Message, explanation: str = "") -> Answer:
    """The notice of one kind: `refusal`, `delay`, `failure` or `completion`. Only a refusal has an explanation.

    An explanation may name an attachment by its number, as `{attachment 2}`; the notice has the file's name instead.
    """
    told = with_filenames(explanation, message)
    return Answer(text=render("notice.txt.j2", kind=kind, explanation=told, email_id=message.email_id))


def with_filenames(explanation: str, message: Message) -> str:
    """The explanation of a refusal, with the name of each attachment that it mentions by its number."""
    return _MENTION.sub(lambda mention: _file(message, mention), explanation)


def _file(message: Message, mention: re.Match[str]) -> str:
    number = int(mention[1])
    known = 0 < number <= len(message.attachments)
    if not known:
        return say("refusal.an_attachment")
    return say("language.quoted", text=one_line(message.attachments[number - 1].filename))
