"""Text of a delimited file: decoded from all its octets by the decoder of mail, with what that changed."""

import re
from dataclasses import dataclass

from mailstep.mime.charsets import decode as decode_charset
from mailstep.process.processors.tables.alphabets import likeliest
from mailstep.process.processors.tables.limits import UnreadableTable
from mailstep.texts.speaking import say

_CONTROLS = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_OTHERS = bytes(octet for octet in range(256) if not _CONTROLS.match(chr(octet)))
_ASCII = re.compile("[\\t\\r\\n -~]")
_CALLED = {"shift_jis": "cp932"}  # what the Encoding Standard calls Shift_JIS is Microsoft's code page 932


@dataclass(frozen=True)
class Text:
    """The text of a file, the encoding that it was read with, and sentences about what was changed."""

    text: str
    encoding: str
    notes: tuple[str, ...] = ()


def decode(content: bytes, *, declared: str | None = None) -> Text:
    """The text of a file. `declared` is the character set that the message declares for it.

    Raises:
        UnreadableTable: it is not text.
    """
    decoded = decode_charset(content, declared=declared)
    if decoded.guessed and (likelier := likeliest(content, decoded.charset)) != decoded.charset:
        decoded = decode_charset(content, declared=declared, hints=(likelier,))
    text, notes = decoded.text.removeprefix("\ufeff"), []
    if decoded.damaged:
        notes.append(say("tables.notes.not_decoded", count=text.count("\ufffd"), encoding=decoded.charset))
    # Two octets of any file are some character of UTF-16. Text has spaces, digits or line ends in it.
    if decoded.guessed and decoded.charset.startswith("utf-16") and 50 * len(_ASCII.findall(text)) < len(text):
        raise UnreadableTable(say("tables.problems.not_text"))
    # UTF-8 has these octets for nothing else. The regular expression takes four times as long.
    if controls := text.encode(errors="replace").translate(None, _OTHERS):
        # A few are an accident; many are a file that is not text.
        if len(controls) * 100 > len(text) + 900:
            raise UnreadableTable(say("tables.problems.not_text"))
        text = _CONTROLS.sub("", text)
        notes.append(say("tables.notes.controls"))
    return Text(text, _CALLED.get(decoded.charset, decoded.charset), tuple(notes))
