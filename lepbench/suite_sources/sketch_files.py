"""A sketch's file at the size of a suite: an SVG document as numbered strokes, a raster image as ink."""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePosixPath
from typing import NamedTuple

from lepbench.data.corpus import Reason
from lepbench.data.picture import crop_centre
from lepbench.errors import LepbenchError
from lepbench.images import encode_png, open_as
from lepbench.sketches import Unusable
from lepbench.sketches.svg import SUFFIXES as VECTOR
from lepbench.strokes import CELL, crop_strokes, fit_strokes
from lepbench.suite_sources.drawings import draw_strokes
from lepbench.suites.freeze import ItemRow

DOUBTFUL = "doubtful ink"
"""A shadow, a table or a border that may have been read as strokes."""
Frame = tuple[int, int]
"""Width and height."""


class SketchFault(StrEnum):
    """Why a sketch does not go with its picture."""

    SHAPE = "sketch and picture differ in shape"


class SketchColumns(NamedTuple):
    """A sketch as a suite holds it: columns of its row, what is doubtful in it, and what was done to it."""

    columns: ItemRow
    unsupported: dict[str, int]
    changes: tuple[str, ...]


def fit_file(content: bytes, name: str, size: int, *, picture: Frame | None, thin: bool) -> SketchColumns:
    """A sketch at `size` px; of one with a picture the same square.

    Without a picture all of it is fitted in. With one a square sketch covers the picture's centre square, and
    one of the picture's proportions is cropped with it.

    Args:
        name: of its file.
        picture: width and height of the picture, px.
        thin: redraw thick strokes as thin lines.

    Raises:
        Unusable: it holds no strokes, cannot be read, or has other proportions than its picture.
    """
    if PurePosixPath(name).suffix.lower() in VECTOR:
        return _fit_vector(content, size, picture)
    return _fit_raster(content, name, size, picture=picture, thin=thin)


def _fit_vector(content: bytes, size: int, picture: Frame | None) -> SketchColumns:
    from lepbench.sketches.vector.reading import read_drawing

    drawing = read_drawing(content)
    width, height = drawing.width, drawing.height
    if picture is not None:
        check_shape((width, height), picture)
    placed = fit_strokes if picture is None else crop_strokes
    lines = placed(drawing.strokes, width, height, size)
    return SketchColumns(draw_strokes(lines, size), dict(drawing.unsupported), ())


def _fit_raster(content: bytes, name: str, size: int, *, picture: Frame | None, thin: bool) -> SketchColumns:
    # With torch's models, which no other source needs.
    from lepbench.guidance.ink import WHITE_ON_BLACK
    from lepbench.guidance.sketch import ON_TRANSPARENT, extract_strokes, fit_sketch
    from lepbench.guidance.transparency import lay_drawing

    try:
        sketch = extract_strokes(*open_as(lay_drawing, content, name), name=name)
    except LepbenchError as error:
        raise Unusable(Reason.NO_SKETCH, str(error)) from error
    height, width = sketch.strokes.shape
    if picture is not None:
        check_shape((width, height), picture)
        sketch = sketch._replace(strokes=crop_centre(sketch.strokes))
    fitted = fit_sketch(sketch, (size, size), CELL if thin else None)
    if not fitted.strokes.any():
        raise Unusable(Reason.NO_SKETCH, f"{name} holds no strokes in the picture's square")
    done = {
        "inverted": sketch.polarity == WHITE_ON_BLACK,
        "read from its opacity": sketch.polarity == ON_TRANSPARENT,
        "cropped": picture is not None and width != height,
        "resized": sketch.strokes.shape != (size, size),
        "thinned": fitted.thinned,
    }
    doubtful = {DOUBTFUL: 1} if sketch.notes else {}
    changes = tuple(change for change, was_done in done.items() if was_done)
    return SketchColumns({"sketch": encode_png(fitted.strokes)}, doubtful, changes)


def check_shape(sketch: tuple[float, float], picture: Frame) -> None:
    """Refuse a sketch that is neither square nor of its picture's proportions, to a pixel of the longer side.

    Raises:
        Unusable: it is.
    """
    (width, height), (wide, high) = sketch, picture
    same = abs(width * high - height * wide) <= max(width, height) + max(wide, high)
    if width != height and not same:
        raise Unusable(SketchFault.SHAPE, f"{width:g}x{height:g} and {wide}x{high}")
