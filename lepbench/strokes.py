"""Strokes: polylines put into a square, drawn as one-pixel lines, and numbered in drawing order."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
"""A polyline, [N, 2] as (x, y) with y downwards; the centre of the top left pixel is (0.5, 0.5)."""
MARGIN = 1 / 16
"""Share of a square's side kept free on each side of a drawing that is fitted into it."""
CELL = 8
"""Px of a latent's cell, of nearly every model: strokes that fill cells are redrawn as thin lines."""
REACH = 1 / 16
"""How far around its stroke a weight holds, in sides of the picture: one cell of mini's latents."""
BITS = 8
"""Of a pixel's fraction, as OpenCV draws."""


def rasterise(lines: Sequence[Points], size: int) -> NDArray[np.bool_]:
    """Lines as one-pixel strokes on bool [size, size]."""
    return number_strokes(lines, size) > 0


def number_strokes(lines: Sequence[Points], size: int) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Lines on [size, size], each pixel the number, from 1, of the last stroke there; 0 where there is none.

    uint8 where the numbers fit, else uint16.

    Raises:
        ValueError: there are more strokes than uint16 can number.
    """
    if len(lines) > np.iinfo(np.uint16).max:
        raise ValueError(f"{len(lines)} strokes are too many to number")
    canvas = np.zeros((size, size), np.uint8 if len(lines) <= np.iinfo(np.uint8).max else np.uint16)
    for number, line in enumerate(lines, start=1):
        # A single point is drawn as a line to itself: OpenCV draws none of one corner.
        corners = line if len(line) > 1 else line.repeat(2, axis=0)
        fixed = np.round((corners - 0.5) * (1 << BITS)).astype(np.int32)
        cv2.polylines(canvas, [fixed], isClosed=False, color=number, thickness=1, shift=BITS)
    return canvas


def fit_strokes(lines: Sequence[Points], width: float, height: float, size: int) -> list[Points]:
    """A whole frame of `width` x `height` in the middle of a square, `MARGIN` free around its longer side."""
    scale = size * (1 - 2 * MARGIN) / max(width, height)
    return _placed(lines, width, height, size=size, scale=scale)


def crop_strokes(lines: Sequence[Points], width: float, height: float, size: int) -> list[Points]:
    """The centre square of a frame, as `images.square` cuts it out of a picture of that size."""
    return _placed(lines, width, height, size=size, scale=size / min(width, height))


def measure_extent(lines: Sequence[Points]) -> tuple[Points, Points]:
    """Smallest and largest x and y, [2] each."""
    corners = np.concatenate(lines)
    return corners.min(axis=0), corners.max(axis=0)


def find_surroundings(chosen: NDArray[np.bool_], strokes: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where strokes that are chosen are nearer than the others, and within `REACH`: bool [H, W].

    A line alone is too thin to weigh in a latent's cells: its weight holds there.

    Args:
        chosen: bool [H, W], true on the chosen ones.
        strokes: bool [H, W], true on all.
    """
    from scipy import ndimage

    others = strokes & ~chosen
    own = ndimage.distance_transform_edt(~chosen)
    near = own <= REACH * min(strokes.shape)
    # Without a line there is no distance to it.
    return np.asarray(near & (own < ndimage.distance_transform_edt(~others)) if others.any() else near)


def _placed(lines: Sequence[Points], width: float, height: float, size: int, scale: float) -> list[Points]:
    middle = np.array([width, height]) / 2
    return [(line - middle) * scale + size / 2 for line in lines]
