"""Looks into archives and office documents, each opened once for all rules: which programs, and is it a bomb?"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import starmap

from mailstep.contracts import Attachment
from mailstep.media_types import COMPOUND_FILE, COMPOUND_FILE_SIGNATURE, MACRO_TYPES, of_attachment
from mailstep.validate import macros, programs
from mailstep.validate.archives import ArchiveBomb, ArchiveQuota, may_be_zip, members

_EXCEL = "application/vnd.ms-excel"


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
        is_document = attachment.media_type_detected == COMPOUND_FILE or _is_old_workbook(attachment)
        if not (is_document or may_be_zip(attachment)):
            continue
        content = open_attachment(attachment)
        inside = found.programs.setdefault(number, set())
        if is_document and macros.are_in(content):
            inside.add(MACRO_TYPES["docm"])
        try:
            inside |= {kind for kind in starmap(_program, members(content, quota)) if kind}
        except ArchiveBomb:
            found.is_bomb = True
            break
    return found


def _program(name: str, content: bytes | None) -> str | None:
    """The type of the program that a member of an archive is, or None."""
    if content is not None:
        is_document = content.startswith(COMPOUND_FILE_SIGNATURE)
        if macros.are_in(content) if is_document else macros.are_listed(content):
            return MACRO_TYPES["docm"]
    return programs.of_member(name)


def _is_old_workbook(attachment: Attachment) -> bool:
    """Whether it says that it is a workbook: Excel also opens one that is in no compound file."""
    return of_attachment(attachment) == _EXCEL
