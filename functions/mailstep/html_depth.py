"""How deep the elements of HTML nest: the time to sanitise them grows with it, for each element."""

import re

# Void elements, and those whose end tag may be left out (HTML Standard, 13.1.2): the next one of them ends them, or a
# browser ignores them where they do not belong.
_NOT_NESTED = {
    *("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"),
    *("p", "li", "dt", "dd", "option", "optgroup", "tr", "td", "th", "thead", "tbody", "tfoot", "colgroup"),
    *("caption", "html", "head", "body"),
}
# An end tag of another element may stand before theirs. That of any other one is ignored by a browser in some places.
_INLINE = {
    *("a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "del", "dfn", "em", "font", "i", "ins", "kbd", "label"),
    *("mark", "nobr", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "time", "tt", "u", "var"),
}
# Their content is text in most places (HTML Standard, 13.2.5.2 to 13.2.5.5).
_TEXT = {"script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes", "noscript", "plaintext"}
# A tag as a browser reads it (HTML Standard, 13.2.5): a `>` within a value in quotes does not end it.
_SPACE = r"[\t\n\f\r ]"
_VALUE = rf"""{_SPACE}*+={_SPACE}*+(?:"[^"]*+"|'[^']*+'|(?!["'])[^\t\n\f\r >]++)?+"""
_TAG = re.compile(
    r"<!--(?P<empty>-?>)?+|<(?P<end>/?)(?P<name>[a-zA-Z][^\t\n\f\r />]*+)"
    rf"(?:[\t\n\f\r /]++|[^\t\n\f\r />][^\t\n\f\r />=]*+(?:{_VALUE})?+)*+>|<[!?/][^>]*+>"
)
_BEGINS = re.compile("<(?=[a-zA-Z!?/])")
_COMMENT_ENDS = re.compile("--!?>")


def is_deeper(html: str, most: int) -> bool:
    """Whether elements nest deeper than `most`. Elements that need no end tag do not count.

    In doubt an element stays open, so badly written HTML may seem deeper than it is, and never less deep.
    """
    still_open: list[str] = []
    at, text = 0, ""
    while begins := _BEGINS.search(html, at):
        found = _TAG.match(html, begins.start())
        if found is None:
            # A browser reads it to the end, and shows nothing more.
            return False
        at, name = found.end(), (found["name"] or "").lower()
        if text:
            # A browser may read a tag here after all, and no quoted value: go on behind the name.
            at = found.end("name") if name else begins.end()
            text = "" if found["end"] and name == text else text
            if name and not found["end"] and name not in _NOT_NESTED:
                still_open.append(name)
        elif found[0].startswith("<!--"):
            ends = found if found["empty"] else _COMMENT_ENDS.search(html, at)
            if ends is None:
                return False
            at = ends.end()
        elif not name:
            continue
        elif found["end"]:
            _close(still_open, name)
        elif name in _TEXT:
            text = name
        elif name not in _NOT_NESTED:
            still_open.append(name)
        if len(still_open) > most:
            return True
    return False


def _close(still_open: list[str], name: str) -> None:
    for place in range(len(still_open) - 1, -1, -1):
        if still_open[place] == name:
            # The others above these stay open.
            del still_open[place : place + 1 if name in _INLINE or name == "form" else None]
            return
        if still_open[place] not in _INLINE:
            return
