"""The service's bounds on what a message may make it do, each with its reason; those of reading are in mime/options.py.

What is beyond a bound is left out, and noted as a defect where it is more than a curiosity. Nothing is lost: the raw
message stays in S3.
"""

MESSAGE_OCTETS = 40 * 1024 * 1024
"""What SES receives at most (Amazon SES quotas, "Receiving")."""

TEXT = 1_000_000
"""Octets of text, and of HTML, in message.json; a longer one is cut there and kept whole as an attachment."""

REPLY_TEXT = 5_000
"""Characters in which the end of a reply is looked for: a longer text has none, or begins with it."""

FILENAME = 200
"""Octets of a file name in UTF-8: file systems take 255, and a number is put before it."""

ARCHIVE_OCTETS = 500 * 1024 * 1024
"""Octets that the ZIP archives of a message may declare, all members together: spreadsheets of 40 MB unpack to less."""

ARCHIVE_MEMBERS = 10_000
"""Members of a message's ZIP archives, and of those within them."""

ARCHIVE_DEPTH = 2
"""ZIP archives within ZIP archives: one within another is still a folder somebody packed."""

NESTED_ARCHIVE_OCTETS = 40 * 1024 * 1024
"""Octets of the ZIP archives within those of a message that are inflated, in memory, to look into them."""

REPLY_OCTETS = 40_000_000
"""Octets of a reply, encoded: SES takes 40 MB (Amazon SES quotas, "Message quotas", API v2)."""
