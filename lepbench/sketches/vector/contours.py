"""Outlines of SVG's shapes: elements to Bezier curves, and curves to polylines."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import svgelements

from lepbench.sketches.base import Fault, Unusable
from lepbench.sketches.vector.cascade import Style
from lepbench.sketches.vector.lengths import Affine, Viewport, parse_length, parse_numbers
from lepbench.strokes import Points

MOST = 1_000_000
"""Points of a drawing above which it is not drawn."""
SHAPES = ("path", "rect", "circle", "ellipse", "line", "polyline", "polygon")
BROKEN = (ValueError, TypeError, IndexError, AttributeError, OverflowError, ZeroDivisionError)
"""What svgelements raises on a path with an error; what comes before the error is drawn, as in browsers."""


Contour = list[Points]
"""One time that the pen is put down: Bezier curves by their control points, [2 to 4, 2] each."""


def trace_shape(tag: str, style: Style, viewport: Viewport) -> list[Contour]:
    """The contours of a shape in its own coordinates; none where it is not drawn."""
    path = svgelements.Path()
    with suppress(*BROKEN):
        if tag == "path":
            path.parse(style.get("d", ""))
        elif tag in ("polyline", "polygon"):
            path = _trace_polyline(parse_numbers(style.get("points")), closed=tag == "polygon")
        else:
            path = svgelements.Path(_basic_shape(tag, style, viewport))
    return list(_split(path))


def _trace_polyline(numbers: list[float], closed: bool) -> svgelements.Path:
    pairs = list(zip(numbers[::2], numbers[1::2], strict=False))
    return svgelements.Path(svgelements.Polygon(*pairs) if closed else svgelements.Polyline(*pairs))


def _basic_shape(tag: str, style: Style, viewport: Viewport) -> svgelements.Shape:
    """The shape that is made by lengths.

    Raises:
        ValueError: it has no size, and so is not drawn.
    """

    def across(name: str) -> float:
        return parse_length(style.get(name), viewport.width)

    def down(name: str) -> float:
        return parse_length(style.get(name), viewport.height)

    if tag == "line":
        return svgelements.SimpleLine(across("x1"), down("y1"), across("x2"), down("y2"))
    if tag == "rect":
        size, radii = (across("width"), down("height")), _radii(style, across("rx"), down("ry"))
        corner = (across("x"), down("y"))
        shape = svgelements.Rect(
            *corner, *size, *(min(r, side / 2) for r, side in zip(radii, size, strict=True))
        )
    else:
        radius = parse_length(style.get("r"), viewport.diagonal)
        size = (radius, radius) if tag == "circle" else _radii(style, across("rx"), down("ry"))
        shape = svgelements.Ellipse(across("cx"), down("cy"), *size)
    if not min(size) > 0:
        raise ValueError("no size")
    return shape


def _radii(style: Style, across: float, down: float) -> tuple[float, float]:
    """Both radii, of which one that is missing or automatic is the other."""
    given = [style.get(name, "auto") not in ("auto", "") for name in ("rx", "ry")]
    return (across if given[0] else down), (down if given[1] else across)


def _split(path: svgelements.Path) -> Iterator[Contour]:
    curves: Contour = []
    for segment in path:
        kind = type(segment).__name__
        if kind != "Move" and segment.start is not None and segment.end is not None:
            curves.extend(_controls(segment))
        if curves and kind in ("Move", "Close"):
            yield curves
            curves = []
    if curves:
        yield curves


def _controls(segment: Any) -> Iterator[Points]:
    """Control points of the Bezier curves that a segment is or is made of."""
    kind = type(segment).__name__
    if kind == "Arc" and segment.sweep:
        for curve in segment.as_cubic_curves():
            yield from _controls(curve)
        return
    names = {"CubicBezier": ("control1", "control2"), "QuadraticBezier": ("control",)}.get(kind, ())
    corners = [segment.start, *(getattr(segment, name) for name in names), segment.end]
    yield np.array([(corner.x, corner.y) for corner in corners], np.float64)


def flatten_contours(contours: Iterable[Contour], affine: Affine, flatness: float, most: int) -> list[Points]:
    """Contours as polylines, transformed, at most `most` points in all.

    Raises:
        Unusable: there are more, or a coordinate is not finite.
    """
    lines = []
    for contour in contours:
        pieces: list[Points] = []
        for corners in contour:
            piece = flatten_curve(transform(corners, affine), flatness, most)
            pieces.append(piece[1:] if pieces else piece)
            most -= len(piece)
        lines.append(np.concatenate(pieces))
    return lines


def close_line(line: Points) -> Points:
    """A line that ends where it began."""
    return line if (line[0] == line[-1]).all() else np.concatenate([line, line[:1]])


def transform(points: Points, affine: Affine) -> Points:
    """Points [N, 2] transformed."""
    # What becomes infinite is refused by whoever draws it.
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(points @ affine[:2, :2].T + affine[:2, 2])


def flatten_curve(corners: Points, flatness: float, most: int = MOST) -> Points:
    """A Bezier curve as points on it, so many that no chord is further from it than `flatness`.

    The number is Wang's bound from the second differences of the control points.

    Args:
        corners: its control points, [degree + 1, 2].

    Raises:
        Unusable: a number is not finite, or more than `most` points are needed.
    """
    if not np.isfinite(corners).all():
        raise Unusable(Fault.DAMAGED, "a coordinate is not finite")
    degree = len(corners) - 1
    if degree == 1:
        return corners
    # Differences of numbers that are nearly infinite are refused as what they are: too large.
    with np.errstate(over="ignore", invalid="ignore"):
        bends = np.hypot(*np.diff(corners, n=2, axis=0).T).max(initial=0)
        pieces = math.sqrt(degree * (degree - 1) / 8 * bends / flatness)
    if not pieces < most:
        raise Unusable(Fault.TOO_LARGE, f"more than {MOST} points")
    t = np.linspace(0, 1, max(math.ceil(pieces), 1) + 1)[:, None]
    weights = [math.comb(degree, k) * t**k * (1 - t) ** (degree - k) for k in range(degree + 1)]
    return np.asarray(np.concatenate(weights, axis=1) @ corners)
