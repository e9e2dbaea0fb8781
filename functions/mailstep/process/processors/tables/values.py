"""What a column's cells are: numbers, dates, truth values, text, or marks for a missing value."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import partial

from mailstep.process.processors.tables import dates, numbers
from mailstep.process.processors.tables.model import Kind, Moment, Number, Stored, StoredText, Value

ODD_SHARE = 20
"""One value in so many may be of another kind than its column."""

MISSING = frozenset(
    {
        *("", "-", "--", "---", "\u2013", "\u2014", "?", "\\N", ".", ".."),
        *(
            "n/a",
            "#n/a",
            "na",
            "<na>",
            "n.a.",
            "n.a",
            "nan",
            "-nan",
            "null",
            "(null)",
            "[null]",
            "<null>",
            "nil",
            "none",
        ),
        *("k.a.", "k. a.", "s/o", "n.d.", "#nv", "#null!", "#div/0!", "#value!", "#ref!", "#name?", "#num!", "#wert!"),
        *("#bezug!", "#zahl!", "#spill!", "#calc!", "#getting_data", "#n/d", "#valeur!", "#nombre?"),
    }
)
"""Marks for a missing value, in lower case: as people, databases and spreadsheets write them."""
_TWO_LETTERS = re.compile(r"[A-Z]{2}")
_INFINITE = {"inf", "+inf", "-inf", "infinity", "-infinity", "\u221e", "-\u221e"}
_TRUE_AND_FALSE = [
    *(
        ("true", "false"),
        ("yes", "no"),
        ("ja", "nein"),
        ("oui", "non"),
        ("s\u00ed", "no"),
        ("si", "no"),
        ("sim", "n\u00e3o"),
    ),
    *(("wahr", "falsch"), ("vrai", "faux"), ("vero", "falso"), ("verdadero", "falso"), ("verdadeiro", "falso")),
    *(("ja", "nee"), ("tak", "nie"), ("y", "n"), ("t", "f")),
]
_ALONE = {"true", "false", "wahr", "falsch", "vrai", "faux", "verdadero", "verdadeiro"}
_TELEPHONE = re.compile(r"\b(tele(ph|f)on\w*|phone\w*|tel|t[\u00e9e]l|fax|mobile|handy|cell|telefax)\b", re.IGNORECASE)
_CARD = re.compile(r"\b(credit|card|karte\w*|kreditkarte\w*|tarjeta|carte)\b", re.IGNORECASE)
_PLAIN = re.compile(r"[0-9.\-]+")


@dataclass
class Reading:
    """What a column's cells are: their kind, and the value of each text that is of this kind."""

    kind: Kind
    counts: Counter[str]
    missing: int
    value: Callable[[str], Value]
    numbers: dict[str, Number] = field(default_factory=dict)
    moments: dict[str, Moment] = field(default_factory=dict)
    unit: str = ""
    notes: tuple[str, ...] = ()

    @property
    def fitting(self) -> dict[str, Number] | dict[str, Moment]:
        """The texts that are numbers or dates, with their values."""
        return self.numbers or self.moments


def read_column(name: str, cells: Sequence[str], *, decimal: str | None = None, day_first: bool = True) -> Reading:
    """The kind of a column, from all its cells. `decimal` and `day_first` decide what the cells leave open."""
    types = set(map(type, cells))
    if Stored in types:
        return _stored(cells)
    counts = Counter(cells)
    missing = _take_missing(counts)
    if not counts:
        return Reading("empty", counts, missing, _text)
    if truth := _truth_values(counts):
        return Reading("boolean", counts, missing, truth)
    values = counts.total()
    enough = values - values // ODD_SHARE
    as_text = sum(isinstance(cell, StoredText) for cell in cells) if StoredText in types else 0
    if as_text <= values // ODD_SHARE and not _is_identifier(name, counts):
        infinite = sum(count for text, count in counts.items() if text.lower() in _INFINITE)
        plain = _plain_numbers(counts)
        found = (plain, _PLAIN_NOTATION) if plain else numbers.notation(counts, decimal=decimal)
        if found and sum(counts[text] for text in found[0]) >= max(enough - infinite, 1):
            read, notation = found
            return Reading("number", counts, missing, partial(_or_text, notation.value), read, unit=notation.unit)
    if (dated := dates.order(counts, day_first=day_first)) and sum(counts[text] for text in dated[0]) >= enough:
        moments, order = dated
        notes = () if order.certain else (_uncertain_order(name, day_first=order.day_first),)
        return Reading("date", counts, missing, partial(_or_text, order.value), moments=moments, notes=notes)
    return Reading("text", counts, missing, _text)


def _uncertain_order(name: str, *, day_first: bool) -> str:
    order = "day before month" if day_first else "month before day"
    return f"The dates in {name} are read with the {order}; no value says which comes first."


def _stored(cells: Sequence[str]) -> Reading:
    """The kind of a workbook's column, from the values that the workbook stores."""
    counts = Counter(map(str, cells))
    missing = _take_missing(counts)
    kinds = Counter(_kind_of(cell) for cell in cells if cell.lower() not in MISSING)
    kind, count = kinds.most_common(1)[0] if kinds else ("empty", 0)
    if count < kinds.total() - kinds.total() // ODD_SHARE:
        kind = "text"
    units = {_unit(cell) for cell in cells if isinstance(cell, Stored)} if kind == "number" else set()
    return Reading(kind, counts, missing, _stored_value, unit=units.pop() if len(units) == 1 else "")


def _kind_of(cell: str) -> Kind:
    value = _stored_value(cell)
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "date" if isinstance(value, date | datetime | time | timedelta) else "text"


def _stored_value(cell: str) -> Value:
    if isinstance(cell, Stored):
        return cell.value
    if cell.lower() in MISSING:
        return None
    if isinstance(cell, StoredText):
        return str(cell)
    number = numbers.number_in(cell, decimal=".")
    return cell if number is None else number


def _unit(cell: str) -> str:
    return number.unit if (number := numbers.written(cell)) else ""


def _text(cell: str) -> Value:
    return None if cell.lower() in MISSING else cell


def _or_text(value: Callable[[str], Value], cell: str) -> Value:
    found = value(cell)
    return _text(cell) if found is None else found


def _take_missing(counts: Counter[str]) -> int:
    """Count and take out the marks for missing values. `NA` among two-letter codes is one of them (Namibia)."""
    marks = [text for text in counts if len(text) < 14 and text.lower() in MISSING]
    if "NA" in marks:
        others = [text for text in counts if text not in marks]
        if others and all(_TWO_LETTERS.fullmatch(text) for text in others[:1000]):
            marks.remove("NA")
    return sum(counts.pop(text) for text in marks)


def _truth_values(counts: Counter[str]) -> Callable[[str], Value] | None:
    """How to read the truth values of a column that has nothing else."""
    if len(counts) > 6:
        return None
    found = {text.lower() for text in counts}
    for true, false in _TRUE_AND_FALSE:
        if found == {true, false} or (len(found) == 1 and found <= {true, false} & _ALONE):
            return partial(_truth, true=true)
    return None


def _truth(cell: str, *, true: str) -> Value:
    return None if cell.lower() in MISSING else cell.lower() == true


def _is_identifier(name: str, counts: Counter[str]) -> bool:
    """Whether the digits name something: a leading zero anywhere, telephone or card numbers."""
    if any(text[:1] == "0" and text[1:2].isdigit() for text in counts):
        return True
    words = name.replace("_", " ")
    if _TELEPHONE.search(words):
        return True
    if not all(map(numbers.is_card_number, list(counts)[:1000])):
        return False
    return len(counts) > 2 or bool(_CARD.search(words))


def _plain_numbers(counts: Counter[str]) -> dict[str, Number] | None:
    """The numbers of a column that has only digits, points and minus signs: the common case, and the fast one."""
    texts = list(counts)
    if max(map(len, texts)) > numbers.CHARACTERS:
        return None
    joined = "\n".join(texts)
    if not joined.isascii() or joined.encode().translate(None, b"0123456789.-\n") or ".\n" in joined + "\n":
        return None
    if "-0" in joined and re.search(r"^-0[0-9]", joined, re.MULTILINE):
        return None
    try:
        if "." not in joined:
            return dict(zip(texts, map(int, texts), strict=True))
        if numbers.certain_mark(texts[:1000]) != ".":
            return None
        read = [float(text) if "." in text else int(text) for text in texts]
    except ValueError:
        return None
    return dict(zip(texts, read, strict=True))


def _plain_value(cell: str) -> Number | None:
    return numbers.number_in(cell, decimal=".")


_PLAIN_NOTATION = numbers.Notation(".", "", _plain_value)
