"""Tells what somebody wrote in a reply from its history and its signature, by the tags of its lines (tagging.py)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from mailstep.contracts import TextKind
from mailstep.parse.replies import attribution, marks, words
from mailstep.parse.replies.attribution import Below
from mailstep.parse.replies.marks import Hint
from mailstep.parse.replies.tagging import Tag, Tagging

_ABOVE = re.compile("|".join(re.escape(phrase) for phrase in words.REPLY_ABOVE), re.IGNORECASE)
# The longest word of each phrase: a text without these words has none of the phrases.
_ABOVE_WORDS = {max(phrase.split(), key=lambda word: (word == "above", len(word))) for phrase in words.REPLY_ABOVE}
_ABOVE_WORDS_ASCII = {word for word in _ABOVE_WORDS if word.isascii()}
_PIECE = 65_536  # characters
_LONGEST_PHRASE = max(map(len, words.REPLY_ABOVE))
_SUBJECT = 200  # characters of a subject that are looked at
# What lists and mail systems put before a subject, "[Lamps]" and "EXTERNAL:", and a number of forwards, "Fwd[2]:".
_BEFORE_PREFIX = re.compile(r"\A\s*(?:(?:\[[^\]:]{1,40}\]|EXTERNAL:|EXT:)\s*)*")
_COUNT = re.compile(r"[\[(]\d{1,3}[\])]")
_SENTENCES = re.compile(r".*[.!?:](?=[\s#-])")
_HEADER_LINES = 12  # of a quoted header
_LETTER = re.compile(r"[^\W_]")


@dataclass(frozen=True, slots=True)
class Reply:
    """A text in its parts, in their order.

    Every line of `text` is a line of the whole, or the beginning of one. `quoted` has the end of a line they share.
    """

    text: str
    kind: TextKind
    signature: str = ""
    quoted: str = ""


_HISTORY = (Tag.HISTORY, Tag.ATTRIBUTION, Tag.QUOTED)
_SIGNATURE = (Tag.SIGNATURE,)


def split(text: str, *, forwarded: bool = False, hints: Mapping[int, Hint] | None = None) -> Reply:
    """Tell a reply from its history, in time that grows as the text does.

    Args:
        text: the text, with LF line ends.
        forwarded: whether the subject says that the message hands another one on: a header block then begins what is
            handed on, and is no history.
        hints: what the HTML that the text was made from says of lines, by their index.
    """
    head, below = _above_the_line(text)
    tagging = Tagging(head.split("\n"), forwarded, hints or {})
    tagging.run()
    if tagging.is_forward:
        return Reply(_trimmed(text.split("\n")), TextKind.FORWARD)
    if tagging.is_plain and not below:
        return Reply(_trimmed(tagging.lines), TextKind.PLAIN)
    return _Parts(tagging, below).reply()


def is_forwarded(subject: str) -> bool:
    """Whether a subject says that the message hands another one on: `Fwd: Order`."""
    said = _BEFORE_PREFIX.sub("", subject[:_SUBJECT].replace("：", ":"))
    prefix, colon, _ = said.removeprefix("[").partition(":")
    bare = _COUNT.sub("", prefix).strip().casefold().replace("\u0307", "")
    return colon != "" and bare in words.FORWARDING_SUBJECTS


def _above_the_line(text: str) -> tuple[str, str]:
    """The text above a helpdesk's "reply above this line", and the rest; the whole text if none stands above it."""
    # Python takes twelve octets a character to make lower case of text that is not ASCII: so not of all of it at once.
    pieces = (text[at : at + _PIECE + _LONGEST_PHRASE].lower() for at in range(0, len(text), _PIECE))
    line = _ABOVE.search(text) if any(map(_has_phrase, pieces)) else None
    if line is None:
        return text, ""
    start = text.rfind("\n", 0, line.start()) + 1
    # The words before the phrase in its line ("##- Please type your") are the helpdesk's, but not a sentence.
    sentence = _SENTENCES.match(text, start, line.start())
    end = sentence.end() if sentence else _before_rule(text, start)
    head = text[:end]
    written = (row for row in head.split("\n") if not row.startswith(">"))
    return (head, text[end:]) if any(_LETTER.search(row) for row in written) else (text, "")


def _before_rule(text: str, start: int) -> int:
    """Where the rule begins that a helpdesk draws above a line; the line's own start without one."""
    above = text[:start].rstrip()
    rule = above.rfind("\n") + 1
    return rule if above and marks.is_rule(above[rule:].strip()) else start


def _has_phrase(lower: str) -> bool:
    likely = _ABOVE_WORDS_ASCII if lower.isascii() else _ABOVE_WORDS
    return any(word in lower for word in likely) and any(phrase in lower for phrase in words.REPLY_ABOVE)


@dataclass(frozen=True, slots=True)
class _Quote:
    """Quoted lines, from `start` up to `end`, with empty ones between them."""

    start: int
    end: int
    is_attributed: bool


class _Parts:
    """The tagged lines, put together."""

    def __init__(self, tagging: Tagging, below: str) -> None:
        self._lines = tagging.lines
        self._tags = tagging.tags
        self._shared = tagging.shared
        self._below = below
        self._quotes = self._find_quotes()
        texts = (at for at in range(len(self._tags) - 1, -1, -1) if self._tags[at] is Tag.TEXT)
        self._last_text = next(texts, -1)

    def reply(self) -> Reply:
        """The parts; only what is certainly history is left out of the text."""
        kept = self._kept_quotes()
        if self._last_text < 0 and not self._shared and not kept and not self._has_history():
            return Reply(_trimmed(self._lines), TextKind.PLAIN)  # a signature alone
        keep = [tag is Tag.TEXT for tag in self._tags]
        for quote in kept:
            keep[quote.start : quote.end] = [True] * (quote.end - quote.start)
        text = self._text(keep)
        return Reply(text, self._kind(text, kept, keep), self._signature(), self._history(keep))

    def _find_quotes(self) -> list[_Quote]:
        quotes: list[_Quote] = []
        at = 0
        before: Tag | None = None
        for tag, group in groupby(self._tags):
            end = at + sum(1 for _ in group)
            if tag is Tag.QUOTED:
                if before is Tag.QUOTED:
                    quotes[-1] = _Quote(quotes[-1].start, end, quotes[-1].is_attributed)
                else:
                    quotes.append(_Quote(at, end, before is Tag.ATTRIBUTION or self._begins_with_attribution(at, end)))
            if tag is not Tag.BLANK:
                before = tag
            at = end
        return quotes

    def _begins_with_attribution(self, start: int, end: int) -> bool:
        """Whether the attribution or the header was quoted with what it introduces."""
        inner = [line.lstrip("> ").strip() for line in self._lines[start : min(end, start + _HEADER_LINES)]]
        if any(marks.field_kind(line) and marks.is_header_block(inner[at:], 0) for at, line in enumerate(inner[:2])):
            return True
        del inner[attribution.LINES :]
        return any(
            attribution.find(inner, at, 0, Below.EMPTY) is not None
            for at, line in enumerate(inner)
            if line and attribution.may_end(line)
        )

    def _kept_quotes(self) -> list[_Quote]:
        """The quotes that the sender answers one by one, and an answered one that no client has introduced."""
        if self._last_text < 0 and not self._shared and not self._has_history():
            return self._quotes
        answered = [quote for quote in self._quotes if quote.end <= self._last_text]
        return answered if len(answered) > 1 else [quote for quote in answered if not quote.is_attributed]

    def _has_history(self) -> bool:
        tags = any(tag is Tag.HISTORY or tag is Tag.ATTRIBUTION for tag in self._tags)
        return tags or self._below != "" or any(quote.is_attributed for quote in self._quotes)

    def _text(self, keep: list[bool]) -> str:
        kept: list[str] = []
        left_out = False
        for at, (line, tag) in enumerate(zip(self._lines, self._tags, strict=True)):
            if keep[at] or at in self._shared:
                kept.append((line[: self._shared[at]].rstrip(" \t-") if at in self._shared else line).rstrip())
                left_out = False
            elif tag is not Tag.BLANK:
                left_out = True
            elif not left_out:
                kept.append("")
        return _trimmed(kept)

    def _kind(self, text: str, kept: list[_Quote], keep: list[bool]) -> TextKind:
        left_out = [at for at, tag in enumerate(self._tags) if tag in _HISTORY and not keep[at]]
        if kept and self._last_text >= 0 and (left_out or len(kept) > 1):
            return TextKind.INTERLEAVED
        if not left_out and not self._below:
            return TextKind.PLAIN
        if not text:
            return TextKind.ONLY_HISTORY
        return TextKind.BOTTOM if left_out and left_out[0] < self._last_text else TextKind.TOP

    def _signature(self) -> str:
        delimiters = (line for line in self._of(_SIGNATURE) if line.strip() != "--")
        return _trimmed(delimiters)

    def _history(self, keep: list[bool]) -> str:
        return _trimmed([*self._of(_HISTORY, keep), *self._below.split("\n")])

    def _of(self, tags: tuple[Tag, ...], keep: list[bool] | None = None) -> Iterable[str]:
        """The lines of some tags that are not kept, and the empty ones between them."""
        if not any(tag in self._tags for tag in tags):
            return
        blank = False
        for at, (line, tag) in enumerate(zip(self._lines, self._tags, strict=True)):
            if tag is Tag.BLANK:
                blank = True
            elif tag in tags and not (keep and keep[at]):
                if blank:
                    yield ""
                yield line[self._shared.get(at, 0) :].strip() if at in self._shared else line.rstrip()
                blank = False
            else:
                blank = True


def _trimmed(lines: Iterable[str]) -> str:
    """The lines without the empty ones at both ends."""
    rows = [line.rstrip() for line in lines]
    if not rows:
        return ""
    first = next((at for at, row in enumerate(rows) if row), len(rows))
    last = next((at for at in range(len(rows) - 1, -1, -1) if rows[at]), -1)
    return "\n".join(rows[first : last + 1])
