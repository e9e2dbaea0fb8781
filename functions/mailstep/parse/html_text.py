"""The text of HTML, line by line: what each element means for lines. The time grows as the HTML does."""

import html
import re
from dataclasses import dataclass, field

from mailstep.parse.html_clients import hint_of, is_quote, is_tight
from mailstep.parse.html_styles import declarations, is_hidden, is_sized
from mailstep.parse.html_tokens import attributes_of, tokens
from mailstep.parse.replies.marks import Hint

_SPACE = re.compile(r"[ \t\n\r\f]+")
_TOO_LONG = re.compile(r"&#[xX]?[0-9a-fA-F]{8,}+;?")  # no character has so many digits, and Python refuses thousands
_INVISIBLE = re.compile(r"[\u00ad\u200b\u2060\ufeff]|\u034f|(?:\u200c|\u200d)(?=\s|$)")
_KEEPS_SPACE = re.compile(r"white-space\s*:\s*(?:pre|break-spaces)", re.IGNORECASE)
_DEPTH = 20  # of quotes, lists and marked elements; what lies deeper is written as if it lay there

_KEEP_SPACE = frozenset({"pre", "textarea", "listing", "xmp"})
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
)
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "dl", "fieldset", "figure"})
_LINES = frozenset((
    "address", "article", "aside", "body", "caption", "center", "dd", "details", "div", "dt", "figcaption",
    "footer", "form", "head", "header", "html", "hr", "legend", "li", "main", "nav", "option", "section",
    "summary", "tbody", "tfoot", "thead", "tr", "table", "blockquote", "pre", "ul", "ol", "menu", "dir",
))  # fmt: skip
# A paragraph ends where one of these begins (section 13.2.6.4.7); a table may lie in one.
_END_PARAGRAPHS = _PARAGRAPHS | _LINES - {
    "body", "caption", "head", "html", "legend", "option", "table", "tbody", "tfoot", "thead", "tr"
}  # fmt: skip
_CELLS = frozenset({"td", "th"})
_OF_TABLES = frozenset({"table", "tbody", "tfoot", "thead", "tr"}) | _CELLS
# Outlook and Word write each cell as a paragraph: the first and the last of these do not break a row.
_WITHIN_CELLS = frozenset({"p", "div"})
_LISTS = frozenset({"ul", "ol", "menu", "dir"})


@dataclass(frozen=True, slots=True)
class HtmlText:
    """The text with LF line ends, its block quotes as lines that begin with `> `.

    `hints` is what mail clients say of lines, by their index.
    """

    text: str
    hints: dict[int, Hint] = field(default_factory=dict)


def html_text(source: str) -> HtmlText:
    """The text that a reader of the HTML sees."""
    walk = _Walk(source)
    walk.run()
    if walk.is_hidden:
        # A hidden element never ends: read again, as if nothing were hidden.
        walk = _Walk(source, shows_hidden=True)
        walk.run()
    return walk.result()


@dataclass(slots=True)
class _Region:
    """An element that means something for all that is in it, and how many of its name are open in it."""

    name: str
    is_hidden: bool = False
    is_sized: bool | None = None
    """Whether its letters have a size; None if it does not set one."""
    keeps_space: bool = False
    hint: Hint | None = None
    depth: int = 1


class _Walk:
    """The walk over the tokens, and the lines written so far."""

    def __init__(self, source: str, *, shows_hidden: bool = False) -> None:
        self._source = source
        self._shows_hidden = shows_hidden
        self._lines: list[str] = []
        self._hints: dict[int, Hint] = {}
        self._line: list[str] = []
        self._is_empty = True  # whether the line has nothing but what was put before it
        self._space = False  # whether a space is due before the next word
        self._cell = False  # whether a cell ended in this line
        self._in_cell = self._begins_cell = False
        self._block_ended = False  # whether the line ends if the cell goes on
        self._paragraph = False  # whether an empty line is due before the next line
        self._is_tight = False  # whether the last paragraph has no margin
        self._bullet = ""
        self._last_prefix = ""
        self._quotes: list[bool] = []
        self._lists: list[int | None] = []
        self._regions: list[_Region] = []

    @property
    def is_hidden(self) -> bool:
        """Whether what comes next is hidden."""
        sizes = [region.is_sized for region in self._regions if region.is_sized is not None]
        return any(region.is_hidden for region in self._regions) or (bool(sizes) and not sizes[-1])

    def run(self) -> None:
        """Write all lines."""
        for token in tokens(self._source):
            if isinstance(token, str):
                if not (self._regions and self.is_hidden):
                    self._write(token)
            elif token[1]:
                self._end(token[2].lower())
            else:
                self._start(token[2].lower(), token[3])
        self._break()

    def result(self) -> HtmlText:
        """The text, without empty lines at its ends and with one at most between others."""
        lines: list[str] = []
        hints: dict[int, Hint] = {}
        for at, line in enumerate(self._lines):
            bare = line.rstrip()
            if bare.strip("> ") or (lines and lines[-1].rstrip() != bare):
                if at in self._hints:
                    hints[len(lines)] = self._hints[at]
                lines.append(bare)
        while lines and not lines[-1]:
            hints.pop(len(lines) - 1, None)
            lines.pop()
        return HtmlText("\n".join(lines).replace("\xa0", " "), hints)

    def _start(self, name: str, attributes: str) -> None:
        if self._regions and name in _END_PARAGRAPHS:
            self._regions = [region for region in self._regions if region.name != "p"]
        for region in self._regions:
            region.depth += region.name == name
        values = attributes_of(attributes) if attributes and not attributes.isspace() else {}
        if name in _OF_TABLES:
            self._in_cell = self._begins_cell = name in _CELLS
            self._block_ended = False
        if name == "br":
            self._break(forced=True)
        elif self._begins_cell and name in _WITHIN_CELLS:
            pass
        elif name in _PARAGRAPHS:
            self._break()
            self._is_tight = name == "p" and is_tight(values)
            self._paragraph = self._paragraph or not self._is_tight
        elif name in _LINES:
            self._start_block(name, values)
        elif name in _CELLS:
            self._cell = self._cell or not self._is_empty
        elif name == "img" and _is_character(values.get("alt", "")):
            self._write(values["alt"])
        if values and name not in _VOID and len(self._regions) < _DEPTH:
            self._open_region(name, values)
        elif name in _KEEP_SPACE and len(self._regions) < _DEPTH:
            self._regions.append(_Region(name, keeps_space=True))

    def _start_block(self, name: str, values: dict[str, str]) -> None:
        self._break()
        if name in {"hr", "pre"} or (name in _LISTS and not self._lists):
            self._paragraph = True
        elif name == "blockquote":
            self._paragraph = True
            if len(self._quotes) < _DEPTH:
                self._quotes.append(is_quote(values))
        elif name == "li":
            self._bullet = self._next_bullet(values.get("value", ""))
        if name in _LISTS and len(self._lists) < _DEPTH:
            start = values.get("start", "")
            self._lists.append((int(start) if start.isdecimal() and len(start) < 7 else 1) if name == "ol" else None)

    def _next_bullet(self, value: str) -> str:
        if not self._lists or self._lists[-1] is None:
            return "- "
        number = int(value) if value.isdecimal() and len(value) < 7 else self._lists[-1]
        self._lists[-1] = number + 1
        return f"{number}. "

    def _open_region(self, name: str, values: dict[str, str]) -> None:
        style = values.get("style", "")
        told = declarations(style)
        region = _Region(
            name,
            is_hidden=not self._shows_hidden and is_hidden(told, hidden="hidden" in values),
            is_sized=None if self._shows_hidden else is_sized(told),
            keeps_space=name in _KEEP_SPACE or _KEEPS_SPACE.search(style) is not None,
            hint=hint_of(values),
        )
        # A size matters only below an element whose letters have size 0.
        if region.is_sized and all(other.is_sized is not False for other in self._regions):
            region.is_sized = None
        if region.is_hidden or region.is_sized is not None or region.keeps_space or region.hint:
            self._regions.append(region)

    def _end(self, name: str) -> None:
        if name in _OF_TABLES:
            self._in_cell = self._begins_cell = self._block_ended = False
        if self._in_cell and name in _WITHIN_CELLS:
            self._block_ended = True
        elif name in {"br", "p"}:
            self._break(forced=name == "br")
            self._paragraph = self._paragraph or (name == "p" and not self._is_tight)
        elif name in _PARAGRAPHS:
            self._break()
            self._paragraph = True
        elif name in _LINES:
            self._break()
            if name == "blockquote" and self._quotes:
                self._quotes.pop()
                self._paragraph = True
            elif name in _LISTS and self._lists:
                self._lists.pop()
                self._paragraph = self._paragraph or not self._lists
            elif name == "pre":
                self._paragraph = True
        elif name in _CELLS:
            self._cell = not self._is_empty
        for region in self._regions:
            region.depth -= region.name == name
        if self._regions and any(region.depth <= 0 for region in self._regions):
            self._regions = [region for region in self._regions if region.depth > 0]

    def _write(self, text: str) -> None:
        if "&" in text:
            text = html.unescape(_TOO_LONG.sub("\ufffd", text))
        if not text.isascii():
            text = _INVISIBLE.sub("", text)
        if self._regions and any(region.keeps_space for region in self._regions):
            first, *more = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
            self._put(first)
            for line in more:
                self._break(forced=True)
                self._put(line)
            return
        words = _SPACE.sub(" ", text)
        if not words:
            return
        if words[0] == " ":
            self._space = True
            words = words[1:]
        if not words:
            return
        due = " " if self._space and not (self._is_empty or self._cell) else ""
        self._space = words[-1] == " "
        self._put(due + words.rstrip(" ") if self._space else due + words)

    def _put(self, text: str) -> None:
        """Add to the line, with what is due before it."""
        if not text:
            return
        if self._block_ended:
            self._break()
        self._begins_cell = False
        if self._is_empty:
            prefix = self._prefix()
            if self._paragraph and self._lines:
                self._lines.append(min(prefix, self._last_prefix, key=len))
            self._paragraph = False
            self._last_prefix = prefix
            self._line = [prefix, "  " * max(len(self._lists) - 1, 0) if self._bullet else "", self._bullet]
            self._bullet = ""
            self._is_empty = False
        elif self._cell:
            self._line.append("\t")
        self._cell = False
        self._line.append(text)

    def _break(self, *, forced: bool = False) -> None:
        """End the line; an empty one is written only if it was asked for."""
        if not self._is_empty:
            hint = next((region.hint for region in self._regions if region.hint), None)
            if hint:
                self._hints[len(self._lines)] = hint
            self._lines.append("".join(self._line))
        elif forced:
            self._lines.append(self._prefix())
            self._paragraph = False
        self._line = []
        self._is_empty = True
        self._space = False
        self._cell = self._block_ended = False

    def _prefix(self) -> str:
        return "> " * sum(self._quotes) if self._quotes else ""


def _is_character(alt: str) -> bool:
    """Whether a picture stands for a character, such as a smiley."""
    return 0 < len(alt) < 9 and not any(character.isascii() for character in alt)
