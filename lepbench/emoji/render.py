"""Emoji as pixels and as lines, in one frame: all sets at one size, and lines where the picture has them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lepbench.images import Pixels, open_rgb
from lepbench.sketches.base import Drawing
from lepbench.sketches.openmoji import Emoji, describe_file, read_lines, render_picture
from lepbench.strokes import Points

MARGIN = 3 / 64
"""Share of a side kept free on each side: some sets draw up to the rim, where no edge would be found."""


def render_emoji(document: bytes, size: int) -> Pixels:
    """An SVG document as a picture on white, uint8 [size, size, 3].

    Raises:
        lepbench.sketches.Unusable: it cannot be drawn.
    """
    free = round(size * MARGIN)
    canvas = np.full((size, size, 3), 255, np.uint8)
    inner = slice(free, size - free)
    canvas[inner, inner] = np.asarray(open_rgb(render_picture(document, size - 2 * free)))
    return canvas


def read_openmoji_lines(file: Path, size: int) -> list[Points]:
    """The line drawing in a file of OpenMoji, where `render_emoji` puts the picture.

    Raises:
        lepbench.sketches.Unusable: it has none.
    """
    return place_lines(read_lines(Emoji(file, describe_file(file)), file.read_bytes()), size)


def place_lines(drawing: Drawing, size: int) -> list[Points]:
    """The strokes of a drawing in the frame of `render_emoji`, in px."""
    free = round(size * MARGIN)
    scale = (size - 2 * free) / max(drawing.width, drawing.height)
    return [line * scale + free for line in drawing.strokes]
