"""Tags each line of a text in one pass: what the sender wrote, what the mail client quotes, signs or announces."""

import re
from collections.abc import Mapping
from enum import Enum, auto

from mailstep.parse.replies import attribution, marks
from mailstep.parse.replies.attribution import Below
from mailstep.parse.replies.marks import Hint, Separator

_BARE_SIGNATURE_LINES = 10
_CANDIDATES = 2_000  # lines that are read as attributions: no conversation quotes as many
_SIGNATURE_LINES = 15  # of a signature that the HTML marks: with more, something else was written into it
_EMPTY_LINES = 40  # between an attribution and the quote
_WRAPPED = 65  # characters: a quoted line as long as this may have been wrapped by a client that did not quote the rest
_OPEN_LINK = re.compile(r"[(<]https?:[^\s)>]*$")
_LINK = 1_000  # characters of the longest link that is looked for


class Tag(Enum):
    """What a line is."""

    BLANK = auto()
    TEXT = auto()
    QUOTED = auto()
    ATTRIBUTION = auto()
    SIGNATURE = auto()
    HISTORY = auto()


class Tagging:
    """The pass over the lines."""

    def __init__(self, lines: list[str], forwarded: bool, hints: Mapping[int, Hint]) -> None:
        self.lines = lines
        self.tags: list[Tag] = []
        self.is_forward = False
        self.is_plain = True
        """Whether each line is the sender's own text."""
        self.shared: dict[int, int] = {}
        """Lines of text that an attribution shares, and the column where it begins."""
        self._forwarded = forwarded
        self._hints = hints if sum(hint is Hint.SIGNATURE for hint in hints.values()) <= _SIGNATURE_LINES else {}
        self._solid: Tag | None = None  # the tag of the last line that is neither empty nor drawn
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
                self.tags.append(Tag.BLANK)
                continue
            tag = self._tag(at, line, stripped)
            if self.is_forward:
                return
            self._add(at, tag, stripped)
            if tag is Tag.HISTORY:
                self.tags += [Tag.HISTORY] * (len(self.lines) - len(self.tags))
                break
        self._end_signature(len(self.tags))
        self._drop_headings()

    def _add(self, at: int, tag: Tag, stripped: str) -> None:
        if self._in_signature and tag is not Tag.SIGNATURE:
            self._end_signature(at)
        self.tags.append(tag)
        if tag is not Tag.TEXT:
            self.is_plain = False
            if tag is Tag.QUOTED or tag is Tag.ATTRIBUTION:
                self._paragraph = at + 1
        if stripped[0].isalnum() or not marks.is_rule(stripped):
            self._solid = tag
            if tag is not Tag.ATTRIBUTION and self._first_solid > at:
                self._first_solid = at

    def _tag(self, at: int, line: str, stripped: str) -> Tag:
        first = stripped[0]
        if (first == ">" and self._is_quoted(at, line)) or (first == self._mark and self._is_in_quote()):
            if not self._is_in_quote():
                self.is_forward = marks.separator(stripped) is Separator.FORWARDED
            return Tag.QUOTED
        if not first.isalnum() or stripped[-1] in ":：":
            announced = marks.separator(stripped)
            if announced:
                self.is_forward = self._forwarded or announced is Separator.FORWARDED
                return Tag.HISTORY
        if self._begins_header(at, line, stripped):
            return Tag.HISTORY
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
        if line.startswith(">From ") and self._solid is not Tag.QUOTED:
            return False  # mbox puts the mark there (RFC 4155)
        if not self._is_in_quote() and marks.is_groupwise_attribution(line):
            return False
        if self._first_solid < at and not self._is_in_quote() and marks.is_groupwise(line.strip()):
            return False
        if at and self.tags[at - 1] is not Tag.QUOTED and "@" in self.lines[at - 1] and attribution.is_end(line):
            return False
        return line[0] == ">" or line.startswith(" >") or self._is_in_quote()

    def _begins_header(self, at: int, line: str, stripped: str) -> bool:
        begin = at
        if stripped[0].isdigit():
            begin -= 2 if at > 1 and self.tags[at - 1] is Tag.BLANK else 1
            is_below_writer = begin >= 0 and self.tags[begin] is Tag.TEXT and attribution.is_writer(self.lines[begin])
            if not (is_below_writer and marks.is_notes_header(self.lines, at)):
                return False
            self.tags[begin] = Tag.HISTORY
        elif not ((":" in line or "：" in line) and marks.field_kind(line) and marks.is_header_block(self.lines, at)):
            return False
        self.is_forward = self._forwarded or self._first_solid >= begin
        return True

    def _is_in_quote(self) -> bool:
        return self._solid is Tag.QUOTED or self._solid is Tag.ATTRIBUTION

    def _attribution(self, at: int) -> Tag | None:
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
        tag = Tag.ATTRIBUTION if mark or is_first else Tag.HISTORY
        self._mark = mark
        self.tags[found.line : at] = [tag] * (at - found.line)
        if found.column:
            self.shared[found.line] = found.column
        return tag

    def _by_hint(self, at: int, hint: Hint) -> Tag | None:
        match hint:
            case Hint.SIGNATURE:
                return Tag.SIGNATURE
            case Hint.HEADER if self._hints.get(at - 1) is not hint and marks.has_fields(self.lines, at):
                self.is_forward = self._forwarded or self._first_solid >= at
                return Tag.HISTORY
            case Hint.ATTRIBUTION if self.lines[at].rstrip()[-1] in ":：" and self._below(at)[1] == ">":
                return Tag.ATTRIBUTION
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

    def _signature(self, at: int, line: str, stripped: str) -> Tag:
        drawn = not stripped[0].isalnum()
        if drawn and marks.is_delimiter(stripped):
            if not self._in_signature:
                self._bare = -1 if marks.keeps_space(line) else at
            self._in_signature = True
            self._paragraph = at + 1
        elif self._in_signature or (marks.may_be_mobile(stripped) and marks.is_mobile(stripped)):
            return Tag.SIGNATURE
        elif drawn and marks.is_list_footer(self.lines, at):
            self._in_signature, self._bare = True, -1
        elif self._is_rest_of_quote(at, line):
            return Tag.QUOTED
        return Tag.SIGNATURE if self._in_signature else Tag.TEXT

    def _is_rest_of_quote(self, at: int, line: str) -> bool:
        """Whether a client wrapped a long quoted line and left the mark out in the line after it."""
        if not at or self.tags[at - 1] is not Tag.QUOTED or at + 1 == len(self.lines):
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
            if tags.count(Tag.SIGNATURE) > _BARE_SIGNATURE_LINES or self._first_solid >= self._bare:
                self.tags[self._bare : end] = [Tag.TEXT if tag is Tag.SIGNATURE else tag for tag in tags]
        self._in_signature = False

    def _drop_headings(self) -> None:
        """The rule or the heading that a client puts above history is part of it."""
        below_is_history = False
        fields: list[int] = []  # which Yandex writes between the rule and the attribution
        for at in range(len(self.tags) - 1, -1, -1):
            tag, stripped = self.tags[at], self.lines[at].strip()
            if tag is Tag.HISTORY or tag is Tag.ATTRIBUTION:
                below_is_history = True
            elif tag is Tag.QUOTED:
                below_is_history = marks.field_kind(stripped.lstrip("> ")) is not None
            elif not below_is_history or tag is Tag.BLANK:
                continue
            elif marks.is_heading(stripped):
                for heading in (at, *fields):
                    self.tags[heading] = Tag.HISTORY
            elif marks.field_kind(stripped) in {"to", "subject"}:
                fields.append(at)
                continue
            else:
                below_is_history = False
            fields.clear()
