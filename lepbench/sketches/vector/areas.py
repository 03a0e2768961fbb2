"""What contours cover in pixels: their inside by a fill rule, or a stroke along them."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from lepbench.strokes import Points

BITS = 6
"""Of a pixel's fraction, as OpenCV draws."""
FARTHEST = 1 << 17
"""Pixels from the canvas beyond which a corner is moved nearer: OpenCV's coordinates have 32 bits."""
BROADEST = 32767
"""Pixels of a stroke, at most; OpenCV draws none broader."""
FLAT = 1e-6
"""Extent in one direction, in shares of that in the other, below which a contour has no area."""
Mask = NDArray[np.bool_]
Size = tuple[int, int]
"""Rows and columns."""


class Area(NamedTuple):
    """Pixels of a canvas: which of those in a window, bool [h, w], are covered."""

    window: tuple[slice, slice]
    mask: Mask


def fill_area(lines: list[Points], size: Size, even_odd: bool) -> Area | None:
    """What closed contours fill, by either rule, and the pixels that they run through.

    The pixels on the canvas's own border are not reliable: OpenCV moves what is beyond them there.
    """
    lines = [line for line in lines if has_area(line)]
    window = _find_window(lines, size, margin=1)
    if window is None:
        return None
    if even_odd:
        return Area(window, _fill(lines, window) > 0)
    winding = np.zeros(size, np.int16)
    for line in lines:
        part = _find_window([line], size, margin=1)
        if part is not None:
            turns = count_turns(line, part)
            along = _fill([line], part) * np.int16(np.sign(signed_area(line)))
            winding[part] += np.where(turns == 0, along, turns)
    return Area(window, winding[window] != 0)


def count_turns(line: Points, window: tuple[slice, slice]) -> NDArray[np.int16]:
    """How often a contour, closed by a straight line, winds around the middle of each pixel, [h, w].

    Each side adds its direction, 1 up and -1 down, to the pixels right of it in rows whose middle it crosses.
    """
    height, width = _shape(window)
    start = line - np.array([window[1].start, window[0].start]) - 0.5
    end = np.roll(start, -1, axis=0)
    first, last = (np.ceil(side[:, 1]).clip(0, height).astype(np.int64) for side in (start, end))
    count = np.abs(last - first)
    side = np.repeat(np.arange(len(start)), count)
    nth = np.arange(len(side)) - np.repeat(count.cumsum() - count, count)
    row = np.minimum(first, last)[side] + nth
    slope = (end - start)[side]
    column = start[side, 0] + (row - start[side, 1]) * slope[:, 0] / slope[:, 1]
    turns = np.zeros((height, width + 1), np.int16)
    at = np.ceil(column).clip(0, width).astype(np.int64)
    np.add.at(turns, (row, at), np.sign(first - last)[side].astype(np.int16))
    return turns[:, :width].cumsum(axis=1, dtype=np.int16)


def stroke_area(lines: list[Points], size: Size, width: float) -> Area | None:
    """What a stroke of a width covers, a pixel at least, with round caps and joins."""
    window = _find_window(lines, size, margin=width / 2 + 1)
    if window is None:
        return None
    drawn = np.zeros(_shape(window), np.uint8)
    thickness = max(round(min(width, BROADEST)), 1)
    cv2.polylines(drawn, _shift_corners(lines, window), False, 1, thickness=thickness, shift=BITS)
    return Area(window, drawn > 0)


def signed_area(line: Points) -> float:
    """Of a contour, closed by a straight line; its sign is the way it winds."""
    x, y = line.T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def has_area(line: Points) -> bool:
    """Whether a contour's points are not all on one straight line."""
    extents = np.linalg.svd(line - line.mean(axis=0), compute_uv=False)
    return len(extents) > 1 and bool(extents[1] > FLAT * extents[0])


def _fill(lines: list[Points], window: tuple[slice, slice]) -> NDArray[np.int16]:
    filled = np.zeros(_shape(window), np.uint8)
    cv2.fillPoly(filled, _shift_corners(lines, window), 1, shift=BITS)
    return filled.astype(np.int16)


def _find_window(lines: list[Points], size: Size, margin: float) -> tuple[slice, slice] | None:
    """The part of the canvas around lines; None where they are outside it."""
    if not lines:
        return None
    corners = np.concatenate(lines)
    low = np.clip(np.floor(corners.min(axis=0) - margin), 0, size[::-1]).astype(int)
    high = np.clip(np.ceil(corners.max(axis=0) + margin) + 1, 0, size[::-1]).astype(int)
    return None if (low >= high).any() else (slice(low[1], high[1]), slice(low[0], high[0]))


def _shape(window: tuple[slice, slice]) -> Size:
    rows, columns = window
    return rows.stop - rows.start, columns.stop - columns.start


def _shift_corners(lines: list[Points], window: tuple[slice, slice]) -> list[NDArray[np.int32]]:
    """Corners as OpenCV has them: from the middle of the window's first pixel, in shares of a pixel."""
    corner = np.array([window[1].start, window[0].start]) + 0.5
    return [
        np.round(np.clip(line - corner, -FARTHEST, FARTHEST) * (1 << BITS)).astype(np.int32) for line in lines
    ]
