"""Tell what somebody wrote in a reply from its history and its signature: one tag a line, in one pass.

Over 300 lines: the pass that tags lines and the one that puts them together are two halves of one thing.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from itertools import groupby

from mailstep.contracts import TextKind
from mailstep.parse.replies import attribution, marks, words
from mailstep.parse.replies.attribution import Below
from mailstep.parse.replies.marks import Hint, Separator

_BARE_SIGNATURE_LINES = 10
_CANDIDATES = 2_000  # lines that are read as attributions: no conversation quotes as many
_SIGNATURE_LINES = 15  # of a signature that the HTML marks: with more, something else was written into it
_EMPTY_LINES = 40  # between an attribution and the quote
_WRAPPED = 65  # characters: a quoted line as long as this may have been wrapped by a client that did not quote the rest
_ABOVE = re.compile("|".join(re.escape(phrase) for phrase in words.REPLY_ABOVE), re.IGNORECASE)
# The longest word of each phrase: a text without these words has none of the phrases.
_ABOVE_WORDS = {max(phrase.split(), key=lambda word: (word == "above", len(word))) for phrase in words.REPLY_ABOVE}
_ABOVE_WORDS_ASCII = {word for word in _ABOVE_WORDS if word.isascii()}
_PIECE = 65_536  # characters
_LONGEST_PHRASE = max(map(len, words.REPLY_ABOVE))
_OPEN_LINK = re.compile(r"[(<]https?:[^\s)>]*$")
_LINK = 1_000  # characters of the longest link that is looked for
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


class _Tag(Enum):
    BLANK = auto()
    TEXT = auto()
    QUOTED = auto()
    ATTRIBUTION = auto()
    SIGNATURE = auto()
    HISTORY = auto()


_HISTORY = (_Tag.HISTORY, _Tag.ATTRIBUTION, _Tag.QUOTED)
_SIGNATURE = (_Tag.SIGNATURE,)


def split(text: str, *, forwarded: bool = False, hints: Mapping[int, Hint] | None = None) -> Reply:
    """Tell a reply from its history, in time that grows as the text does.

    Args:
        text: the text, with LF line ends.
        forwarded: whether the subject says that the message hands another one on: a header block then begins what is
            handed on, and is no history.
        hints: what the HTML that the text was made from says of lines, by their index.
    """
    head, below = _above_the_line(text)
    tagging = _Tagging(head.split("\n"), forwarded, hints or {})
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


class _Tagging:
    """The pass over the lines."""

    def __init__(self, lines: list[str], forwarded: bool, hints: Mapping[int, Hint]) -> None:
        self.lines = lines
        self.tags: list[_Tag] = []
        self.is_forward = False
        self.is_plain = True
        """Whether each line is the sender's own text."""
        self.shared: dict[int, int] = {}
        """Lines of text that an attribution shares, and the column where it begins."""
        self._forwarded = forwarded
        self._hints = hints if sum(hint is Hint.SIGNATURE for hint in hints.values()) <= _SIGNATURE_LINES else {}
        self._solid: _Tag | None = None  # the tag of the last line that is neither empty nor drawn
        self._first_solid = len(lines)
        self._in_signature = False
        self._bare = -1  # where a signature began whose delimiter has lost its space
        self._sign = -attribution.LINES  # the last line that has an address or a verb, as far as was looked
        self._looked = -1
        self._paragraph = 0  # the first line that an attribution may begin in
        self._candidates = 0
        self._mark = ">"  # of the quote that an attribution introduced: some clients draw a bar

    def run(self) -> None:
        """Tag each line, up to where history goes on to the end of the text."""
        for at, line in enumerate(self.lines):
            stripped = line.strip()
            if not stripped:
                self.tags.append(_Tag.BLANK)
                continue
            tag = self._tag(at, line, stripped)
            if self.is_forward:
                return
            self._add(at, tag, stripped)
            if tag is _Tag.HISTORY:
                self.tags += [_Tag.HISTORY] * (len(self.lines) - len(self.tags))
                break
        self._end_signature(len(self.tags))
        self._drop_headings()

    def _add(self, at: int, tag: _Tag, stripped: str) -> None:
        if self._in_signature and tag is not _Tag.SIGNATURE:
            self._end_signature(at)
        self.tags.append(tag)
        if tag is not _Tag.TEXT:
            self.is_plain = False
            if tag is _Tag.QUOTED or tag is _Tag.ATTRIBUTION:
                self._paragraph = at + 1
        if stripped[0].isalnum() or not marks.is_rule(stripped):
            self._solid = tag
            if tag is not _Tag.ATTRIBUTION and self._first_solid > at:
                self._first_solid = at

    def _tag(self, at: int, line: str, stripped: str) -> _Tag:
        first = stripped[0]
        if (first == ">" and self._is_quoted(at, line)) or (first == self._mark and self._is_in_quote()):
            if not self._is_in_quote():
                self.is_forward = marks.separator(stripped) is Separator.FORWARDED
            return _Tag.QUOTED
        if not first.isalnum() or stripped[-1] in ":：":
            announced = marks.separator(stripped)
            if announced:
                self.is_forward = self._forwarded or announced is Separator.FORWARDED
                return _Tag.HISTORY
        if self._begins_header(at, line, stripped):
            return _Tag.HISTORY
        hint = self._hints.get(at)
        if hint:
            told = self._by_hint(at, hint)
            if told:
                return told
        if attribution.may_end(stripped):
            tag = self._attribution(at)
            if tag:
                return tag
        return self._signature(at, line, stripped)

    def _is_quoted(self, at: int, line: str) -> bool:
        if line.startswith(">From ") and self._solid is not _Tag.QUOTED:
            return False  # mbox puts the mark there (RFC 4155)
        if not self._is_in_quote() and marks.is_groupwise_attribution(line):
            return False
        if self._first_solid < at and not self._is_in_quote() and marks.is_groupwise(line.strip()):
            return False
        if at and self.tags[at - 1] is not _Tag.QUOTED and "@" in self.lines[at - 1] and attribution.is_end(line):
            return False
        return line[0] == ">" or line.startswith(" >") or self._is_in_quote()

    def _begins_header(self, at: int, line: str, stripped: str) -> bool:
        begin = at
        if stripped[0].isdigit():
            begin -= 2 if at > 1 and self.tags[at - 1] is _Tag.BLANK else 1
            is_below_writer = begin >= 0 and self.tags[begin] is _Tag.TEXT and attribution.is_writer(self.lines[begin])
            if not (is_below_writer and marks.is_notes_header(self.lines, at)):
                return False
            self.tags[begin] = _Tag.HISTORY
        elif not ((":" in line or "：" in line) and marks.field_kind(line) and marks.is_header_block(self.lines, at)):
            return False
        self.is_forward = self._forwarded or self._first_solid >= begin
        return True

    def _is_in_quote(self) -> bool:
        return self._solid is _Tag.QUOTED or self._solid is _Tag.ATTRIBUTION

    def _attribution(self, at: int) -> _Tag | None:
        if at - self._last_sign(at) >= attribution.LINES:
            return None
        self._candidates += 1
        if self._candidates > _CANDIDATES:
            return None
        below, mark = self._below(at)
        found = attribution.find(self.lines, at, self._paragraph, below)
        if found is None:
            return None
        is_first = not found.column and self._first_solid >= found.line
        if is_first and below is not Below.QUOTE and not any("@" in line for line in self.lines[found.line : at + 1]):
            return None
        # Without a mark, what it introduces is history to the end; but not all of the text can be.
        self.is_forward = self._forwarded and is_first and below is not Below.QUOTE
        tag = _Tag.ATTRIBUTION if mark or is_first else _Tag.HISTORY
        self._mark = mark
        self.tags[found.line : at] = [tag] * (at - found.line)
        if found.column:
            self.shared[found.line] = found.column
        return tag

    def _by_hint(self, at: int, hint: Hint) -> _Tag | None:
        match hint:
            case Hint.SIGNATURE:
                return _Tag.SIGNATURE
            case Hint.HEADER if self._hints.get(at - 1) is not hint and marks.has_fields(self.lines, at):
                self.is_forward = self._forwarded or self._first_solid >= at
                return _Tag.HISTORY
            case Hint.ATTRIBUTION if self.lines[at].rstrip()[-1] in ":：" and self._below(at)[1] == ">":
                return _Tag.ATTRIBUTION
        return None

    def _last_sign(self, at: int) -> int:
        """The last line up to here that has an address or a verb, among those that an attribution could take."""
        for line in range(max(self._looked, at - attribution.LINES) + 1, at + 1):
            if attribution.has_sign(self.lines[line]):
                self._sign = line
        self._looked = at
        return self._sign

    def _below(self, at: int) -> tuple[Below, str]:
        """What comes below a line, and the mark of the quote if one does."""
        for line in self.lines[at + 1 : at + 1 + _EMPTY_LINES]:
            mark = line.lstrip()[:1]
            if mark in (">", "|"):
                return Below.QUOTE, mark
            if mark:
                break
        return (Below.EMPTY if at + 1 < len(self.lines) and not self.lines[at + 1].strip() else Below.TEXT), ""

    def _signature(self, at: int, line: str, stripped: str) -> _Tag:
        drawn = not stripped[0].isalnum()
        if drawn and marks.is_delimiter(stripped):
            if not self._in_signature:
                self._bare = -1 if marks.keeps_space(line) else at
            self._in_signature = True
            self._paragraph = at + 1
        elif self._in_signature or (marks.may_be_mobile(stripped) and marks.is_mobile(stripped)):
            return _Tag.SIGNATURE
        elif drawn and marks.is_list_footer(self.lines, at):
            self._in_signature, self._bare = True, -1
        elif self._is_rest_of_quote(at, line):
            return _Tag.QUOTED
        return _Tag.SIGNATURE if self._in_signature else _Tag.TEXT

    def _is_rest_of_quote(self, at: int, line: str) -> bool:
        """Whether a client wrapped a long quoted line and left the mark out in the line after it."""
        if not at or self.tags[at - 1] is not _Tag.QUOTED or at + 1 == len(self.lines):
            return False
        if not self.lines[at + 1].startswith(">"):
            return False
        above = self.lines[at - 1].rstrip()
        wrapped = len(above) >= _WRAPPED and (above[-1].isalnum() or above[-1] in ",-") and line[0].islower()
        return wrapped or (" " not in line.strip() and _OPEN_LINK.search(above[-_LINK:]) is not None)

    def _end_signature(self, end: int) -> None:
        """A delimiter without its space begins a signature only below a text and above few lines: else it is a rule."""
        if self._in_signature and self._bare >= 0:
            tags = self.tags[self._bare : end]
            if tags.count(_Tag.SIGNATURE) > _BARE_SIGNATURE_LINES or self._first_solid >= self._bare:
                self.tags[self._bare : end] = [_Tag.TEXT if tag is _Tag.SIGNATURE else tag for tag in tags]
        self._in_signature = False

    def _drop_headings(self) -> None:
        """The rule or the heading that a client puts above history is part of it."""
        below_is_history = False
        fields: list[int] = []  # which Yandex writes between the rule and the attribution
        for at in range(len(self.tags) - 1, -1, -1):
            tag, stripped = self.tags[at], self.lines[at].strip()
            if tag is _Tag.HISTORY or tag is _Tag.ATTRIBUTION:
                below_is_history = True
            elif tag is _Tag.QUOTED:
                below_is_history = marks.field_kind(stripped.lstrip("> ")) is not None
            elif not below_is_history or tag is _Tag.BLANK:
                continue
            elif marks.is_heading(stripped):
                for heading in (at, *fields):
                    self.tags[heading] = _Tag.HISTORY
            elif marks.field_kind(stripped) in {"to", "subject"}:
                fields.append(at)
                continue
            else:
                below_is_history = False
            fields.clear()


@dataclass(frozen=True, slots=True)
class _Quote:
    """Quoted lines, from `start` up to `end`, with empty ones between them."""

    start: int
    end: int
    is_attributed: bool


class _Parts:
    """The tagged lines, put together."""

    def __init__(self, tagging: _Tagging, below: str) -> None:
        self._lines = tagging.lines
        self._tags = tagging.tags
        self._shared = tagging.shared
        self._below = below
        self._quotes = self._find_quotes()
        texts = (at for at in range(len(self._tags) - 1, -1, -1) if self._tags[at] is _Tag.TEXT)
        self._last_text = next(texts, -1)

    def reply(self) -> Reply:
        """The parts; only what is certainly history is left out of the text."""
        kept = self._kept_quotes()
        if self._last_text < 0 and not self._shared and not kept and not self._has_history():
            return Reply(_trimmed(self._lines), TextKind.PLAIN)  # a signature alone
        keep = [tag is _Tag.TEXT for tag in self._tags]
        for quote in kept:
            keep[quote.start : quote.end] = [True] * (quote.end - quote.start)
        text = self._text(keep)
        return Reply(text, self._kind(text, kept, keep), self._signature(), self._history(keep))

    def _find_quotes(self) -> list[_Quote]:
        quotes: list[_Quote] = []
        at = 0
        before: _Tag | None = None
        for tag, group in groupby(self._tags):
            end = at + sum(1 for _ in group)
            if tag is _Tag.QUOTED:
                if before is _Tag.QUOTED:
                    quotes[-1] = _Quote(quotes[-1].start, end, quotes[-1].is_attributed)
                else:
                    quotes.append(_Quote(at, end, before is _Tag.ATTRIBUTION or self._begins_with_attribution(at, end)))
            if tag is not _Tag.BLANK:
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
        tags = any(tag is _Tag.HISTORY or tag is _Tag.ATTRIBUTION for tag in self._tags)
        return tags or self._below != "" or any(quote.is_attributed for quote in self._quotes)

    def _text(self, keep: list[bool]) -> str:
        kept: list[str] = []
        left_out = False
        for at, (line, tag) in enumerate(zip(self._lines, self._tags, strict=True)):
            if keep[at] or at in self._shared:
                kept.append((line[: self._shared[at]].rstrip(" \t-") if at in self._shared else line).rstrip())
                left_out = False
            elif tag is not _Tag.BLANK:
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

    def _of(self, tags: tuple[_Tag, ...], keep: list[bool] | None = None) -> Iterable[str]:
        """The lines of some tags that are not kept, and the empty ones between them."""
        if not any(tag in self._tags for tag in tags):
            return
        blank = False
        for at, (line, tag) in enumerate(zip(self._lines, self._tags, strict=True)):
            if tag is _Tag.BLANK:
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
