"""Tells the files that somebody attached from the parts that mail programs add to show, sign or repeat a text."""

import re
from collections.abc import Iterator
from functools import cached_property
from html import unescape
from urllib.parse import unquote

from mailstep.contracts import Attachment
from mailstep.media_types import of_attachment
from mailstep.mime.structure import Part

# RFC 2392; in an attribute or in CSS.
_REFERENCE = re.compile(r"cid:([^\"'\s<>)]{1,500})", re.IGNORECASE)
# Signatures and keys (RFC 8551 section 3.5.3, RFC 3156 sections 5 and 7), calendar parts (RFC 6047), and what a
# Macintosh keeps beside a file (RFC 1740).
_ADDED = {
    *("application/pkcs7-signature", "application/pgp-signature", "application/pgp-keys"),
    *("text/calendar", "application/applefile"),
}
# Their octets begin like those of other files.
_DRAWINGS = {"image/svg+xml", "image/emf", "image/wmf", "image/x-emf", "image/x-wmf"}


def shown_in(html: str) -> set[str]:
    """The Content-IDs that HTML refers to (RFC 2392)."""
    return {unquote(unescape(name)) for name in _REFERENCE.findall(html)}


def is_picture(described: Attachment) -> bool:
    """Whether its octets are those of a picture, if its type has such: nothing else passes for one."""
    kind = of_attachment(described)
    return (described.media_type_detected or "").startswith("image/") or kind in _DRAWINGS


class Added:
    """The parts of one message that nobody attached as a file."""

    def __init__(self, root: Part, html: str) -> None:
        """Of the message with this root and HTML."""
        self._root, self._html = root, html

    @cached_property
    def _multiparts(self) -> dict[int, str]:
        """The media type of the multipart that each part stands in, by the part's identity."""
        return dict(_parents(self._root))

    @cached_property
    def _shown(self) -> set[str]:
        """The Content-IDs that the HTML refers to."""
        return shown_in(self._html)

    def shows(self, content_id: str | None) -> bool:
        """Whether the HTML shows the part of that Content-ID (RFC 2392)."""
        return content_id in self._shown

    def has(self, part: Part, described: Attachment) -> bool:
        """Whether the part is a picture that the HTML shows, an alternative, a signature or a calendar part."""
        kind = of_attachment(described)
        within = self._multiparts.get(id(part), "")
        is_attachment = part.disposition[0] == "attachment"
        if is_picture(described):
            return self.shows(described.content_id) or (within == "multipart/related" and not is_attachment)
        return kind in _ADDED or (within == "multipart/alternative" and not is_attachment)


def _parents(root: Part) -> Iterator[tuple[int, str]]:
    """Each part by its identity, with the media type of the multipart that it stands in."""
    waiting = [root]
    while waiting:
        part = waiting.pop()
        waiting += part.children
        yield from ((id(child), part.media_type) for child in part.children)
