"""An SVG file to the lines that a browser would show of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from xml.etree.ElementTree import Element

import numpy as np

from lepbench.sketches.base import Fault, Unusable, frame_lines
from lepbench.sketches.vector.cascade import Style
from lepbench.sketches.vector.interpreter import Interpreter
from lepbench.sketches.vector.lengths import Viewport, parse_length, parse_numbers
from lepbench.sketches.vector.markup import parse_document
from lepbench.sketches.vector.paints import Paint, find_background
from lepbench.sketches.vector.raster import Raster
from lepbench.sketches.vector.shapes import Shape
from lepbench.sketches.vector.visible import visible_lines
from lepbench.strokes import Points, measure_extent

UNSIZED = Viewport(300, 150)
"""What lengths refer to where a document has no canvas; source: CSS 2, section 10.3.2."""
RESOLUTION = 1024
"""Pixels of the longer side at which it is judged what can be seen."""
MARGIN = 8
"""Pixels around a drawing that has no canvas."""


class VectorDrawing(NamedTuple):
    """The lines of a document: polylines in px of its canvas, of the size given.

    `unsupported` says how often something was met that is not drawn, or not as it should be.
    """

    strokes: tuple[Points, ...]
    width: float
    height: float
    unsupported: Mapping[str, int]


def read_drawing(content: bytes) -> VectorDrawing:
    """What an SVG file shows: lines, and the edges of areas, as far as they can be seen on white.

    The frame is the canvas; without a view box or a size it is the extent of the lines.

    Raises:
        Unusable: it is damaged, shows nothing, or is too large to draw.
    """
    try:
        return _read_document(parse_document(content))
    except RecursionError as error:
        raise Unusable(Fault.TOO_LARGE, "its styles are nested too deeply") from error


def _read_document(root: Element) -> VectorDrawing:
    interpreter = Interpreter(root)
    canvas = find_canvas(interpreter.styles[root])
    shapes = list(interpreter.draw_root(canvas or UNSIZED))
    background = find_background(interpreter.styles[root])
    lines = visible_lines(shapes, make_raster(shapes, canvas, background)) if shapes else []
    unsupported = dict(sorted((+interpreter.unsupported).items()))  # without those of no count
    if not lines:
        raise Unusable(Fault.EMPTY, _explain_emptiness(len(shapes), unsupported))
    if canvas is None:
        return VectorDrawing(*frame_lines(lines), unsupported)
    return VectorDrawing(tuple(lines), *canvas, unsupported)


def find_canvas(style: Style) -> Viewport | None:
    """The canvas of a root in px, by its size and view box; None where it has neither.

    Raises:
        Unusable: a side is not positive.
    """
    box = parse_numbers(style.get("viewBox"))
    sides = [parse_length(style.get(name), math.nan, math.nan) for name in ("width", "height")]
    known = [not math.isnan(side) for side in sides]
    if len(box) == 4 and not all(known):
        scale = next(
            (side / full for side, full in zip(sides, box[2:], strict=True) if side / (full or 1) > 0), 1
        )
        sides = [box[2] * scale, box[3] * scale]
    elif not all(known):
        return None
    if not all(0 < side < math.inf for side in sides):
        raise Unusable(Fault.DAMAGED, f"a canvas of {sides[0]:g} x {sides[1]:g}")
    return Viewport(*sides)


def make_raster(shapes: Sequence[Shape], canvas: Viewport | None, background: Paint | None = None) -> Raster:
    """Pixels for a canvas, or for the extent of shapes with a margin around it.

    Raises:
        Unusable: the extent is infinite.
    """
    raster = _cover_extent(shapes) if canvas is None else _cover_canvas(canvas)
    if background is not None:
        raster.fill_ground(background)
    return raster


def _cover_canvas(canvas: Viewport) -> Raster:
    scale = RESOLUTION / max(canvas)
    width, height = (max(math.ceil(side * scale), 1) for side in canvas)
    return Raster(width, height, np.zeros(2), scale)


def _cover_extent(shapes: Sequence[Shape]) -> Raster:
    low, high = measure_extent([line for shape in shapes for line in shape.lines])
    side = float((high - low).max()) or 1.0
    if not math.isfinite(side):
        raise Unusable(Fault.DAMAGED, "coordinates are too far apart")
    scale = RESOLUTION / side
    width, height = (math.ceil(extent * scale) + 2 * MARGIN for extent in (high - low).tolist())
    return Raster(width, height, low - MARGIN / scale, scale)


def _explain_emptiness(shapes: int, unsupported: Mapping[str, int]) -> str:
    parts = [f"{shapes} shapes are painted and none is seen"] if shapes else ["no shape is painted"]
    return ", ".join(parts + [f"{count} {name} not drawn" for name, count in unsupported.items()])
