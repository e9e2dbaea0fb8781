"""What a column's cells are: numbers, dates, truth values, text, or marks for a missing value."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from mailstep.process.processors.tables import dates, numbers
from mailstep.process.processors.tables.column_names import CARD, KEY, TELEPHONE
from mailstep.process.processors.tables.missing_values import is_missing, take_missing
from mailstep.process.processors.tables.model import Kind, Moment, Number, Stored, StoredText, Value
from mailstep.texts.speaking import say

type Counts[V] = dict[V, int]
"""How often each value is there."""
ODD_SHARE = 20
"""One value in so many may be of another kind than its column."""

_TRIED = 200
_SAMPLED = 2_000  # cells that all differ in a column of keys
_INFINITE = {"inf", "+inf", "-inf", "infinity", "-infinity", "\u221e", "-\u221e"}
_TRUE_AND_FALSE = [
    ("true", "false"), ("yes", "no"), ("y", "n"), ("t", "f"), ("ja", "nein"), ("j", "n"), ("oui", "non"),
    ("sí", "no"), ("si", "no"), ("sim", "não"), ("sì", "no"), ("ja", "nee"), ("ja", "nej"), ("ja", "nei"),
    ("tak", "nie"), ("ano", "ne"), ("áno", "nie"), ("da", "ne"), ("da", "nu"), ("igen", "nem"), ("kyllä", "ei"),
    ("evet", "hay\u0131r"), ("\u03bd\u03b1\u03b9", "\u03cc\u03c7\u03b9"), ("\u0434\u0430", "\u043d\u0435\u0442"),
    ("\u0442\u0430\u043a", "\u043d\u0456"), ("\u306f\u3044", "\u3044\u3044\u3048"), ("\u662f", "\u5426"),
    ("\uc608", "\uc544\ub2c8\uc624"), ("wahr", "falsch"), ("vrai", "faux"), ("vero", "falso"),
    ("verdadero", "falso"), ("verdadeiro", "falso"), ("waar", "onwaar"), ("prawda", "fałsz"),
    ("pravda", "nepravda"), ("sant", "falskt"), ("sand", "falsk"), ("sann", "usann"), ("tosi", "epätosi"),
    ("igaz", "hamis"), ("adevărat", "fals"), ("doğru", "yanl\u0131ş"),
    ("\u0438\u0441\u0442\u0438\u043d\u0430", "\u043b\u043e\u0436\u044c"),
]  # fmt: skip
_ALONE = {"true", "false", "wahr", "falsch", "vrai", "faux", "verdadero", "verdadeiro"}
_TELEPHONE_DIGITS = 6  # shorter numbers count something, as in a column `cell` or `phones`
_E164 = re.compile(r"\+[1-9][0-9]{7,14}")  # ITU-T E.164: a telephone number without spaces
_FLOAT_DIGITS = 16
_LARGEST = 1e300
_MINUS_ZERO = re.compile(r"^-0[0-9]", re.MULTILINE)
_LEADING_ZERO = re.compile(r"\n0[0-9]")


@dataclass
class Reading:
    """What a column's cells are: how often each text is there, and the numbers or dates that they are.

    `read` are Numbers or Moments, as the column's kind says, and `weights` how often each is there. `day_first` is the
    order of day and month that the cells tell; None if they tell none.
    """

    kind: Kind
    counts: Counts[str]
    missing: int
    value: Callable[[str], Value]
    read: Sequence[Any] = ()
    weights: Sequence[int] = ()
    day_first: bool | None = None
    unit: str = ""
    notes: tuple[str, ...] = ()


def read_column(
    name: str, cells: Sequence[str], *, decimal: str | None = None, day_first: bool | None = None, stored: bool = True
) -> Reading:
    """The kind of a column, from all its cells. `decimal` and `day_first` decide what the cells leave open.

    `stored` says whether cells may be of a workbook, which stores their values.
    """
    types = set(map(type, cells)) if stored else set()
    if Stored in types:
        return _stored(cells)
    counts = _counted(cells)
    missing = take_missing(counts)
    if not counts:
        return Reading("empty", counts, missing, _text)
    if truth := _truth_values(counts):
        return Reading("boolean", counts, missing, truth)
    # Text that a workbook stores as such is no number of this column.
    as_text = sum(isinstance(cell, StoredText) for cell in cells) if StoredText in types else 0
    read = None
    if as_text <= sum(counts.values()) // ODD_SHARE and _is_promising(counts, numbers.written):
        read = _as_numbers(name, counts, missing, decimal)
    return read or _as_dates(name, counts, missing, day_first=day_first) or Reading("text", counts, missing, _text)


def _as_numbers(name: str, counts: Counts[str], missing: int, decimal: str | None) -> Reading | None:
    if days := _basic_dates(name, counts):
        return Reading("date", counts, missing, partial(_or_text, dates.basic), read=days, weights=[*counts.values()])
    joined = "\n".join(("", *counts, ""))
    if _is_identifier(name, counts, joined):
        return None
    if plain := _plain_numbers(counts, joined):
        value = partial(_or_text, partial(numbers.number_in, decimal="."))
        return Reading("number", counts, missing, value, read=plain, weights=[*counts.values()])
    found = numbers.notation(counts, decimal=decimal)
    infinite = sum(count for text, count in counts.items() if text.lower() in _INFINITE)
    if not found or not _is_enough(counts, found[0], infinite):
        return None
    read, notation = found
    value = partial(_or_text, notation.value)
    weights = [counts[text] for text in read]
    return Reading("number", counts, missing, value, read=[*read.values()], weights=weights, unit=notation.unit)


def _as_dates(name: str, counts: Counts[str], missing: int, *, day_first: bool | None) -> Reading | None:
    if not _is_promising(counts, dates.either_order):
        return None
    found = dates.order(counts, day_first=day_first)
    if not found or not _is_enough(counts, found[0]):
        return None
    read, order = found
    notes = () if order.certain else (_uncertain_order(name, day_first=order.day_first),)
    value = partial(_or_text, order.value)
    weights = [counts[text] for text in read]
    return Reading(
        "date", counts, missing, value, read=[*read.values()], weights=weights, day_first=order.told, notes=notes
    )


def _is_promising(counts: Counts[str], read: Callable[[str], object]) -> bool:
    """Whether half of the first texts can be read so: it saves the search in a column of other texts."""
    first = list(islice(counts, _TRIED))
    return 2 * sum(read(text) is not None for text in first) >= len(first)


def _is_enough(counts: Counts[str], read: Collection[str], also: int = 0) -> bool:
    if len(read) == len(counts):
        return True
    found, values = sum(counts[text] for text in read), sum(counts.values())
    return found > 0 and found + also >= values - values // ODD_SHARE


def _counted(cells: Sequence[str]) -> Counts[str]:
    """How often each cell is there. The keys of a dictionary take a third of the time of counting them."""
    sampled = cells[:_SAMPLED]
    if len(set(sampled)) < len(sampled) or len(keys := dict.fromkeys(cells, 1)) < len(cells):
        return Counter(cells)
    return keys


def _uncertain_order(name: str, *, day_first: bool) -> str:
    return say("tables.notes.day_first" if day_first else "tables.notes.month_first", column=name)


def _stored(cells: Sequence[str]) -> Reading:
    """The kind of a workbook's column, from the values that the workbook stores."""
    there = [cell for cell in cells if not is_missing(cell)]
    counts, missing = Counter(map(str, there)), len(cells) - len(there)
    value = _stored_value_with_dates(there)
    values = list(map(value, there))
    kinds = Counter(map(kind_of, values))
    kind, count = kinds.most_common(1)[0] if kinds else ("empty", 0)
    if count < kinds.total() - kinds.total() // ODD_SHARE:
        kind = "text"
    reading = Reading(kind, counts, missing, value)
    if kind == "number":
        reading.read = [value for value in values if kind_of(value) == "number"]
        units = {number.unit for cell in counts if (number := numbers.written(cell))}
        reading.unit = units.pop() if len(units) == 1 else ""
    if kind == "date":
        reading.read = [value for value in values if isinstance(value, Moment)]
    reading.weights = [1] * len(reading.read)
    return reading


def _stored_value_with_dates(there: Sequence[str]) -> Callable[[str], Value]:
    """How to read the cells: a column of dates may hold some as text, which Excel did not take for dates."""
    texts = {str(cell) for cell in there if not isinstance(cell, Stored)}
    stored = [cell.value for cell in there if isinstance(cell, Stored)]
    if not texts or not all(isinstance(value, Moment) for value in stored) or not (found := dates.order(texts)):
        return _stored_value
    read, order = found
    if len(read) < len(texts) or not order.certain:
        return _stored_value
    return partial(_stored_or_date, order.value)


def _stored_or_date(read: Callable[[str], Moment | None], cell: str) -> Value:
    found = None if isinstance(cell, Stored) else read(str(cell))
    return _stored_value(cell) if found is None else found


def kind_of(value: Value) -> Kind:
    """The kind of a column that has such values."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        # The sum of larger numbers could overflow.
        return "number" if abs(value) < _LARGEST else "text"
    return "date" if isinstance(value, Moment) else "text"


def _stored_value(cell: str) -> Value:
    if isinstance(cell, Stored):
        return cell.value
    if is_missing(cell):
        return None
    if isinstance(cell, StoredText):
        return str(cell)
    number = numbers.number_in(cell, decimal=".")
    return cell if number is None else number


def _text(cell: str) -> Value:
    return None if is_missing(cell) else cell


def _or_text(value: Callable[[str], Value], cell: str) -> Value:
    found = value(cell)
    return _text(cell) if found is None else found


def _truth_values(counts: Counts[str]) -> Callable[[str], Value] | None:
    """How to read the truth values of a column that has nothing else."""
    if len(counts) > 6:
        return None
    found = {text.lower() for text in counts}
    for true, false in _TRUE_AND_FALSE:
        if found == {true, false} or (len(found) == 1 and found <= {true, false} & _ALONE):
            return partial(_truth, true=true)
    return None


def _truth(cell: str, *, true: str) -> Value:
    return None if is_missing(cell) else cell.lower() == true


def _basic_dates(name: str, counts: Counts[str]) -> list[Moment] | None:
    """The dates of a column of numbers such as 20240131, unless its name says that they are no dates."""
    if len(counts) < 2 or not all(map(dates.basic, islice(counts, _TRIED))) or KEY.search(name):
        return None
    days = [day for text in counts if (day := dates.basic(text))]
    return [*days] if len(days) == len(counts) else None


def _is_identifier(name: str, counts: Counts[str], joined: str) -> bool:
    """Whether the digits name something: a leading zero anywhere, telephone or card numbers."""
    if _LEADING_ZERO.search(joined) or all(map(_E164.fullmatch, islice(counts, 1000))):
        return True
    words = name.replace("_", " ")
    if TELEPHONE.search(words) and all(len(text) >= _TELEPHONE_DIGITS for text in islice(counts, 1000)):
        return True
    if not all(map(numbers.is_card_number, islice(counts, 1000))):
        return False
    return len(counts) > 2 or bool(CARD.search(words))


def _plain_numbers(counts: Counts[str], joined: str) -> list[Number] | None:
    """The numbers of a column that has only digits, points and minus signs: the common case, and the fast one.

    `joined` has each text on its own line.
    """
    # `5.` is no number, `-012` neither.
    if not joined.isascii() or joined.encode().translate(None, b"0123456789.-\n") or ".\n" in joined:
        return None
    longest = max(map(len, counts))
    if longest > numbers.CHARACTERS or ("-0" in joined and _MINUS_ZERO.search(joined)):
        return None
    decimals = "." in joined
    # `1.234` may be a thousand.
    if decimals and numbers.certain_mark(islice(counts, 1000)) != ".":
        return None
    # Whole numbers of more digits than a float holds keep them.
    read: Callable[[str], Number] = int if not decimals else float if longest < _FLOAT_DIGITS else _number
    try:
        return list(map(read, counts))
    except ValueError:
        return None


def _number(text: str) -> Number:
    return float(text) if "." in text else int(text)
