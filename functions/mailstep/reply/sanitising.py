"""Sanitises HTML from an application: removes anything that could act, load, cover or hide content."""

import re
from html import unescape

import nh3

CLASSES = {"n", "note", "scroll"}
"""The classes of templates/reply.html.j2 that an answer may use: right-aligned numbers, small print, wide tables."""

_TAGS = {
    *("a", "abbr", "b", "blockquote", "br", "caption", "code", "col", "colgroup", "dd", "del", "div", "dl", "dt", "em"),
    *("figcaption", "figure", "h1", "h2", "h3", "h4", "hr", "i", "img", "ins", "kbd", "li", "mark", "ol", "p", "pre"),
    *("q", "s", "samp", "small", "span", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead"),
    *("time", "tr", "tt", "u", "ul", "var", "wbr"),
}
# Removed with their content, which is not text to read.
_REMOVED_WHOLE = {
    *("script", "style", "title", "template", "noscript", "iframe", "object", "svg", "math", "textarea", "select"),
    *("xmp", "plaintext", "noembed", "noframes"),
}
_CELL = {"align", "colspan", "rowspan", "scope"}
_ATTRIBUTES = {
    "*": {"dir", "lang"},
    "a": {"href", "title"},
    "abbr": {"title"},
    "img": {"alt", "height", "src", "width"},
    "ol": {"start"},
    "td": _CELL,
    "th": _CELL,
}
_SCHEMES = {"cid", "http", "https", "mailto", "tel"}
_LENGTH = re.compile(r"\d{1,4}%?")
# Behind these, a reader sees a new line.
_LINE_END = re.compile(r"<(?:br|/(?:p|div|li|tr|dt|dd|h[1-4]|blockquote|caption))\b", re.IGNORECASE)


def sanitise(html: str, content_ids: frozenset[str] = frozenset()) -> tuple[str, frozenset[str]]:
    """The HTML with only text, tables, lists, links and the answer's own pictures; and the content ids that it shows.

    A picture is shown only if it is one of `content_ids` (RFC 2392). A remote picture would tell its owner who read the
    mail, and when. Styles are removed, and classes limited to CLASSES.
    """
    shown: set[str] = set()

    def kept(tag: str, attribute: str, value: str) -> str | None:
        match tag, attribute:
            case "img", "src":
                identity = value.removeprefix("cid:")
                if identity == value or identity not in content_ids:
                    return None
                shown.add(identity)
            case "img", "width" | "height":
                return value if _LENGTH.fullmatch(value) else None
            case "a", "href":
                return None if value.strip().lower().startswith("cid:") else value
        return value

    safe = nh3.clean(
        html,
        tags=_TAGS,
        clean_content_tags=_REMOVED_WHOLE,
        attributes=_ATTRIBUTES,
        attribute_filter=kept,
        allowed_classes=dict.fromkeys(_TAGS, CLASSES),
        url_schemes=_SCHEMES,
        url_relative="deny",
    )
    return safe, frozenset(shown)


def without_markup(html: str) -> str:
    """The text of the HTML, for a reader without HTML: a line for each block, and a space between cells."""
    broken = _LINE_END.sub(r"\n\g<0>", " ".join(html.split()).replace("</td", " </td").replace("</th", " </th"))
    text = unescape(nh3.clean(broken, tags=set(), clean_content_tags=_REMOVED_WHOLE))
    return "\n".join(line for line in (" ".join(line.split()) for line in text.split("\n")) if line)
