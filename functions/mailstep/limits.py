"""Every limit on a message, with its reason.

Content beyond a limit is left out, with a defect if it matters. Nothing is lost: the raw message stays in S3.
"""

MESSAGE_OCTETS = 40 * 1024 * 1024
"""The largest message that SES receives (Amazon SES quotas, "Receiving")."""

DEPTH = 50
"""Nesting of multiparts. Real mail has under ten levels; a deeper part is kept whole as an attachment."""

PARTS = 500
"""Parts of a message: each becomes an object in S3. Further parts are kept together as one attachment."""

HEADER_FIELDS = 1_000
"""Fields of a header that are kept; a mail system adds a few dozen."""

HEADER_OCTETS = 1_000_000
"""Octets of a message's header that are kept, all fields together."""

PART_HEADER_FIELDS = 50
"""Fields of a part's header that are kept; three or four are usual."""

PART_HEADER_OCTETS = 16_384
"""Octets of a part's header that are kept: a handful of Content- fields."""

HEADER_VALUE = 65_536
"""Characters of one field's value that are read: enough for a thousand recipients."""

ADDRESSES = 2_000
"""Mailboxes that are kept from all fields of one name together."""

ADDRESS = 320
"""Characters of an address: 64 before the @, 255 after it (RFC 5321 section 4.5.3.1)."""

MESSAGE_ID = 998
"""Characters of a message identifier: what fits on a line (RFC 5322 section 2.1.1). State carries one."""

DATE = 256
"""Characters of a date that is read: RFC 5322 needs about thirty, and a comment with a zone's name some more."""

REFERENCES = 101
"""Message identifiers of a thread that are kept. The policy takes a message with so many for a loop (policy.py)."""

TEXT = 1_000_000
"""Octets of text, and of HTML, in message.json; a longer one is cut there and kept whole as an attachment."""

REPLY_TEXT = 5_000
"""Characters that are searched for the end of the reply: a reply ends within them, or the text is no reply."""

FILENAME = 200
"""Octets of a file name in UTF-8: file systems allow 255, and a number is put before it."""

CHARSET_SAMPLE = 32_768
"""Octets from which a character set is guessed if the declared one is wrong."""

CHARSET_LEAST = 256
"""Octets below which no character set is guessed: a field has many short words, and each guess takes milliseconds."""

TNEF_VALUES = 50_000
"""Attributes and property values that are read of all winmail.dat of a message: 500 attachments have under 20,000."""

TNEF_NAME = 1_040
"""Octets of a name in a winmail.dat that are read: a path of Windows has 260 UTF-16 characters."""

ARCHIVE_OCTETS = 500 * 1024 * 1024
"""Octets that the ZIP archives of a message may declare, all members together: spreadsheets of 40 MB unpack to less."""

ARCHIVE_MEMBERS = 10_000
"""Members of a message's ZIP archives, and of those within them."""

ARCHIVE_DEPTH = 2
"""Nesting of ZIP archives: people do pack one archive within another."""

NESTED_ARCHIVE_OCTETS = 40 * 1024 * 1024
"""Octets of nested ZIP archives that are inflated in memory to check them."""

REPLY_OCTETS = 40_000_000
"""Octets of an encoded reply: SES accepts 40 MB (Amazon SES quotas, "Message quotas", API v2)."""
