"""Marks for a missing value, as people, databases and spreadsheets write them."""

import re

from mailstep.process.processors.tables.model import Stored

_SIGNS = {
    "", "-", "--", "---", "\u2013", "\u2014", "?", "\\N", ".", "..", "...", "*", "**", "***", ":",
}  # fmt: skip
_WORDS = {
    "(null)", "-nan", "00.00.0000", "0000-00-00", "0000-00-00 00:00:00", "<na>", "<null>", "[null]", "k. a.",
    "k.a.", "n.a", "n.a.", "n.d.", "n/a", "na", "nan", "nil", "none", "null", "s.o.", "s/o",
}  # fmt: skip
# Spreadsheets show them in their own languages.
_ERRORS = {
    "#ad?", "#adr!", "#arg!", "#arvo!", "#başv!", "#bezug!", "#calc!", "#deel/0!", "#değer!", "#div/0", "#div/0!",
    "#division/0!", "#dziel/0!", "#dělení_nulou!", "#error!", "#getal!", "#getting_data", "#hiv!", "#hiányzik",
    "#hodnota!", "#i/t", "#jako/0!", "#liczba!", "#lien!", "#luku!", "#n/a", "#n/b", "#n/d", "#n/disp", "#naam?",
    "#name?", "#namn?", "#navn?", "#nazwa?", "#nimi?", "#nom?", "#nombre!", "#nombre?", "#nome?", "#nul!", "#null",
    "#null!", "#num!", "#nv", "#název?", "#név?", "#núm!", "#odkaz!", "#ogiltigt!", "#propagation!", "#puuttuu!",
    "#ref!", "#reference!", "#referens!", "#rif!", "#saknas!", "#say\u0131!", "#say\u0131/0!", "#spill!", "#szám!",
    "#valeur!", "#valor!", "#valore!", "#value!", "#verdi!", "#verw!", "#viittaus!", "#värdefel!", "#værdi!",
    "#waarde!", "#wert!", "#yok", "#zahl!", "#zéróosztó!", "#¡div/0!", "#¡nulo!", "#¡num!", "#¡ref!", "#¡valor!",
    "#¿nombre?", "#érték!", "#číslo!", "#\u0434\u0435\u043b/0!", "#\u0437\u043d\u0430\u0447!",
    "#\u0438\u043c\u044f?", "#\u043d/\u0434", "#\u043f\u0443\u0441\u0442\u043e!",
    "#\u0441\u0441\u044b\u043b\u043a\u0430!", "#\u0447\u0438\u0441\u043b\u043e!",
}  # fmt: skip
_MISSING = frozenset(
    spelling(mark) for mark in _SIGNS | _WORDS | _ERRORS for spelling in (str, str.upper, str.capitalize, str.title)
) | {"NaN", "k.A.", "k. A."}
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
