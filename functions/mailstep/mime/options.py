"""How much of a message is read: every bound of the reader, with its reason.

What lies beyond a bound is left out, and is a defect where it is more than a curiosity.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """The bounds that one message is read within. They hold for the message as a whole where nothing else is said."""

    depth: int = 50
    """Multiparts within multiparts. Real mail has under ten; deeper ones are kept whole as one part."""

    parts: int = 500
    """Parts of a message. What is beyond is kept together as one part."""

    header_fields: int = 1_000
    """Fields of a message's header that are kept; a mail system adds a few dozen."""

    header_octets: int = 1_000_000
    """Octets of a message's header that are kept, all fields together."""

    part_header_fields: int = 50
    """Fields of a part's header that are kept; three or four are usual."""

    part_header_octets: int = 16_384
    """Octets of a part's header that are kept: a handful of Content- fields."""

    field_value: int = 65_536
    """Octets of one field's value that are kept, and characters that are read: a thousand recipients."""

    addresses: int = 2_000
    """Mailboxes that are read of all fields of one name."""

    address: int = 320
    """Characters of an address: 64 before the @, 255 after it (RFC 5321 section 4.5.3.1)."""

    message_id: int = 998
    """Characters of a message identifier: what fits on a line (RFC 5322 section 2.1.1)."""

    message_ids: int = 101
    """Message identifiers of a field that are kept, the newest: more than a hundred are a loop, not a thread."""

    date: int = 256
    """Characters of a date that is read: one of RFC 5322 has some thirty, a comment with a zone's name some more."""

    charset_sample: int = 32_768
    """Octets from which a charset is guessed where none is declared or the declared one is wrong."""

    labels_sample: int = 262_144
    """Octets that are searched for the charsets that a message names: its header and its first parts."""

    labels: int = 4
    """Charsets that a message names, which are tried where none is declared: real mail has one or two."""

    tnef_values: int = 50_000
    """Attributes and property values that are read of all winmail.dat of a message: 500 files have under 20,000."""

    tnef_name: int = 1_040
    """Octets of a name in a winmail.dat that are read: a path of Windows has 260 UTF-16 characters."""

    tnef_text: int = 1_000_000
    """Octets of a text in a winmail.dat that are searched for anything but white space."""


DEFAULTS = Options()
"""What is used where a caller passes no other options."""
