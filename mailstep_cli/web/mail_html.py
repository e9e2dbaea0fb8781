"""Makes the document that shows the HTML of a stranger's mail in a frame, where it can neither act nor load."""

from collections.abc import Mapping
from html import escape
from urllib.parse import unquote

import nh3

from mailstep import limits
from mailstep.html_depth import is_deeper

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'; sandbox"
)
"""Content Security Policy Level 3: no script, no form, no frame, and nothing from elsewhere."""
_BOUND = 2_000_000
"""Characters of HTML that are shown: a browser is slow with more."""
_PICTURES = 12_000_000
"""Characters of pictures in it, however often the HTML shows each."""
_ATTRIBUTES = {"align", "bgcolor", "border", "cellpadding", "cellspacing", "color", "dir", "height", "lang", "style",
               "title", "valign", "width"}  # fmt: skip
_TAGS = nh3.ALLOWED_TAGS | {"center", "font", "u", "s", "big"}
_TOO_DEEP = "<p>This HTML is not shown, because its elements nest too deeply. Its text is below.</p>"
# A click would open a page of the sender's in the frame.
_NO_LINKS = {"a": set[str]()}


def document(html: str, pictures: Mapping[str, str]) -> str:
    """A whole document with what a person would read of the HTML.

    What loads, acts or opens is removed, and the policy is in the document too, for a page that is kept as a file. A
    picture is shown only if the HTML has it in itself (`data:`), or if it is one of `pictures`, by its Content-ID.
    """
    room = _PICTURES

    def kept(tag: str, attribute: str, value: str) -> str | None:
        nonlocal room
        if (tag, attribute) != ("img", "src") or not value.lower().startswith("cid:"):
            return value
        # RFC 2392 section 2: a Content-ID in a URL is percent-encoded.
        picture = pictures.get(unquote(value[4:]))
        if picture is None or len(picture) > room:
            return None
        room -= len(picture)
        return picture

    html = html[:_BOUND]
    clean = nh3.clean(
        _TOO_DEEP if is_deeper(html, limits.HTML_DEPTH) else html,
        tags=_TAGS,
        attributes=nh3.ALLOWED_ATTRIBUTES | _NO_LINKS | {"*": _ATTRIBUTES, "img": {"alt", "src", "width", "height"}},
        attribute_filter=kept,
        url_schemes={"cid", "data"},
        url_relative="deny",
        link_rel=None,
    )
    in_document = POLICY.replace("frame-ancestors 'self'; sandbox", "")
    return (
        '<!doctype html><html><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(in_document)}">'
        "<style>body{margin:12px;font:15px/1.5 system-ui,sans-serif;overflow-wrap:anywhere;background:#fff;color:#111}"
        f"img{{max-width:100%}}</style></head><body>{clean}</body></html>"
    )
