"""The tokens of HTML: its tags and the text between them, as a browser reads them (WHATWG HTML section 13.2.5)."""

import re
from collections.abc import Iterator

# A tag as a browser reads it (WHATWG HTML section 13.2.5): a `>` within a value in quotes does not end it. Elsewhere,
# a quotation mark is a letter of a name.
_VALUE = r"""\s*+=\s*+(?:"[^"]*+"|'[^']*+'|(?!["'])[^\s>]++)?+"""
_TAG = re.compile(rf"<(/?)([a-zA-Z][^\s/>]*+)((?:[\s/]++|[^\s/>][^\s/>=]*+(?:{_VALUE})?+)*+)>")
# Behind an unpaired quote: there, _TAG would search the whole rest for each tag.
_TAG_WITHOUT_QUOTES = re.compile(r"<(/?)([a-zA-Z][^\s/>]*+)([^>]*+)>")
_BEGINS = re.compile(r"<(?=[a-zA-Z/!?])")
_BEGINS_TAG = re.compile(r"</?[a-zA-Z]")
_ATTRIBUTE = re.compile(r"""([a-zA-Z-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")
_ATTRIBUTES = 4_000  # characters of a tag that are searched for attributes
_COMMENT_ENDS = re.compile(r"--!?>")

# Elements whose content no reader sees. A browser ends the first two at their end tag alone.
_DROPPED = frozenset(
    {"script", "style", "title", "template", "iframe", "noframes", "noembed", "svg", "xml", "datalist"}
)
_RAW = frozenset({"script", "style"})
# Elements whose tags are text, which a reader sees (WHATWG HTML section 13.2.5.2).
_TEXT = frozenset({"textarea", "xmp"})
_OFFICE = re.compile(r"\s*<[a-z]+:", re.IGNORECASE)


def tokens(source: str) -> Iterator[str | re.Match[str]]:
    """The texts and the tags of HTML, in order, without comments and what no reader sees.

    A tag is a match: group 1 is a slash for an end tag, 2 the name as it is written, 3 the attributes.
    """
    return _Reader(source).tokens()


class _Reader:
    """Reads HTML once. It remembers the elements that never end: a missing end tag is searched for only once."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._unended: set[str] = set()

    def tokens(self) -> Iterator[str | re.Match[str]]:
        source, at, pattern = self._source, 0, _TAG
        last = source.rfind(">")
        while True:
            begins = _BEGINS.search(source, at)
            if begins is None or begins.start() > last:
                yield source[at:]
                return
            if begins.start() > at:
                yield source[at : begins.start()]
            at = begins.start()
            tag = pattern.match(source, at)
            if tag is None:
                if _BEGINS_TAG.match(source, at):
                    pattern = _TAG_WITHOUT_QUOTES
                at = self._after_no_tag(at)
                continue
            at = tag.end()
            name = tag[2].lower()
            if not tag[1] and name in _DROPPED and self._drops(name, tag):
                at = self._after_dropped(name, at)
                continue
            yield tag
            if not tag[1] and name in _TEXT and (end := self._end_of(name, at)):
                yield source[at : end.start()]
                at = end.start()

    def _after_no_tag(self, at: int) -> int:
        """Where a comment, a declaration or a broken tag ends (WHATWG HTML sections 13.2.5.41 to 51)."""
        source = self._source
        if source.startswith("<!--", at):
            if source.startswith((">", "->"), at + 4):
                return source.find(">", at) + 1
            end = _COMMENT_ENDS.search(source, at + 4) if "!--" not in self._unended else None
            if end:
                return end.end()
            self._unended.add("!--")  # a browser shows nothing more: better to show too much
        return source.find(">", at) + 1

    def _drops(self, name: str, tag: re.Match[str]) -> bool:
        """Whether a browser or a mail client leaves out the content of an element; of `xml` only what Office writes."""
        if name == "svg":
            return not tag[3].endswith("/")
        return name != "xml" or _OFFICE.match(self._source, tag.end()) is not None

    def _end_of(self, name: str, at: int) -> re.Match[str] | None:
        """The end tag of an element whose content is no markup."""
        if name in self._unended:
            return None
        end = re.compile(rf"</{name}[\s/>]", re.IGNORECASE).search(self._source, at)
        if end is None:
            self._unended.add(name)
        return end

    def _after_dropped(self, name: str, at: int) -> int:
        known = name in self._unended
        end = self._end_of(name, at)
        if end is None:
            return len(self._source) if name in _RAW and not known else at
        return self._source.find(">", end.start()) + 1 or len(self._source)


def attributes_of(text: str) -> dict[str, str]:
    """The attributes of a tag, their names in lower case; the first of a name counts."""
    values: dict[str, str] = {}
    for name, double, single, bare in _ATTRIBUTE.findall(text[:_ATTRIBUTES]):
        values.setdefault(name.lower(), double or single or bare)
    return values
