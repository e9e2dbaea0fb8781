"""Numbers in any notation: which decimal mark a column has, by evidence from all its values, and what a cell says."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from mailstep.process.processors.tables.model import Number

_SYMBOLS = "$€£¥₹₽₩₪₺฿₫₴₦¢"
# Codes of ISO 4217 and the signs that people write in their place.
_CODES = (
    r"(?:US|CA|A|AU|NZ|HK|S|R|MX|C)\$|"
    r"AED|ARS|AUD|BGN|BRL|CAD|CHF|CLP|CNY|COP|CZK|DKK|EUR|GBP|HKD|HUF|IDR|ILS|INR|ISK|JPY|KRW|MXN|MYR|NOK|NZD|PEN|PHP|"
    r"PLN|RMB|RON|RSD|RUB|SAR|SEK|SGD|THB|TRY|TWD|UAH|USD|VND|ZAR|kr\.?|zł|Kč|Ft|Fr\.|SFr\.|Rs\.?|"
    r"руб\.?|лв\.?|грн\.?|元|円"  # noqa: RUF001 - Russian, Bulgarian, Ukrainian
)
_CURRENCY = rf"(?:[{_SYMBOLS}]|{_CODES})"
_SPACES = " \u00a0\u202f\u2009"
_NUMBER = re.compile(
    rf"""(?P<open>\()?[{_SPACES}]*
    (?P<sign>[+\-\u2212])?[{_SPACES}]*
    (?P<before>{_CURRENCY})?[{_SPACES}]*
    (?P<inner>[+\-\u2212]|\([{_SPACES}]*)?
    (?P<digits>[0-9][0-9.,'\u2019{_SPACES}]*(?<![{_SPACES}.,])|[.,][0-9]+)
    (?:(?P<exponent>[eE][+-]?[0-9]{{1,2}})|(?P<round>[.,])[\-\u2013\u2014]{{1,2}})?
    [{_SPACES}]*(?P<percent>%)?[{_SPACES}]*(?P<after>{_CURRENCY})?
    (?P<trailing>[-\u2212])?[{_SPACES}]*(?P<close>\))?""",
    re.VERBOSE,
)
# Excel's formats for bookkeeping show zero as a dash beside the currency.
_ZERO = re.compile(rf"(?P<before>{_CURRENCY})[{_SPACES}]*[\-\u2013]|[\-\u2013][{_SPACES}]*(?P<after>{_CURRENCY})")
_WHOLE = re.compile(r"0|[1-9][0-9]*")
_GROUPED = re.compile(r"[1-9][0-9]{0,2}(?:([.,' ])[0-9]{3})(?:\1[0-9]{3})*(?:([.,])[0-9]+)?")
_INDIAN = re.compile(r"[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}(?:\.[0-9]+)?")
_DECIMAL = re.compile(r"(?:0|[1-9][0-9]*)?([.,])[0-9]+")
_ADDRESS = re.compile(r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}")
_SAME = str.maketrans({"\u2019": "'", "\u00a0": " ", "\u202f": " ", "\u2009": " "})
# Digits of a full-width, Arabic, Persian or Devanagari keyboard, and the signs that stand in such numbers (Unicode,
# General_Category Nd; U+066B and U+066C are the Arabic decimal and thousands separators).
_AS_ASCII = {
    zero + digit: str(digit) for zero in (0xFF10, 0x0660, 0x06F0, 0x0966) for digit in range(10)
} | str.maketrans("\uff0e\uff0c\uff0d\uff0b\uff05\uffe5\u066b\u066c\u066a", ".,-+%\u00a5.,%")
CHARACTERS = 100
"""Characters of the longest number that is read."""


@dataclass(frozen=True)
class Written:
    """A number as it is written: `digits` with its separators, and what stands around them.

    `decimal` is the decimal mark that these digits must have; None if they may have either.
    """

    digits: str
    decimal: str | None
    negative: bool
    exponent: int
    unit: str
    spaced: bool

    def value(self, decimal: str) -> Number | None:
        """The number, if `decimal` is the column's decimal mark; None if it cannot be."""
        if self.decimal not in (None, decimal):
            return None
        plain = self.digits.replace("." if decimal == "," else ",", "").replace("'", "").replace(" ", "")
        plain = plain.replace(",", ".")
        if plain.count(".") > 1:
            return None
        if "." in plain or self.exponent or self.unit == "%":
            amount: Number = float(f"{plain}e{self.exponent - 2 * (self.unit == '%')}")
        else:
            amount = int(plain)
        if amount in (float("inf"), float("-inf")):
            return None
        return -amount if self.negative else amount


def written(text: str) -> Written | None:
    """The parts of a number, or None if the text is no number.

    Digits that begin with 0 are an identifier, and so are groups of digits other than thousands: no numbers.
    """
    if len(text) > CHARACTERS:
        return None
    if not (parts := _NUMBER.fullmatch(text if text.isascii() else text.translate(_AS_ASCII))):
        zero = _ZERO.fullmatch(text)
        return Written("0", None, False, 0, zero["before"] or zero["after"], False) if zero else None
    signs = [bool(parts[name]) for name in ("open", "sign", "inner", "trailing")]
    # `12.-` and `12,--` are whole amounts.
    if parts["round"] and parts["trailing"]:
        return None
    inner = parts["inner"] or ""
    opened = bool(parts["open"]) or inner.startswith("(")
    if sum(signs) > 1 or opened != bool(parts["close"]) or bool(parts["before"] and parts["after"]):
        return None
    digits = parts["digits"].translate(_SAME)
    found, decimal = _decimal_mark(digits)
    spaced = " " in digits
    # `+49 30 1234` is a telephone number, also with groups of three.
    if not found or (spaced and parts["sign"] == "+") or (parts["percent"] and (parts["before"] or parts["after"])):
        return None
    if parts["round"] and not digits.isdigit():
        decimal = parts["round"]
    negative = bool(parts["open"] or parts["trailing"]) or (parts["sign"] or inner or "+") != "+"
    unit = parts["percent"] or parts["before"] or parts["after"] or ""
    return Written(digits, decimal, negative, int((parts["exponent"] or "e0")[1:]), unit, spaced)


def _decimal_mark(digits: str) -> tuple[bool, str | None]:
    """Whether the digits are a number, and the decimal mark that they must have."""
    if grouped := _GROUPED.fullmatch(digits):
        return _grouped_mark(digits, *grouped.groups())
    if single := _DECIMAL.fullmatch(digits):
        return True, single[1]
    indian = bool(_INDIAN.fullmatch(digits))
    return indian or bool(_WHOLE.fullmatch(digits)), "." if indian else None


def _grouped_mark(digits: str, group: str, decimal: str | None) -> tuple[bool, str | None]:
    if decimal or group in " '":
        return group != decimal, decimal
    # `1.234.567` has groups; `1.234` has them, or three decimals.
    return True, {",": ".", ".": ","}[group] if digits.count(group) > 1 else None


@dataclass(frozen=True)
class Notation:
    """How a column writes its numbers. `unit` is empty unless all have the same."""

    decimal: str
    unit: str
    value: Callable[[str], Number | None]


def notation(texts: Iterable[str], *, decimal: str | None = None) -> tuple[dict[str, Number], Notation] | None:
    """The numbers among the texts, and their common notation; None if there are no numbers.

    `decimal` is the decimal mark of the table's other columns, for `1.234`, which does not say whether it has groups.
    """
    read = {text: number for text in texts if (number := written(text))}
    if not read:
        return None
    commas = sum(number.decimal == "," for number in read.values())
    points = sum(number.decimal == "." for number in read.values())
    mark = "," if commas > points or (commas == points and decimal == ",") else "."
    # Four groups below 256 are an address of the Internet Protocol.
    if all(_ADDRESS.fullmatch(text) for text in read):
        return None
    values = {text: value for text, number in read.items() if (value := number.value(mark)) is not None}
    units = {number.unit for number in read.values()}
    return values, Notation(mark, units.pop() if len(units) == 1 else "", partial(number_in, decimal=mark))


def number_in(text: str, *, decimal: str) -> Number | None:
    """The number that a cell says, in a column with this decimal mark."""
    return number.value(decimal) if (number := written(text)) else None


def certain_mark(texts: Iterable[str]) -> str | None:
    """The decimal mark that most of these numbers must have; None if they do not tell."""
    marks = [
        number.decimal
        for text in texts
        if ("." in text or "," in text) and (number := written(text)) and number.decimal
    ]
    commas = marks.count(",")
    if not marks or 2 * commas == len(marks):
        return None
    return "," if 2 * commas > len(marks) else "."


def is_card_number(text: str) -> bool:
    """Whether it has the length, the first digit and the check digit of a payment card (ISO/IEC 7812-1)."""
    if not re.fullmatch(r"[3-6][0-9]{14,15}", text):
        return False
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(text)))
    return sum(number - 9 * (number > 9) for number in doubled) % 10 == 0
