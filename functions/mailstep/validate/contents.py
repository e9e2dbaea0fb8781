"""Looks into archives and old office documents, each opened once for all rules: which programs, and is it a bomb?"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from mailstep.contracts import Attachment
from mailstep.media_types import COMPOUND_FILE, MACRO_TYPES
from mailstep.validate import programs
from mailstep.validate.archives import ArchiveBomb, ArchiveQuota, may_be_zip, members


@dataclass
class Contents:
    """What is in the attachments of a message.

    Attributes:
        programs: By the number of the attachment, from 1, the types of the programs and macros in it.
        is_bomb: Whether the archives together exceed their quota; then not all of them were looked into.
    """

    programs: dict[int, set[str]] = field(default_factory=dict)
    is_bomb: bool = False


def look_into(attachments: Iterable[Attachment], open_attachment: Callable[[Attachment], bytes]) -> Contents:
    """Look into all attachments of a message within one quota."""
    found, quota = Contents(), ArchiveQuota()
    for number, attachment in enumerate(attachments, start=1):
        is_compound = attachment.media_type_detected == COMPOUND_FILE
        if not (is_compound or may_be_zip(attachment)):
            continue
        content = open_attachment(attachment)
        inside = found.programs.setdefault(number, set())
        if is_compound and programs.has_macros(content):
            inside.add(MACRO_TYPES["docm"])
        try:
            inside |= {kind for kind in map(programs.of_member, members(content, quota)) if kind}
        except ArchiveBomb:
            found.is_bomb = True
            break
    return found
