"""Files of drawings as strokes of the page: SVG by its lines, pictures by the middle of theirs."""

from __future__ import annotations

from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from lepbench.drawing.drawing import PenStroke
from lepbench.errors import LepbenchError
from lepbench.guidance.sketch import extract_strokes, fit_sketch
from lepbench.guidance.transparency import lay_drawing
from lepbench.images import open_as
from lepbench.sketches import Unusable
from lepbench.sketches.svg import SUFFIXES, check_libraries
from lepbench.strokes import Points

GRID = 256
"""Side in px at which the lines of a picture are found."""
COARSE = 0.75
"""Px of that side by which a corner may be moved."""
MOST = 1_000
"""Strokes that are taken of a file."""


def read_strokes(content: bytes, name: str) -> list[PenStroke]:
    """The lines of a file, fitted into the page's square.

    Args:
        name: of the file, whose ending says what it is.

    Raises:
        LepbenchError: it cannot be read, or holds no lines or too many.
    """
    if PurePosixPath(name).suffix.lower() in SUFFIXES:
        lines = _read_vector(content, name)
    else:
        sketch = extract_strokes(*open_as(lay_drawing, content, name), name=name)
        fitted = fit_sketch(sketch, (GRID, GRID), None).strokes
        lines = [(line + 0.5) / GRID for line in trace_lines(thin_lines(fitted))]
    if len(lines) > MOST:
        raise LepbenchError(f"{name} has {len(lines)} lines, more than {MOST}", "give a simpler drawing")
    return [
        PenStroke(points=tuple((*point, 0.5) for point in simplify_line(line).tolist())) for line in lines
    ]


def _read_vector(content: bytes, name: str) -> list[Points]:
    """The lines of an SVG in a unit square."""
    from lepbench.sketches.vector.reading import read_drawing

    check_libraries()
    try:
        found = read_drawing(content)
    except Unusable as error:
        raise LepbenchError(f"{name} shows no lines: {error}", "give another drawing") from error
    # The whole frame, so that a drawing that was exported comes back to its place.
    frame, side = np.array([found.width, found.height]), max(found.width, found.height)
    return [(line - frame / 2) / side + 0.5 for line in found.strokes]


def thin_lines(strokes: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Strokes bool [H, W] thinned to one pixel."""
    from skimage.morphology import skeletonize

    # Zhang and Suen's method shortens slanted lines of two pixels.
    return np.asarray(skeletonize(strokes, method="lee"), np.bool_)


def trace_lines(lines: NDArray[np.bool_]) -> list[Points]:
    """Lines of one pixel, bool [H, W], as polylines (x, y) of pixels, from one end or fork to the next."""
    from scipy import ndimage

    around = ndimage.convolve(lines.astype(np.uint8), np.ones((3, 3), np.uint8), mode="constant") - 1
    forks = lines & (around > 2)
    parts, count = ndimage.label(lines & ~forks, np.ones((3, 3)))
    found = []
    for number in range(1, count + 1):
        line = order_pixels(np.argwhere(parts == number))
        ends = [_find_fork(line[0], forks), line, _find_fork(line[-1], forks)]
        found.append(np.concatenate(ends)[:, ::-1].astype(np.float64))
    return found


def order_pixels(pixels: NDArray[np.int64]) -> NDArray[np.int64]:
    """The pixels [N, 2] of a line without forks, from one end to the other, or once round."""
    away = np.abs(pixels[:, None] - pixels[None]).max(-1)
    start = int(np.argmin((away == 1).sum(1)))
    order, left = [start], set(range(len(pixels))) - {start}
    while left:
        order.append(min(left, key=lambda one: (away[order[-1], one], one)))
        left.remove(order[-1])
    return pixels[order]


def _find_fork(end: NDArray[np.int64], forks: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The fork beside the end of a line, [1, 2], or none, [0, 2]."""
    found = [
        place
        for place in end + np.argwhere(np.ones((3, 3))) - 1
        if (place >= 0).all() and (place < forks.shape).all() and forks[tuple(place)]
    ]
    return np.array(found[:1], np.int64).reshape(-1, 2)


def simplify_line(line: Points) -> Points:
    """A line of the unit square without the corners that change it by less than `COARSE`.

    Source: Douglas and Peucker, 1973, as in `cv2.approxPolyDP`.
    """
    import cv2

    kept = cv2.approxPolyDP((line * GRID).astype(np.float32)[:, None], COARSE, closed=False)
    return np.asarray(kept[:, 0], np.float64) / GRID
