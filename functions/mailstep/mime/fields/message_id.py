"""Message identifiers (RFC 5322 section 3.6.4): Message-ID, In-Reply-To, References."""

import re

from mailstep.mime.fields.comments import without_comments
from mailstep.mime.options import DEFAULTS, Options

_MSG_ID = re.compile(r"<[^<>]+>")
_BARE_ID = re.compile(r"<?([^<>\s@]+@[^<>\s@]+)>?")


def parse_message_ids(value: str, options: Options = DEFAULTS) -> tuple[str, ...]:
    """The msg-ids of a field, in angle brackets. If there are too many, the newest. Too long ones are left out.

    Lost brackets are put back, and white space that folding left within them is taken out.
    """
    written = [found for found in _MSG_ID.findall(value.replace("><", "> <")) if len(found) <= options.message_id]
    # White space within is what folding left, or RFC 5322 section 4.5.4, which has comments too; else "(" is a letter.
    found = ["".join((without_comments(one)[0] if " " in one else one).split()) for one in written]
    if not found:
        bare = [_BARE_ID.fullmatch(word) for word in re.split(r"[\s,]+", value.strip())]
        found = [f"<{one[1]}>" for one in bare if one and len(one[1]) <= options.message_id - 2] if all(bare) else []
    return tuple(found[-options.message_ids :])
