"""Streams the XML parts of a package, and counts everything before it is parsed.

Libraries allocate a sheet as large as it declares itself, and run out of memory if that is too large.
"""

from collections.abc import Callable
from typing import NoReturn
from xml.parsers import expat
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from mailstep.process.processors.tables.limits import TableQuota, UnreadableTable
from mailstep.process.processors.tables.sheets import BROKEN
from mailstep.texts.speaking import say

Attributes = dict[str, str]
DEPTH_BOUND = 100
"""Nesting of XML elements; a cell's text is seven deep."""
_PIECE = 64 * 1024
_TAG_BOUND = 1024 * 1024  # octets of one tag or comment: the parser buffers it whole


class Package:
    """The parts of a package. Names are case-insensitive (ECMA-376 part 2, 6.2.2.3); some writers use backslashes."""

    def __init__(self, archive: ZipFile, quota: TableQuota) -> None:
        self.archive, self.quota = archive, quota
        self.members = {member.filename.replace("\\", "/").lower(): member for member in archive.infolist()}

    def __contains__(self, name: str) -> bool:
        return name.lower() in self.members

    def read[P: Part](self, name: str, part: P) -> P:
        """Read the part called `name` into `part`.

        Raises:
            UnreadableTable: it exceeds a limit, or is not allowed in a package.
        """
        member = self.members[name.lower()]
        if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            # A package has no other method (ECMA-376 part 2, annex B), and zipfile inflates others without a limit.
            raise UnreadableTable(say(BROKEN))
        with self.archive.open(member) as stream:
            part.parse(lambda: stream.read(_PIECE), self.quota)
        return part


class Part:
    """A part of the package. `started`, `ended` and `said` are called for its elements, with their local names."""

    def started(self, name: str, attributes: Attributes) -> None:
        """An element begins."""

    def ended(self, name: str) -> None:
        """An element ends."""

    def said(self, text: str) -> None:
        """Some text of an element, perhaps not all."""

    def parse(self, read: Callable[[], bytes], quota: TableQuota) -> None:
        """Read XML piece by piece, within limits.

        Raises:
            UnreadableTable: it exceeds a limit, or has a DTD, which is not allowed (ECMA-376 part 2, 6.2.5).
        """
        depth = 0

        def start(name: str, attributes: Attributes) -> None:
            nonlocal depth
            depth += 1
            if depth > DEPTH_BOUND:
                raise UnreadableTable(say(BROKEN))
            self.started(name.rpartition(":")[2] if ":" in name else name, attributes)

        def end(name: str) -> None:
            nonlocal depth
            depth -= 1
            self.ended(name.rpartition(":")[2] if ":" in name else name)

        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = start, end
        parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = self.said, _refuse_doctype
        fed = 0
        while piece := read():
            quota.take_unpacked(len(piece))
            # Tags, attributes and references cost parser time, so they are counted before parsing.
            quota.take_markup(sum(map(piece.count, (b"<", b"=", b"&"))))
            fed += len(piece)
            parser.Parse(piece, False)
            if fed - parser.CurrentByteIndex > _TAG_BOUND:
                raise UnreadableTable(say(BROKEN))
        parser.Parse(b"", True)


def _refuse_doctype(*_declared: object) -> NoReturn:
    raise UnreadableTable(say(BROKEN))
