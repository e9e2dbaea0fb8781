"""Charts for a reply, as PNG: many mail clients do not show HTML drawings or SVG."""

import io

import png

WIDTH, HEIGHT = 480, 160
"""Pixels, two for each of the screen's: a chart is shown half as large."""
SCALE = 3
"""Pixels of a dot of the letters."""

# A transparent background; a blue and a grey that are visible on white and on black.
_PALETTE = [(0, 0, 0, 0), (64, 132, 214, 255), (128, 128, 134, 255)]
_BAR, _INK = 1, 2
_BASE, _TOP, _GAP = HEIGHT - 34, 12, 4
# Letters of 5 by 7 dots, a row of dots in each number.
_LETTERS = {
    "0": (14, 17, 17, 17, 17, 17, 14), "1": (4, 12, 4, 4, 4, 4, 14), "2": (14, 17, 1, 2, 4, 8, 31),
    "3": (31, 2, 4, 2, 1, 17, 14), "4": (2, 6, 10, 18, 31, 2, 2), "5": (31, 16, 30, 1, 1, 17, 14),
    "6": (6, 8, 16, 30, 17, 17, 14), "7": (31, 1, 2, 4, 8, 8, 8), "8": (14, 17, 17, 14, 17, 17, 14),
    "9": (14, 17, 17, 15, 1, 2, 12), ".": (0, 0, 0, 0, 0, 12, 12), ",": (0, 0, 0, 0, 12, 4, 8),
    "-": (0, 0, 0, 31, 0, 0, 0), "+": (0, 4, 4, 31, 4, 4, 0), "e": (0, 0, 14, 17, 31, 16, 14),
    "%": (24, 25, 2, 4, 8, 19, 3), " ": (0, 0, 0, 0, 0, 0, 0),
}  # fmt: skip
_ADVANCE = 6 * SCALE


def histogram(counts: tuple[int, ...], *, lowest: str, highest: str) -> bytes:
    """A bar for each count above an axis from `lowest` to `highest`; the other axis names the highest count.

    Any count above 0 is at least one pixel high. Letters other than those of numbers are left out.
    """
    rows = [bytearray(WIDTH) for _ in range(HEIGHT)]
    most = max(counts)
    left = _write(rows, f"{most:,}", 0, _TOP - 3 * SCALE) + SCALE
    _fill(rows, _TOP, _TOP + 1, left, WIDTH, _INK)
    step = (WIDTH - left) / len(counts)
    for place, count in enumerate(counts):
        height = -(-(_BASE - _TOP) * count // most)
        _fill(rows, _BASE - height, _BASE, round(left + place * step) + _GAP, round(left + (place + 1) * step), _BAR)
    _fill(rows, _BASE, _BASE + 2, left, WIDTH, _INK)
    for place in range(len(counts) + 1):
        x = min(round(left + place * step), WIDTH - 2)
        _fill(rows, _BASE, _BASE + 6, x, x + 2, _INK)
    _write(rows, lowest, left, _BASE + 10)
    _write(rows, highest, WIDTH - _ADVANCE * len(highest) + SCALE, _BASE + 10)
    picture = io.BytesIO()
    png.Writer(WIDTH, HEIGHT, palette=_PALETTE, bitdepth=2, compression=9).write(picture, rows)
    return picture.getvalue()


def _fill(rows: list[bytearray], top: int, bottom: int, left: int, right: int, colour: int) -> None:
    for y in range(top, bottom):
        rows[y][left:right] = bytes([colour]) * (right - left)


def _write(rows: list[bytearray], text: str, x: int, y: int) -> int:
    """Write from x and y; return where the text ends. A text that does not fit is cut."""
    x = max(x, 0)
    for letter in text:
        if x + _ADVANCE > WIDTH + SCALE:
            break
        for line, dots in enumerate(_LETTERS.get(letter, _LETTERS[" "])):
            for dot in range(5):
                if dots >> (4 - dot) & 1:
                    _fill(rows, y + line * SCALE, y + (line + 1) * SCALE, x + dot * SCALE, x + (dot + 1) * SCALE, _INK)
        x += _ADVANCE
    return x
