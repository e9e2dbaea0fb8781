"""Makes the document that shows the HTML of a stranger's mail in a frame, where it can neither act nor load."""

from html import escape

import nh3

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'; sandbox"
)
"""Content Security Policy Level 3: no script, no form, no frame, and nothing from elsewhere."""
_BOUND = 2_000_000
"""Characters of HTML that are shown: a browser is slow with more."""
_ATTRIBUTES = {"align", "bgcolor", "border", "cellpadding", "cellspacing", "color", "dir", "height", "lang", "style",
               "title", "valign", "width"}  # fmt: skip
_TAGS = nh3.ALLOWED_TAGS | {"center", "font", "u", "s", "big"}
# A click would open a page of the sender's in the frame.
_NO_LINKS = {"a": set[str]()}


def document(html: str) -> str:
    """A whole document with what a person would read of the HTML.

    What loads, acts or opens is removed, and the policy is in the document too, for a page that is kept as a file. A
    picture is shown only if the HTML has it in itself (`data:`).
    """
    clean = nh3.clean(
        html[:_BOUND],
        tags=_TAGS,
        attributes=nh3.ALLOWED_ATTRIBUTES | _NO_LINKS | {"*": _ATTRIBUTES, "img": {"alt", "src", "width", "height"}},
        url_schemes={"data"},
        link_rel=None,
    )
    in_document = POLICY.replace("frame-ancestors 'self'; sandbox", "")
    return (
        '<!doctype html><html><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(in_document)}">'
        "<style>body{margin:12px;font:15px/1.5 system-ui,sans-serif;overflow-wrap:anywhere;background:#fff;color:#111}"
        f"img{{max-width:100%}}</style></head><body>{clean}</body></html>"
    )
