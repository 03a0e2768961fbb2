"""resvg's rendering of a document, and how far a sketch is from it."""

from __future__ import annotations

import io

import numpy as np
import resvg_py
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from lepbench.sketches.vector.reading import read_drawing
from lepbench.strokes import rasterise

SIDE = 512
STEP = 24
"""Difference of a channel between neighbours from which there is an edge."""


def render(text: str) -> NDArray[np.int16]:
    """The document on white, [H, W, 3], its longer side being `SIDE`."""
    drawing = read_drawing(text.encode())
    scale = SIDE / max(drawing.width, drawing.height)
    return render_size(text, round(drawing.width * scale), round(drawing.height * scale))


def render_size(text: str, width: int = SIDE, height: int = SIDE) -> NDArray[np.int16]:
    """The document on white at a size."""
    png = resvg_py.svg_to_bytes(svg_string=text, width=width, height=height, dpi=96)
    with Image.open(io.BytesIO(bytes(png))) as image:
        page = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    return np.asarray(page.convert("RGB"), np.int16)


def edges_of(pixels: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Pixels that differ from a neighbour, the page around a canvas of several colours being white."""
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    height, width, _ = pixels.shape
    page = np.full((height + 2, width + 2, 3), border[0] if (border == border[0]).all() else 255, np.int16)
    page[1:-1, 1:-1] = pixels
    down = (np.abs(np.diff(page, axis=0)).max(axis=2) > STEP)[:, 1:-1]
    across = (np.abs(np.diff(page, axis=1)).max(axis=2) > STEP)[1:-1]
    return np.asarray(down[1:] | down[:-1] | across[:, 1:] | across[:, :-1])


def sketch_of(text: str) -> NDArray[np.bool_]:
    """The strokes at the same size, one pixel wide."""
    drawing = read_drawing(text.encode())
    scale = SIDE / max(drawing.width, drawing.height)
    # A line on the lower or right border is on the last pixels.
    canvas = rasterise([line * scale * (1 - 1 / SIDE) for line in drawing.strokes], SIDE)
    return canvas[: round(drawing.height * scale), : round(drawing.width * scale)]


def distance_to(pixels: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Of every pixel to the nearest that is set."""
    if not pixels.any():
        return np.full(pixels.shape, np.inf)
    return np.asarray(ndimage.distance_transform_edt(~pixels))
