"""Looks into archives and office documents, each opened once for all rules: which programs, and is it a bomb?"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from mailstep.contracts import Attachment
from mailstep.file_signatures import detected
from mailstep.media_types import COMPOUND_FILE, COMPOUND_FILE_SIGNATURE, MACRO_TYPES, by_evidence
from mailstep.validate import macros, packages, programs
from mailstep.validate.archives import CONTENT_TYPES, ArchiveBomb, ArchiveQuota, Member, may_be_zip, members

# Excel also opens a workbook that is in no compound file, and Word a document that is a text.
_EXCEL = "application/vnd.ms-excel"
_DOCUMENTS = {_EXCEL, "application/msword", "application/vnd.ms-powerpoint", "application/rtf", "application/xml"}


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
        is_document = _may_be_document(attachment)
        if not (is_document or may_be_zip(attachment)):
            continue
        content = open_attachment(attachment)
        inside = found.programs.setdefault(number, set())
        if is_document:
            inside |= _in_document(content)
        try:
            for member in members(content, quota):
                inside |= _in_member(member)
        except ArchiveBomb:
            found.is_bomb = True
            break
    return found


def _may_be_document(attachment: Attachment) -> bool:
    """Whether it is a compound file, or a document of Office by its name or label that its octets do not contradict."""
    seen = attachment.media_type_detected
    named = by_evidence(None, attachment.filename, attachment.media_type)
    return seen in {COMPOUND_FILE, _EXCEL} or (seen is None and named in _DOCUMENTS)


def _in_document(content: bytes) -> set[str]:
    """The types of the programs and macros in a document that is no ZIP archive."""
    found = {MACRO_TYPES["docm"]} if macros.are_in(content) else set()
    return found | packages.programs_in(content) if content.startswith(COMPOUND_FILE_SIGNATURE) else found


def _in_member(member: Member) -> set[str]:
    """The types of the program that a member of an archive is, by its name and its octets, and of those in it."""
    kinds = {programs.of_member(member.name), programs.of_type(detected(member.first) or "")}
    found = {kind for kind in kinds if kind}
    if member.content is None:
        return found
    if member.name.lower() == CONTENT_TYPES:
        return found | ({MACRO_TYPES["docm"]} if macros.are_listed(member.content) else set())
    return found | _in_document(member.content)
