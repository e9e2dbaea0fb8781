"""The rules about attachments: they count the files that somebody attached, and name the one that is refused.

An explanation names a file by its number, as `{attachment 2}`: state and logs hold nothing that the sender wrote. The
notice to the sender has the name instead (notices.py).
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from mailstep.contracts import Attachment, Message
from mailstep.media_types import of_attachment, registered
from mailstep.texts.speaking import say
from mailstep.texts.types import pattern_names
from mailstep.validate import programs
from mailstep.validate.contents import Contents

Patterns = tuple[str, ...]
"""Media types that a route accepts, wildcards too; none: every type but those of programs."""


def attached(message: Message) -> Iterator[tuple[int, Attachment]]:
    """The files that somebody attached, each with its number among all attachments, from 1."""
    numbered = enumerate(message.attachments, start=1)
    return ((number, attachment) for number, attachment in numbered if attachment.attached)


def too_many(message: Message, most: int) -> str | None:
    """What to tell the sender of too many files, or None."""
    count = sum(1 for _ in attached(message))
    if count <= most:
        return None
    attachments = say("counts.attachments", count=count)
    return say("refusal.too_many_attachments" if most else "refusal.no_attachments", attachments=attachments, most=most)


def not_scanned(message: Message) -> str | None:
    """What to tell the sender of files that SES did not scan, or None if there are none."""
    if message.verdicts.virus == "PASS" or not any(attached(message)):
        return None
    return say("refusal.unscanned")


def refused_program(message: Message, accepted: Patterns, contents: Contents) -> str | None:
    """What to tell the sender of a program, or None. A part that is not attached may not be a program either.

    A route accepts a program only if it lists the program's own type, or everything (`*/*`).
    """
    for number, attachment in enumerate(message.attachments, start=1):
        if not _are_listed(_programs(attachment), accepted):
            return say("refusal.program", file=_mention(number))
        if not _are_listed(contents.programs.get(number, set()), accepted):
            return say("refusal.contains_program", file=_mention(number))
    return None


def refused_type(message: Message, accepted: Patterns) -> str | None:
    """What to tell the sender of a file whose type the route does not list, or None."""
    for number, attachment in attached(message):
        if accepted and not _is_accepted(of_attachment(attachment), accepted):
            return say("refusal.attachment_type", file=_mention(number), types=pattern_names(accepted))
    return None


def _mention(number: int) -> str:
    return f"{{attachment {number}}}"


def _programs(attachment: Attachment) -> set[str]:
    """The types of programs that any evidence says it is."""
    found = {programs.of_name(attachment.filename), programs.of_type(of_attachment(attachment))}
    return {kind for kind in found if kind}


def _is_accepted(kind: str, accepted: Patterns) -> bool:
    return any(fnmatchcase(kind, registered(pattern)) for pattern in accepted)


def _are_listed(kinds: set[str], accepted: Patterns) -> bool:
    return bool({"*", "*/*"} & set(accepted)) or kinds <= set(map(registered, accepted))
