"""A sketch in a file, raster or SVG, as strokes at the size of the pictures that were drawn from it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lepbench.errors import LepbenchError
from lepbench.images import SUFFIXES
from lepbench.sketches.base import Unusable, read_file
from lepbench.sketches.svg import SUFFIXES as VECTOR
from lepbench.sketches.svg import check_libraries
from lepbench.strokes import CELL, Points, number_strokes

SKETCHES = SUFFIXES | set(VECTOR)
"""Endings of files that are read as sketches."""
LINES = "lines of an SVG document"
"""Polarity of a sketch without one."""
Size = tuple[int, int]
"""Height and width, px."""


class FittedSketch(NamedTuple):
    """A sketch at the size of a picture.

    Attributes:
        strokes: bool [H, W], true on a stroke.
        numbers: of the stroke on each pixel, [H, W], 0 where none is; None of a raster, whose strokes are not
            known apart.
        polarity: as it was found.
        thinned: whether the strokes of a thick pen were redrawn as thin lines.
        notes: what makes its reading doubtful, a line each.
    """

    strokes: NDArray[np.bool_]
    numbers: NDArray[np.int64] | None
    polarity: str
    thinned: bool = False
    notes: tuple[str, ...] = ()


def read_sketch_at(path: Path, size: Size, *, thin: bool = True) -> FittedSketch:
    """A sketch, centred in the proportions of a picture and scaled to its size, as `lepbench sample` does it.

    Args:
        thin: redraw strokes that are as wide as a latent's cell as thin lines.

    Raises:
        LepbenchError: it cannot be read, or holds no strokes.
    """
    if path.suffix.lower() in VECTOR:
        return _read_vector(path, size)
    # With torch's models, which an SVG document does not need.
    from lepbench.guidance.sketch import read_sketch

    found = read_sketch(path, size, resize=True, cell=CELL if thin else None)
    return FittedSketch(found.strokes, None, found.polarity, thinned=found.thinned, notes=found.notes)


def _read_vector(path: Path, size: Size) -> FittedSketch:
    check_libraries()
    from lepbench.sketches.vector.reading import read_drawing

    try:
        drawing = read_drawing(read_file(path))
    except Unusable as error:
        raise LepbenchError(f"{path} cannot be read as a sketch: {error}", "replace the file") from error
    numbers = _number_within(place_strokes(drawing.strokes, (drawing.width, drawing.height), size), size)
    notes = tuple(
        f"{path}: {count} {part} not drawn, or not as it should be"
        for part, count in drawing.unsupported.items()
    )
    return FittedSketch(numbers > 0, numbers, LINES, notes=notes)


def place_strokes(lines: tuple[Points, ...], frame: tuple[float, float], size: Size) -> list[Points]:
    """The whole frame (width, height) of a drawing, as large as fits, in the middle of a picture."""
    (width, height), (tall, wide) = frame, size
    scale = min(wide / width, tall / height)
    return [(line - (width / 2, height / 2)) * scale + (wide / 2, tall / 2) for line in lines]


def _number_within(lines: list[Points], size: Size) -> NDArray[np.int64]:
    """Numbers of strokes on [H, W], of a canvas that is square."""
    return number_strokes(lines, max(size))[: size[0], : size[1]].astype(np.int64)
