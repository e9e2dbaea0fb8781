"""What the style attribute of an element says of whether a reader sees it. Style sheets are not read."""

import re
from collections.abc import Mapping

# A style (CSS Syntax section 5, CSS Cascade section 6): of two declarations the last one counts, or the important one.
_MAY_HIDE = re.compile(r"display|visibility|opacity|font-size|overflow", re.IGNORECASE)
_COMMENT = re.compile(r"/\*(?:[^*]|\*(?!/))*+(?:\*/)?")
_DECLARATION = re.compile(r"(?<![a-z-])([a-z-]++)\s*+:\s*+([^;!]*+)(!\s*important)?")
_NOTHING = re.compile(r"[+-]?(?:0+\.?0*|\.0+)(?:[a-z]+|%)?")


def declarations(style: str) -> dict[str, str]:
    """The values of a style by their property, in lower case; nothing if none of them can hide an element."""
    found: dict[str, str] = {}
    important: set[str] = set()
    if not _MAY_HIDE.search(style):
        return found
    for name, value, mark in _DECLARATION.findall(_COMMENT.sub("", style).lower()):
        if mark or name not in important:
            found[name] = value.strip()
        if mark:
            important.add(name)
    return found


def is_hidden(told: Mapping[str, str], *, hidden: bool) -> bool:
    """Whether a style hides an element and all in it, or the attribute `hidden` does and no style shows it again."""
    height = told.get("max-height", told.get("height", ""))
    return (
        told.get("display", "none" if hidden else "") == "none"
        or told.get("visibility") in {"hidden", "collapse"}
        or _NOTHING.fullmatch(told.get("opacity", "1")) is not None
        or (told.get("overflow") == "hidden" and height != "" and _NOTHING.fullmatch(height) is not None)
    )


def is_sized(told: Mapping[str, str]) -> bool | None:
    """Whether a style gives letters a size above zero; None if it sets no size."""
    size = told.get("font-size")
    return None if size is None else _NOTHING.fullmatch(size) is None
