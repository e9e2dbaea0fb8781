"""Keeps spreadsheets from reading a cell of a CSV file as a formula (OWASP, "CSV Injection")."""

import re
from collections.abc import Sequence

from mailstep.process.processors.tables.numbers import written

# A spreadsheet may split at its own list separator, and go on with what follows as a new cell. Excel in Japanese and
# Chinese reads full-width signs too. Other programs read `|` and `%` at the start of a cell as commands.
_START = r"""(?:\A[|%]|(?:\A|[,;|\t\r\n])[\s"\ufeff\u200b]*[=+\-@\uff1d\uff0b\uff0d\uff20])"""
_FORMULA = re.compile(_START)
_NEXT = re.compile(r"[,;|\t\r\n]")
# Signs alone are marks for a missing value.
_SIGNS = re.compile(r"[-+]+")
_TELEPHONE = re.compile(r"\+[1-9](?:[ ()./-]{0,2}[0-9]){6,14}\)?")
_ANYWHERE = re.compile(r"[|%\n][|%=+\-@\uff1d\uff0b\uff0d\uff20]|" + _START.replace(r"\A", r"\n"))


def may_hold_formulas(rows: Sequence[Sequence[str]]) -> bool:
    """Whether a cell of these rows may need a change: one search of all is faster than one for each cell."""
    return bool(_ANYWHERE.search("\n" + "\n".join(map("\n".join, rows))))


def harmless(cell: str) -> str:
    """The cell with an apostrophe before each place where a formula could begin.

    That is its start, and what follows a `,`, `;`, `|`, tab or line end in it. Numbers and telephone numbers stay.
    """
    return _FORMULA.sub(lambda found: _with_apostrophe(cell, found), cell)


def _with_apostrophe(cell: str, found: re.Match[str]) -> str:
    start = found.end() - 1
    if found[0][:1] in "|%" and found.start() == 0:
        return f"'{found[0]}"
    rest = cell[start:]
    end = _NEXT.search(rest)
    if any(_is_plain(text) for text in (rest, rest[: end.start()] if end else rest)):
        return found[0]
    return f"{found[0][:-1]}'{found[0][-1]}"


def _is_plain(text: str) -> bool:
    text = text.strip(' "')
    return bool(written(text) or _SIGNS.fullmatch(text) or _TELEPHONE.fullmatch(text))
