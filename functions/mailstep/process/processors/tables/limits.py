"""What may be read of the tables of one message, all together: counted while it is read, not as it is declared."""

from dataclasses import dataclass

from mailstep.process.attachments import UnreadableAttachment

SIZE_BOUND = 10 * 1024 * 1024
"""Octets of a table that is read; a larger one is named, not summarised."""
UNPACKED_BOUND = 100 * 1024 * 1024
"""Octets of XML that are inflated: a workbook of 100 KB can hold gigabytes."""
MARKUP_BOUND = 8_000_000
"""Tags, attributes and references of XML, each of which takes its time; a cell has four tags and two attributes."""
CELLS_BOUND = 3_000_000
"""Cells, each table laid out up to its farthest ones: one stray cell in the corner of a sheet makes 17,000,000,000."""
TEXT_BOUND = 30_000_000
"""Octets that the cells of workbooks mean: many cells may name one string. A reply could not hold more."""
SHEETS_BOUND = 200
"""Sheets: each becomes a file of the reply."""


class UnreadableTable(UnreadableAttachment):
    """The attachment looks like a table but cannot be read."""


@dataclass
class Room:
    """What may still be read; `take` and `lay_out` count it down."""

    octets: int = 2 * SIZE_BOUND
    unpacked: int = UNPACKED_BOUND
    markup: int = MARKUP_BOUND
    cells: int = CELLS_BOUND
    text: int = TEXT_BOUND
    sheets: int = SHEETS_BOUND

    def take_octets(self, count: int) -> None:
        """Count an attachment's octets.

        Raises:
            UnreadableTable: there is no room for them.
        """
        self.octets -= count
        if self.octets < 0:
            raise UnreadableTable(
                "Together with the others it is too much to summarise here; please send it by itself."
            )

    def take_unpacked(self, count: int) -> None:
        """Count octets of XML, as `take_octets` does."""
        self.unpacked -= count
        if self.unpacked < 0:
            raise UnreadableTable(
                "It unpacks to more than can be summarised here; please send fewer rows, or it by itself."
            )

    def take_markup(self, count: int) -> None:
        """Count tags, attributes and references of XML, as `take_octets` does."""
        self.markup -= count
        if self.markup < 0:
            raise UnreadableTable(
                "It has more cells than can be summarised here; please send fewer rows, or it by itself."
            )

    def take_text(self, text: str) -> None:
        """Count the text of a cell in UTF-8, as `take_octets` does."""
        self.text -= len(text) if text.isascii() else len(text.encode())
        if self.text < 0:
            raise UnreadableTable(
                "It holds more text than can be summarised here; please send fewer rows, or it by itself."
            )

    def take_sheet(self) -> None:
        """Count a sheet, as `take_octets` does."""
        self.sheets -= 1
        if self.sheets < 0:
            raise UnreadableTable(f"It has more than {SHEETS_BOUND} sheets; please send fewer.")

    def reach(self, width: int, height: int) -> None:
        """See whether a table of so many columns and rows has room.

        Raises:
            UnreadableTable: it has not.
        """
        if width * height > self.cells:
            raise UnreadableTable(
                f"It reaches to row {height:,} and column {width:,}, too far to be read here; please delete what "
                "stands far from the table, or send fewer sheets or rows."
            )

    def lay_out(self, width: int, height: int) -> None:
        """Count a table's cells, the empty ones too; see `reach`."""
        self.reach(width, height)
        self.cells -= width * height
