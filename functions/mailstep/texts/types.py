"""Says in words what kind of file an attachment is, and which kinds a route accepts."""

import re

from mailstep.contracts import Attachment
from mailstep.media_types import ARCHIVES, FORMATS, WORDS, of_attachment, registered
from mailstep.texts.speaking import say

_OF_MAIN_TYPES = {"image": "picture", "audio": "sound", "video": "video", "text": "text"}
# The end of a name that a person takes for a format; anything else says nothing.
_ENDING = re.compile(r"[A-Za-z0-9]{1,5}")


def type_name(attachment: Attachment) -> str:
    """The type of an attachment in words, by its octets, else its name, else its label: `Excel workbook`.

    A type without a word has the end of the name: `DWG file`.
    """
    kind = of_attachment(attachment)
    if known := _named(kind):
        return known
    stem, _, ending = attachment.filename.rpartition(".")
    return say("types.file_of", format=ending.upper()) if stem and _ENDING.fullmatch(ending) else say("types.file")


def pattern_names(patterns: tuple[str, ...]) -> str:
    """The types that a route accepts, each once: `CSV file, picture`. Without a word for it, a media type stays one."""
    return ", ".join(dict.fromkeys(_named(registered(pattern)) or pattern for pattern in patterns))


def _named(kind: str) -> str:
    """A media type in words, or nothing."""
    if kind in WORDS:
        return say(f"types.{WORDS[kind]}")
    main = _OF_MAIN_TYPES.get(kind.partition("/")[0], "")
    if kind in FORMATS:
        named = "archive" if kind in ARCHIVES else "picture" if main == "picture" else "file"
        return say(f"types.{named}_of", format=FORMATS[kind])
    return say(f"types.{main}") if main else ""
