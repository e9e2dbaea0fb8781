"""The service's limits on a message, each with its reason; those of reading it are in mime/options.py.

Content beyond a limit is left out, with a defect if it matters. Nothing is lost: the raw message stays in S3.
"""

RECEIVED_OCTETS = 40 * 1024 * 1024
"""The largest message that SES receives (Amazon SES quotas, "Receiving")."""

ADDED_OCTETS = 64 * 1024
"""Room for what SES puts on top: some 2.2 KB of verdicts and signatures, more for long names."""

MESSAGE_OCTETS = RECEIVED_OCTETS + ADDED_OCTETS
"""The largest object that SES stores: what it received, and what it put on top."""

TEXT = 1_000_000
"""Octets of text, and of HTML, in message.json; a longer one is cut there and kept whole as an attachment."""

ENCLOSED_TEXT = 200_000
"""Octets of text, and of HTML, of all attached messages in message.json; a longer one is cut and kept whole."""

FILENAME = 200
"""Octets of a file name in UTF-8: file systems allow 255, and a number is put before it."""

ARCHIVE_OCTETS = 500 * 1024 * 1024
"""Octets that the ZIP archives of a message may declare, all members together: spreadsheets of 40 MB unpack to less."""

ARCHIVE_MEMBERS = 10_000
"""Members of a message's ZIP archives, and of those within them."""

ARCHIVE_DEPTH = 2
"""Nesting of ZIP archives: people do pack one archive within another."""

ATTACHMENTS_SECONDS = 18
"""How long a built-in processor may work on all attachments of a message: ProcessFunction has 30 for the step."""

NESTED_ARCHIVE_OCTETS = 64 * 1024 * 1024
"""Octets of nested ZIP archives, and of documents within archives, that are inflated in memory to check them."""

HTML_DEPTH = 500
"""Nesting of elements in an answer's HTML: mail programs write some dozens, and the time to clean it grows with it."""

REPLY_OCTETS = 40_000_000
"""Octets of an encoded reply: SES accepts 40 MB (Amazon SES quotas, "Message quotas", API v2)."""

ANSWER_OCTETS = 64 * 1024 * 1024
"""Octets of an answer in the mail bucket: the files of the largest reply in Base64, and its texts."""

REQUEST_OCTETS = 6_000_000
"""Octets of a request to an application within a Lambda's event: 6 MB (AWS Lambda quotas), headers and context too."""

THREAD_EMAILS = 20
"""Earlier emails of a thread that an application gets: they travel in the state, some 250 octets each."""

THREAD_ANSWERS = 5
"""Answers to each of them."""

REPLIES_A_DAY = 6
"""Times `replies_an_hour`: the replies of a route to one sender in a day. A person writes for a few hours of it."""

REPLIES_TO_A_DOMAIN = 100
"""Times the bounds of one sender: the replies of a route to one domain, which may be that of a mail provider."""

REPLIES_BY_REPLY_TO = 2
"""Times the bounds of one sender: the replies of a route to one mailbox that others name in Reply-To. One of them alone
cannot use them up."""
