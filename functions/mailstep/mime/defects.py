"""What can be wrong with a message: the code of each defect, and its English."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Self


class Defect(StrEnum):
    """A fault of a message, or a part that could not be read, and what was done. The raw message is always kept."""

    # A code stands alone, without the sender's words (a charset's name, a size), so that an application can compare it,
    # a log can carry it, and its values can be listed. It takes the place of a sentence: never change what one means.

    means: str
    """The code in one English sentence."""

    def __new__(cls, code: str, means: str) -> Self:
        """A string that is the code."""
        defect = str.__new__(cls, code)
        defect._value_ = code
        defect.means = means
        return defect

    # The header (RFC 5322 section 2.2).
    HEADER_MISSING = "header_missing", "The message or a part has no header: all of it was read as the body."
    HEADER_NOT_ENDED = "header_not_ended", "No empty line ends a header: the body begins where the fields end."
    HEADER_TRUNCATED = (
        "header_truncated",
        "A header exceeds the limit: the rest is only in the raw message.",
    )
    HEADER_LINE_SKIPPED = "header_line_skipped", "A line in a header is not a field: it was skipped."
    WHITE_SPACE_BEFORE_HEADER = "white_space_before_header", "White space comes before the header: it was skipped."
    LINES_BEFORE_HEADER = "lines_before_header", "Lines that are not fields come before the header: they were skipped."

    # Single fields.
    FROM_WITHOUT_ADDRESS = "from_without_address", "The From field contains no address."
    TO_WITHOUT_ADDRESS = "to_without_address", "The To field contains no address."
    CC_WITHOUT_ADDRESS = "cc_without_address", "The Cc field contains no address."
    REPLY_TO_WITHOUT_ADDRESS = "reply_to_without_address", "The Reply-To field contains no address."
    ADDRESSES_TRUNCATED = (
        "addresses_truncated",
        "An address field exceeds the limit: the rest is only in the raw message.",
    )
    MESSAGE_ID_UNREADABLE = "message_id_unreadable", "The Message-ID field contains no message identifier."
    DATE_UNREADABLE = "date_unreadable", "The Date field cannot be read: its text is in `date_raw`."
    CONTENT_TYPE_UNREADABLE = "content_type_unreadable", "A Content-Type field cannot be read: a default was used."

    # Multiparts (RFC 2046 section 5.1).
    BOUNDARY_MISSING = "boundary_missing", "A multipart declares no boundary and uses none: it was kept as one part."
    PARTS_MISSING = "parts_missing", "No part stands between a multipart's delimiters: it was kept as one part."
    BOUNDARY_WRONG = "boundary_wrong", "A multipart's boundary is missing or wrong: the one in use was found."
    MULTIPART_NOT_CLOSED = (
        "multipart_not_closed",
        "A multipart's last delimiter is missing: its last part ends where the multipart ends.",
    )
    PARTS_AFTER_END = "parts_after_end", "Parts follow a multipart's last delimiter: they were read as well."
    TEXT_AFTER_END = "text_after_end", "Text follows a multipart's last delimiter: it was skipped."
    TOO_MANY_PARTS = (
        "too_many_parts",
        "There are too many parts, or they are nested too deeply: some were kept together as one.",
    )

    # Transfer encodings (RFC 2045 section 6).
    TRANSFER_ENCODING_UNKNOWN = (
        "transfer_encoding_unknown",
        "A part's transfer encoding is unknown: the part was kept undecoded.",
    )
    BASE64_CUT_OFF = "base64_cut_off", "A part's base64 is cut off or damaged: the rest was decoded."
    BASE64_FOLLOWED_BY_TEXT = "base64_followed_by_text", "Text follows a part's base64: it was skipped."
    BASE64_WRONG = "base64_wrong", "A part is declared as base64 but is not: it was kept undecoded."
    UUENCODING_BROKEN = "uuencoding_broken", "A part's uuencoding is broken: the part was kept undecoded."
    PART_NOT_DECODED = (
        "part_not_decoded",
        "Decoding a part failed, or took too much time or memory: it was kept undecoded.",
    )

    # Texts.
    CHARSET_WRONG = (
        "charset_wrong",
        "A text is not in the character set that it declares, or declares none: another one was guessed.",
    )
    CHARACTERS_REPLACED = (
        "characters_replaced",
        "A text holds octets that are no character of its character set: each was replaced by U+FFFD.",
    )
    NUL_REMOVED = "nul_removed", "NUL characters were removed from a text."
    TEXT_TRUNCATED = (
        "text_truncated",
        "A text exceeds the limit: it was cut, and kept whole as an attachment, or in `html` if it was made from it.",
    )
    TEXT_NOT_DECODED = (
        "text_not_decoded",
        "Decoding a text failed, or took too much time or memory: it was kept as an attachment.",
    )
    HTML_NOT_READ = (
        "html_not_read",
        "Making a text of the HTML failed, or took too much time or memory: `text` is without it.",
    )
    REPLY_NOT_FOUND = (
        "reply_not_found",
        "Separating the reply from its quotes failed, or took too much time or memory: `reply_text` is all of `text`.",
    )

    # The request to an application (process/request.py).
    REQUEST_TRUNCATED = (
        "request_truncated",
        "The request to the application exceeds the limit: long texts and lists were cut there.",
    )

    # Signed data (RFC 8551).
    SIGNATURE_NOT_VERIFIED = (
        "signature_not_verified",
        "The message is within signed data (S/MIME): it was read, and the signature was not verified.",
    )
    SIGNED_NOT_READ = (
        "signed_not_read",
        "Reading signed data (S/MIME) failed, or took too much time or memory: it was kept as an attachment.",
    )

    # Attachments.
    MEDIA_TYPE_NOT_DETECTED = (
        "media_type_not_detected",
        "Detecting the type of an attachment failed, or took too much time or memory.",
    )
    NESTED_SUBJECT_UNREADABLE = (
        "nested_subject_unreadable",
        "Reading the subject of a nested message failed, or took too much time or memory.",
    )
    ENCLOSED_NOT_READ = (
        "enclosed_not_read",
        "Reading an attached message failed, took too much time or memory, or there are too many: it was kept whole.",
    )
    TNEF_UNREADABLE = (
        "tnef_unreadable",
        "A winmail.dat (TNEF) cannot be read to its end, or takes too much time or memory: it was kept whole.",
    )
    TNEF_BODY_NOT_READ = (
        "tnef_body_not_read",
        "The text of the message is only in a winmail.dat (TNEF), as RTF or too long to be read: it was kept whole.",
    )
    TNEF_TOO_LARGE = "tnef_too_large", "A winmail.dat (TNEF) holds too many values: it was kept whole."
    TNEF_TOO_MANY_FILES = (
        "tnef_too_many_files",
        "A winmail.dat (TNEF) holds too many files: it was kept whole.",
    )
    TNEF_HOLDS_MESSAGE = (
        "tnef_holds_message",
        "A winmail.dat (TNEF) holds a message, which is not unpacked: it was kept whole.",
    )

    # Reports (RFC 3464).
    DELIVERY_REPORT_UNREADABLE = (
        "delivery_report_unreadable",
        "Reading a delivery report failed, or took too much time or memory.",
    )


_PLACE = {defect: place for place, defect in enumerate(Defect)}


def in_order(defects: Iterable[Defect]) -> tuple[Defect, ...]:
    """Defects in the order of the list above."""
    return tuple(sorted(defects, key=_PLACE.__getitem__))
