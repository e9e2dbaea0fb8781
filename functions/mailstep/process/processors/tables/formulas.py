"""Keeps spreadsheets from reading a cell of a CSV file as a formula (OWASP, "CSV Injection")."""

import re
from collections.abc import Sequence

from mailstep.process.processors.tables.numbers import written

# A spreadsheet may split at its own list separator, and go on with what follows as a new cell. Excel in Japanese and
# Chinese reads full-width signs too. The commonest numbers are passed over here, which saves a look at each.
_FORMULA = re.compile(
    r'(?:\A|[,;|\t\r\n])[ \xa0\v\f"\ufeff\u200b]*(?:[=@\uff1d\uff0b\uff0d\uff20]|[+-](?![0-9][0-9.,]{0,20}(?:\n|\Z)))'
)
_NEXT = re.compile(r"[,;|\t\r\n]")
_COMMANDS = ("|", "%")  # other programs run them at the start of a cell
# Signs alone are marks for a missing value.
_SIGNS = re.compile(r"[-+]+")
_TELEPHONE = re.compile(r"\+[1-9](?:[ ()./-]{0,2}[0-9]){6,14}\)?")
_NUMBERS = 200  # characters of the longest number, or list of numbers, that is looked at
_ANYWHERE = re.compile(r"\n[|%]|" + _FORMULA.pattern)


def may_hold_formulas(rows: Sequence[Sequence[str]]) -> bool:
    """Whether a cell of these rows may need a change: one search of all is faster than one for each cell."""
    return bool(_ANYWHERE.search("\n" + "\n".join(map("\n".join, rows))))


def harmless(cell: str) -> str:
    """The cell with an apostrophe before each place where a formula could begin.

    That is its start, and what follows a `,`, `;`, `|`, tab or line end in it. Numbers and telephone numbers stay.
    """
    changed = _FORMULA.sub(lambda found: _with_apostrophe(cell, found), cell)
    return f"'{changed}" if changed.startswith(_COMMANDS) else changed


def _with_apostrophe(cell: str, found: re.Match[str]) -> str:
    start = found.end() - 1
    rest = cell[start : start + _NUMBERS + 1]
    # A sign behind a separator would begin a formula with what follows the cell in the file: `-","&...`.
    is_number = _is_plain(rest) or all(map(_is_plain, _NEXT.split(rest)))
    if _SIGNS.fullmatch(cell) or (is_number and len(rest) <= _NUMBERS):
        return found[0]
    return f"{found[0][:-1]}'{found[0][-1]}"


def _is_plain(text: str) -> bool:
    text = text.strip(' "')
    return bool(not text or written(text) or _TELEPHONE.fullmatch(text))
