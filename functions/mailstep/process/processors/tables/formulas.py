"""Formulas in CSV files: what they say if they say a text, and how no spreadsheet runs any (OWASP, "CSV Injection")."""

import re
from collections.abc import Sequence

from mailstep.process.processors.tables.numbers import written
from mailstep.process.processors.tables.rows import Rows
from mailstep.process.processors.tables.sheets import text_cell

# A spreadsheet may split at its own list separator, and go on with what follows as a new cell. Excel in Japanese and
# Chinese reads full-width signs too. The commonest numbers are passed over here, which saves a look at each.
_START = (
    r'(?:{begin}|[,;|\t\r\n])[\x00-\x08\v\f\x0e-\x20\xa0"\ufeff\u200b]*'
    r"(?:[=@\uff1d\uff0b\uff0d\uff20]|[+-](?![0-9][0-9.,]{{0,20}}{end}))"
)
_FORMULA = re.compile(_START.format(begin=r"\A", end=r"\Z"))
_TEXT = re.compile(r'="((?:[^"]|"")*)"')  # by which programs keep Excel from changing a number
_BETWEEN = "\ud800"  # between cells that are searched together: no encoding has it
_ANYWHERE = re.compile(f"{_BETWEEN}[|%]|" + _START.format(begin=_BETWEEN, end=_BETWEEN))
_LIST = re.compile(r"[-+]?[0-9][0-9.,]*(?: [0-9][0-9.,]*|(?:[;|\t\n]|(?<=,)) ?[-+]?[0-9][0-9.,]*)*")
_COMMANDS = ("|", "%")  # other programs run them at the start of a cell
# Signs alone are marks for a missing value.
_SIGNS = re.compile(r"[-+]+")
_LETTER_AFTER_SIGN = re.compile(r"[-+]\s*[^\W\d_]")
_TELEPHONE = re.compile(r"\+[1-9](?:[ ()./-]{0,2}[0-9]){6,14}\)?")
_NUMBERS = 200  # characters of the longest number, or list of numbers, that is looked at


def take_texts(rows: Rows | list[list[str]]) -> bool:
    """Replace cells such as `="0012"` by their text, as Excel shows them; whether there were any."""
    changed = False
    for cells in rows.columns() if isinstance(rows, Rows) else rows:
        for place, cell in enumerate(cells):
            if cell.startswith('="') and (parts := _TEXT.fullmatch(cell)):
                cells[place], changed = text_cell(parts[1].replace('""', '"')), True
    return changed


def may_hold_formulas(rows: Sequence[Sequence[str]]) -> bool:
    """Whether a cell of these rows may need a change: one search of all is faster than one for each cell."""
    return bool(_ANYWHERE.search(_BETWEEN.join(("", *map(_BETWEEN.join, rows), ""))))


def harmless(cell: str) -> str:
    """The cell with an apostrophe before each place where a formula could begin.

    That is its start, and what follows a `,`, `;`, `|`, tab or line end in it. Numbers and telephone numbers stay.
    """
    found = _FORMULA.search(cell)
    if found and not _are_numbers(cell, found.end() - 1):
        cell = _FORMULA.sub(lambda place: f"{place[0][:-1]}'{place[0][-1]}", cell)
    return f"'{cell}" if cell.startswith(_COMMANDS) else cell


def _are_numbers(cell: str, start: int) -> bool:
    """Whether all that begins with this sign is a number, or several."""
    # Spaces are taken off at the end of the cell only: behind 200 of them, a formula may go on.
    rest = cell[start:].rstrip(' "')
    if len(rest) > _NUMBERS:
        return False
    # A sign behind a separator would begin a formula with what follows the cell in the file: `-","&...`.
    is_mark = start == 0 and bool(_SIGNS.fullmatch(rest))
    # `-USD5` is a cell of a spreadsheet's column USD.
    if _LETTER_AFTER_SIGN.match(rest):
        return False
    is_number = written(rest) and any(map(str.isdigit, rest))
    return is_mark or bool(_LIST.fullmatch(rest) or is_number or _TELEPHONE.fullmatch(rest))
