"""Limits on the tables of one message, all together. They count what is read, never what the file declares."""

from dataclasses import dataclass

from mailstep.process.each_attachment import UnreadableAttachment
from mailstep.texts.speaking import say

SIZE_BOUND = 30 * 1024 * 1024
"""Octets of one file. SES accepts messages of 40 MB, whose Base64 holds 29 MB."""
UNPACKED_BOUND = 100 * 1024 * 1024
"""Octets unpacked from archives and workbooks: a workbook of 100 KB can contain gigabytes."""
MARKUP_BOUND = 10_000_000
"""Tags, attributes and references of XML, each of which takes time. A cell has four tags and two attributes."""
CELLS_BOUND = 7_001_000
"""Cells, counted up to the last row and column: one stray cell in the corner of a sheet makes 17,000,000,000.

A row of a delimited file counts as three more. A million rows of four columns fit, with a header and titles.
"""
TEXT_BOUND = 30_000_000
"""Octets of text in the cells of workbooks: many cells may refer to one string. A reply could not hold more."""
SHEETS_BOUND = 200
"""Sheets: each becomes a file in the reply."""


class UnreadableTable(UnreadableAttachment):
    """The attachment looks like a table but cannot be read."""


class TooMuch(UnreadableTable):
    """The message's quota has no room for more. If rows were read, they are kept, and the reply says so."""

    def __init__(self) -> None:
        super().__init__(say("tables.problems.too_many_cells"))


class TooLargeToReturn(Exception):
    """A cleaned table cannot be given back as a file of this kind; the text says why, for the sender."""


@dataclass
class TableQuota:
    """What may still be read. The `take_...` methods and `lay_out` count it down."""

    octets: int = SIZE_BOUND
    unpacked: int = UNPACKED_BOUND
    markup: int = MARKUP_BOUND
    cells: int = CELLS_BOUND
    text: int = TEXT_BOUND
    sheets: int = SHEETS_BOUND

    def take_octets(self, count: int) -> None:
        """Count an attachment's octets.

        Raises:
            UnreadableTable: the limit is exceeded.
        """
        self.octets -= count
        if self.octets < 0:
            raise UnreadableTable(say("tables.problems.too_large_together"))

    def take_unpacked(self, count: int) -> None:
        """Count octets that are unpacked, as `take_octets` does."""
        self.unpacked -= count
        if self.unpacked < 0:
            raise UnreadableTable(say("tables.problems.unpacked_too_large_together"))

    def take_cells(self, count: int) -> None:
        """Count the cells of a delimited file, as `take_octets` does."""
        self.cells -= count
        if self.cells < 0:
            raise TooMuch

    def take_markup(self, count: int) -> None:
        """Count tags, attributes and references of XML, as `take_octets` does."""
        self.markup -= count
        if self.markup < 0:
            raise TooMuch

    def take_text(self, text: str) -> None:
        """Count the text of a cell in UTF-8, as `take_octets` does."""
        self.text -= len(text) if text.isascii() else len(text.encode())
        if self.text < 0:
            raise UnreadableTable(say("tables.problems.too_much_text"))

    def take_sheet(self) -> None:
        """Count a sheet, as `take_octets` does."""
        self.sheets -= 1
        if self.sheets < 0:
            raise UnreadableTable(say("tables.problems.too_many_sheets", most=SHEETS_BOUND))

    def reach(self, width: int, height: int) -> None:
        """Check that a table of this size is within the limit of cells.

        Raises:
            UnreadableTable: it is not.
        """
        if width * height > self.cells:
            raise UnreadableTable(say("tables.problems.too_far", row=height, column=width))

    def lay_out(self, width: int, height: int) -> None:
        """Count a table's cells, empty ones included; see `reach`."""
        self.reach(width, height)
        self.cells -= width * height
