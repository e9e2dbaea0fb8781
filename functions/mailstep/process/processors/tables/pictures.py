"""Small pictures for a reply, as PNG: mail clients show those where they drop drawings of HTML and SVG."""

import io

import png

HEIGHT, BAR, GAP = 40, 8, 2
"""Pixels. A bar and the gap beside it repeat along the picture."""

# Nothing behind the bars, and a blue that can be seen on white and on black.
_PALETTE = [(0, 0, 0, 0), (64, 132, 214, 255)]


def bars(counts: tuple[int, ...]) -> bytes:
    """A bar for each count, the highest one of full height; a count that is not 0 is one pixel high at least."""
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
