"""Cells as a reply writes them."""

CELL_SHOWN = 60
"""Characters of a cell or a name that a reply shows."""


def shortened(text: str, characters: int = CELL_SHOWN) -> str:
    """A text on one line, cut at a bound."""
    line = " ".join(text[: 4 * characters].split())
    return line if len(line) <= characters and len(text) <= 4 * characters else f"{line[: characters - 1]}…"
