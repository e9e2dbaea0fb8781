"""Looks into archives and old office documents, each opened once for all rules: which programs, and is it a bomb?"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from mailstep.contracts import Attachment
from mailstep.media_types import MACRO_TYPES, by_evidence
from mailstep.validate import programs
from mailstep.validate.archives import ArchiveBomb, ArchiveQuota, may_be_zip, members

_OFFICE_97 = {"application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint"}
_SUFFIXES_97 = (".doc", ".dot", ".xls", ".xlt", ".ppt", ".pot", ".pps")


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
        if not (may_be_zip(attachment) or _may_be_office_97(attachment)):
            continue
        content = open_attachment(attachment)
        inside = found.programs.setdefault(number, set())
        if programs.has_macros(content):
            inside.add(MACRO_TYPES["docm"])
        try:
            inside |= {kind for kind in map(programs.of_member, members(content, quota)) if kind}
        except ArchiveBomb:
            found.is_bomb = True
            break
    return found


def _may_be_office_97(attachment: Attachment) -> bool:
    kind = by_evidence(attachment.media_type_detected, attachment.filename, attachment.media_type)
    return kind in _OFFICE_97 or attachment.filename.lower().endswith(_SUFFIXES_97)
