"""Message identifiers (RFC 5322 section 3.6.4): Message-ID, In-Reply-To, References."""

import re

from mailstep.mime.options import DEFAULTS, Options

_MSG_ID = re.compile(r"<[^<>]+>")
_BARE_ID = re.compile(r"<?([^<>\s@]+@[^<>\s@]+)>?")


def parse_message_ids(value: str, options: Options = DEFAULTS) -> tuple[str, ...]:
    """The msg-ids of a field, in angle brackets. If there are too many, the newest. Too long ones are left out.

    Lost brackets are put back, and white space that folding left within them is taken out.
    """
    written = [found for found in _MSG_ID.findall(value.replace("><", "> <")) if len(found) <= options.message_id]
    found = ["".join(identifier.split()) for identifier in written]
    if not found and (bare := _BARE_ID.fullmatch(value)):
        found = [identifier for identifier in [f"<{bare[1]}>"] if len(identifier) <= options.message_id]
    return tuple(found[-options.message_ids :])
