"""The limits of the reader, each with its reason.

The reader leaves out what exceeds a limit, and notes a defect if that matters.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """The limits for reading one message. Each counts over the whole message, unless it says otherwise."""

    depth: int = 50
    """Nesting of multiparts. Real mail has under ten levels. A deeper multipart is kept whole, as one part."""

    parts: int = 500
    """Parts of a message. The rest is kept together, as one part."""

    header_fields: int = 1_000
    """Fields of a message's header that are kept; a mail system adds a few dozen."""

    header_octets: int = 1_000_000
    """Octets of a message's header that are kept, all fields together."""

    part_header_fields: int = 50
    """Fields of a part's header that are kept; three or four are usual."""

    part_header_octets: int = 16_384
    """Octets of a part's header that are kept: a handful of Content- fields."""

    field_value: int = 65_536
    """Octets of a field's value that are kept, and characters of it that are read: enough for a thousand recipients."""

    addresses: int = 2_000
    """Mailboxes that are read from all fields of one name together."""

    address: int = 320
    """Characters of an address: 64 before the @, 255 after it (RFC 5321 section 4.5.3.1)."""

    message_id: int = 998
    """Characters of a message identifier: what fits on a line (RFC 5322 section 2.1.1)."""

    message_ids: int = 101
    """Message identifiers of a field that are kept, the newest. More than a hundred mean a loop, not a thread."""

    date: int = 256
    """Characters of a date. A date of RFC 5322 has about thirty; a comment may add the name of the time zone."""

    charset_sample: int = 32_768
    """Octets that are used to guess the character set, if none is declared or the declared one is wrong."""

    labels_sample: int = 65_536
    """Octets that are searched for the charsets that a message names: its header and its first parts."""

    labels: int = 4
    """Charsets that a message names. They are tried if none is declared. Real mail has one or two."""

    cms_elements: int = 100_000
    """Elements of signed data (S/MIME) that are read: programs write the content in pieces of 1,000 octets and more."""

    signed_depth: int = 3
    """Signed data within signed data: triple wrapping (RFC 2634 section 1.1) has two."""

    enclosed: int = 20
    """Attached messages that are read of a message."""

    tnef_values: int = 50_000
    """Attributes and property values that are read from all winmail.dat files together: 500 files have under 20,000."""

    tnef_name: int = 1_040
    """Octets of a file name in a winmail.dat. A path on Windows has at most 260 UTF-16 characters."""

    tnef_text: int = 1_000_000
    """Octets of the text in a winmail.dat that are searched for more than white space."""


DEFAULTS = Options()
"""The limits that apply if a caller passes no others."""
