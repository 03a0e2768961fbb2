"""Read a user's sketch as strokes: any image file, either polarity, any pen, at the model's size."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lepbench.errors import LepbenchError
from lepbench.guidance.fit import fit_strokes
from lepbench.guidance.ink import LEAST_CONTRAST, separate_ink
from lepbench.guidance.pen import fit_lines, measure_width
from lepbench.guidance.transparency import lay_drawing
from lepbench.images import Pixels, format_size, open_as

ON_TRANSPARENT = "ink on transparent"

MOST_INK = 0.25
"""Share of a drawing that lines cover at most."""
WIDEST = 1 / 5
"""Width of a line at most, as a share of the shorter side."""


class Sketch(NamedTuple):
    """A drawing as it was read.

    Attributes:
        strokes: bool [H, W], true on a stroke.
        polarity: of the drawing.
        thinned: whether the strokes of a thick pen were redrawn as thin lines.
        notes: what makes its reading doubtful, a line each.
    """

    strokes: NDArray[np.bool_]
    polarity: str
    thinned: bool = False
    notes: tuple[str, ...] = ()


def read_sketch(
    path: Path, size: tuple[int, int] | None = None, resize: bool = False, cell: int | None = None
) -> Sketch:
    """Read a drawing in any image format, black on white or white on black.

    Args:
        size: `(height, width)` the drawing must have; None takes any.
        resize: fit a drawing of another size: padded to the right aspect ratio, then scaled so that
            every stroke keeps at least a pixel (`fit_strokes`).
        cell: redraw strokes so wide that they cover squares of `cell` px as thin lines (`fit_lines`); None
            keeps their width.

    Raises:
        LepbenchError: no image, no strokes, or another size and `resize` is off.
    """
    sketch = extract_strokes(*open_as(lay_drawing, path), name=str(path))
    if size is None:
        return sketch
    if sketch.strokes.shape != size and not resize:
        raise LepbenchError(
            f"{path} is {format_size(sketch.strokes.shape)} px and the model draws {format_size(size)} px",
            "redraw it at that size or pass --resize",
        )
    return fit_sketch(sketch, size, cell)


def read_image(image: Image.Image) -> Sketch:
    """Read a drawing from a PIL image of any mode; see `extract_strokes`."""
    return extract_strokes(*lay_drawing(image))


def extract_strokes(picture: Pixels, transparent: bool = False, name: str = "the sketch") -> Sketch:
    """Strokes, polarity and notes of a drawing uint8 [H, W] or [H, W, 3].

    Args:
        transparent: its ground is a transparent one.

    Raises:
        LepbenchError: no lines stand out from the ground; the message calls it `name`.
    """
    colours = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=-1)
    if int(np.ptp(colours, axis=(0, 1)).max()) < LEAST_CONTRAST:
        raise LepbenchError(
            f"{name} holds no strokes: all its pixels are alike", "draw dark on light or light on dark"
        )
    strokes, polarity = separate_ink(colours)
    if not strokes.any():
        raise LepbenchError(
            f"{name} holds no strokes: no line stands out from its ground", "draw darker, or on even ground"
        )
    return Sketch(strokes, ON_TRANSPARENT if transparent else polarity, notes=describe_doubts(strokes, name))


def describe_doubts(strokes: NDArray[np.bool_], name: str) -> tuple[str, ...]:
    """Why strokes bool [H, W] may be a shadow or a table and no lines: a note, or none."""
    share, width = float(strokes.mean()), measure_width(strokes)
    if share <= MOST_INK and width <= WIDEST * min(strokes.shape):
        return ()
    found = f"{name}: {share:.0%} of it is read as ink, one stroke is {width:.0f} px wide"
    return (f"{found}; crop or light it evenly if that is a shadow, a table or a border",)


def fit_sketch(sketch: Sketch, size: tuple[int, int], cell: int | None) -> Sketch:
    """A sketch at `size`; strokes that cover squares of `cell` px there become thin lines."""
    lines = None if cell is None else fit_lines(sketch.strokes, size, cell)
    strokes = fit_strokes(sketch.strokes, size) if lines is None else lines
    return sketch._replace(strokes=strokes, thinned=lines is not None)
