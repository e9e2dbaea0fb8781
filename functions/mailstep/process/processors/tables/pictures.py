"""Small charts for a reply, as PNG: many mail clients do not show HTML drawings or SVG."""

import io

import png

HEIGHT, BAR, GAP = 40, 8, 2
"""Pixels. A bar and the gap beside it repeat along the picture."""

# A transparent background, and a blue that is visible on white and on black.
_PALETTE = [(0, 0, 0, 0), (64, 132, 214, 255)]


def bars(counts: tuple[int, ...]) -> bytes:
    """A bar chart: the highest count has full height, and any count above 0 is at least one pixel high."""
    most = max(counts)
    heights = [-(-HEIGHT * count // most) for count in counts]
    width = len(counts) * (BAR + GAP) - GAP
    rows = [
        [int(x % (BAR + GAP) < BAR and heights[x // (BAR + GAP)] >= HEIGHT - y) for x in range(width)]
        for y in range(HEIGHT)
    ]
    picture = io.BytesIO()
    png.Writer(width, HEIGHT, palette=_PALETTE, bitdepth=1, compression=9).write(picture, rows)
    return picture.getvalue()
