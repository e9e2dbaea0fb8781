"""Counts and cells as a reply writes them."""

CELL_SHOWN = 60
"""Characters of a cell or a name that a reply shows."""


def counted(number: int, noun: str) -> str:
    """`1 row`, `1,000 rows`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def shortened(text: str, characters: int = CELL_SHOWN) -> str:
    """A text on one line, cut at a bound."""
    line = " ".join(text[: 4 * characters].split())
    return line if len(line) <= characters and len(text) <= 4 * characters else f"{line[: characters - 1]}…"
