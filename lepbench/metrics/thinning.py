"""Thinning of strokes to lines one pixel wide."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.bool_]
Bytes = NDArray[np.uint8]

PLACES = np.array([[128, 1, 2], [64, 0, 4], [32, 16, 8]], dtype=np.float32)
"""The bit of each neighbour in a pixel's code: clockwise from the one above."""


def thin(strokes: Map) -> Map:
    """Remove border pixels until only lines one pixel wide are left.

    A pixel is removed if its stroke stays connected and not shorter; the right and lower borders and the
    left and upper ones alternate. Outside the map there are no strokes.

    Args:
        strokes: bool [H, W].

    Source: Guo and Hall, "Parallel thinning with two-subiteration algorithms", 1989, their A1: the algorithm
    of `skimage.morphology.thin` and of MATLAB's `bwmorph(..., 'thin', Inf)`.
    """
    lines = strokes.astype(np.uint8)
    before, left = -1, cv2.countNonZero(lines)
    while left != before:
        for stays in STAYS:
            # What a pixel has around it is one byte, and whether it stays a matter of that byte.
            codes = cv2.filter2D(lines, -1, PLACES, borderType=cv2.BORDER_CONSTANT)
            lines &= cv2.LUT(codes, stays)
        before, left = left, cv2.countNonZero(lines)
    return lines.view(np.bool_)


def _stays() -> tuple[Bytes, Bytes]:
    """For each code, whether a pixel so surrounded stays in the first and in the second turn: 0 or 1."""
    p = [(np.arange(256) >> bit & 1).astype(bool) for bit in range(8)]  # above, then clockwise
    corners = range(0, 8, 2)
    crossings = sum((~p[i] & (p[i + 1] | p[(i + 2) % 8])).astype(int) for i in corners)
    pairs = [sum((p[i + turn] | p[(i + turn + 1) % 8]).astype(int) for i in corners) for turn in (0, 1)]
    fewer = np.minimum(*pairs)
    inside = (crossings != 1) | (fewer < 2) | (fewer > 3)
    first = (p[0] | p[1] | ~p[3]) & p[2]
    second = (p[4] | p[5] | ~p[7]) & p[6]
    return (inside | first).astype(np.uint8), (inside | second).astype(np.uint8)


STAYS = _stays()
