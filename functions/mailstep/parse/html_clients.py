"""The marks that mail clients leave in their HTML, by the attributes of an element."""

import re
from collections.abc import Mapping

from mailstep.parse.replies.marks import Hint

_INDENTED = re.compile(r"border(?:-left)?\s*:\s*(?:none|0|medium none)", re.IGNORECASE)
# The line that Outlook draws above the header of what it quotes.
_ABOVE_HEADER = re.compile(r"border-top:\s*solid #(?:e1e1e1|b5c4df)", re.IGNORECASE)
_NO_MARGIN = re.compile(r"margin(?:-top|-bottom)?\s*:\s*0(?![.\d])", re.IGNORECASE)


def is_tight(values: Mapping[str, str]) -> bool:
    """Whether a paragraph is a line: Outlook writes every line as one, without a margin."""
    return values.get("class", "").startswith("Mso") or _NO_MARGIN.search(values.get("style", "")) is not None


def is_quote(values: Mapping[str, str]) -> bool:
    """Whether a block quote quotes: Gmail and Outlook write an indented paragraph as one, without its border."""
    cites = values.get("type", "").lower() == "cite" or "quote" in values.get("class", "").lower() or "cite" in values
    return cites or _INDENTED.search(values.get("style", "")) is None


def hint_of(values: Mapping[str, str]) -> Hint | None:
    """What the names of Gmail, Outlook, Thunderbird or Proton Mail say."""
    names = f"{values.get('class', '')} {values.get('id', '')}"
    if "gmail_attr" in names or "moz-cite-prefix" in names or "cite-prefix" in names:
        return Hint.ATTRIBUTION
    if "divRplyFwdMsg" in names or _ABOVE_HEADER.search(values.get("style", "")):
        return Hint.HEADER
    if any(
        name in names
        for name in ("gmail_signature", "moz-signature", "protonmail_signature_block", "ms-outlook-mobile-signature")
    ):
        return Hint.SIGNATURE
    return None
