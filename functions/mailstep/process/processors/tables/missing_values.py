"""Marks for a missing value, as people, databases and spreadsheets write them."""

import re

from mailstep.process.processors.tables.model import Stored

_MARKS = {
    *("", "-", "--", "---", "\u2013", "\u2014", "?", "\\N", ".", "..", "...", "*", "**", "***", ":"),
    *("n/a", "#n/a", "na", "<na>", "n.a.", "n.a", "nan", "-nan"),
    *("null", "(null)", "[null]", "<null>", "nil", "none"),
    *("k.a.", "k. a.", "s/o", "n.d.", "#nv", "#null!", "#div/0!", "#value!", "#ref!", "#name?", "#num!", "#wert!"),
    *("#n/b", "#i/t", "#saknas!", "#puuttuu!", "#yok", "#n/disp", "#\u043d/\u0434"),
    *("#bezug!", "#zahl!", "#spill!", "#calc!", "#getting_data", "#n/d", "#valeur!", "#nombre?"),
}
_MISSING = frozenset(spelling(mark) for mark in _MARKS for spelling in (str, str.upper, str.capitalize, str.title)) | {
    *("NaN", "k.A.", "k. A."),
}
_TWO_LETTERS = re.compile(r"[A-Z]{2}")


def is_missing(cell: str) -> bool:
    """Whether a cell is empty or holds a mark for a missing value."""
    # A format may show a stored number as a dash.
    return cell in _MISSING and not isinstance(cell, Stored)


def take_missing(counts: dict[str, int]) -> int:
    """Count and take out the marks for missing values. `NA` among two-letter codes is one of them (Namibia)."""
    marks = [mark for mark in _MISSING if mark in counts]
    if "NA" in marks:
        others = [text for text in counts if text not in marks]
        if others and all(_TWO_LETTERS.fullmatch(text) for text in others[:1000]):
            marks.remove("NA")
    return sum(counts.pop(text) for text in marks)
