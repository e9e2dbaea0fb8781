"""What the sender wrote in a reply: the text without quoted history and signature."""

import re

from mailparser_reply import EmailReplyParser

from mailstep import limits

_SPACES = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r"\n{3,}")
# What precedes a reply is announced in a line of some hundred characters ("On …, … wrote:"). The text has no NUL.
_LONG_LINE, _BROKEN_LINE = re.compile(r"([^\n]{200}[^\n ]*) (?=[^\n])"), "\n\0"
_PARSER = EmailReplyParser(languages=["en", "de", "fr", "es", "it", "nl", "pl", "sv", "da", "pt"])


def reply_text(text: str) -> str:
    """The text without quoted history and signature, as far as they begin within a bound; what goes on is kept.

    The library's patterns take time that grows steeply with white space, with length, and with the cube of a line's
    length: all three are bounded here.
    """
    head = _BLANK_LINES.sub("\n\n", _SPACES.sub(" ", text[: limits.REPLY_TEXT]).replace(" \n", "\n"))
    reply = _PARSER.parse_reply(_LONG_LINE.sub(lambda line: line[1] + _BROKEN_LINE, head)) or ""
    reply = reply.replace(_BROKEN_LINE, " ").strip()
    goes_on = len(text) > limits.REPLY_TEXT and head.split("\n")[-1].strip() in reply.split("\n")[-1]
    return (reply + text[limits.REPLY_TEXT :]).strip() if goes_on else reply
