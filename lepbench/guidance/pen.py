"""Thick pens and silhouettes, redrawn as the thin lines that edge maps have."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.morphology import thin

from lepbench.guidance.fit import fit_strokes

Strokes = NDArray[np.bool_]
Ink = NDArray[np.uint8]

WIDE_SHARE = 0.5
"""Share of the stroke pixels in wide parts from which a drawing is one of a thick pen."""
SOLID = 1 / 5
"""Width of a silhouette as a share of the shorter side; pens are narrower."""
COMPACT = 3
"""Area of a silhouette in squares of its width at most; that of a line is larger."""
FINEST = 8
"""Pixels of a drawing per pixel of the picture at which its middle lines are found at most."""


def fit_lines(strokes: Strokes, size: tuple[int, int], cell: int) -> Strokes | None:
    """Strokes bool [H, W] at `size`, redrawn with a pen of one pixel; None if they are thin already.

    Args:
        cell: pixels per latent along a side: the squares that lines of edge maps do not fill.
    """
    fitted = fit_strokes(strokes, size)
    if not find_wide_strokes(fitted, cell):
        return None
    scale = max(strokes.shape[0] / size[0], strokes.shape[1] / size[1])
    if scale > FINEST:
        strokes, scale = fit_strokes(strokes, (FINEST * size[0], FINEST * size[1])), FINEST
    elif scale < 1:
        strokes, scale = fitted, 1
    return fit_strokes(_dilate(thin_strokes(strokes), max(1, round(scale))), size)


def find_wide_strokes(strokes: Strokes, cell: int) -> bool:
    """Whether squares of `cell` px cover most of strokes bool [H, W]."""
    ink = _as_ink(strokes)
    wide = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((cell, cell), np.uint8))
    return int(wide.sum()) > WIDE_SHARE * int(ink.sum())


def thin_strokes(strokes: Strokes) -> Strokes:
    """The middle lines of strokes bool [H, W], or the outlines of silhouettes, one pixel wide."""
    ink = _as_ink(strokes)
    solid = find_silhouettes(ink)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    inside = cv2.erode(solid, cross, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return np.asarray(thin(ink > solid) | (solid > inside))


def find_silhouettes(ink: Ink) -> Ink:
    """The connected parts of 0/1 [H, W] that are compact and wider than any pen."""
    solid = np.zeros_like(ink)
    _, parts, boxes, _ = cv2.connectedComponentsWithStats(ink)
    depth, least = _measure_depth(ink), SOLID * min(ink.shape)
    sides = boxes[1:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].min(axis=1)
    for part in 1 + np.flatnonzero(sides > least):
        here = parts == part
        width = 2 * float(depth[here].max())
        if width > least and here.sum() < COMPACT * width**2:
            solid[here] = 1
    return solid


def measure_width(strokes: Strokes) -> float:
    """Diameter in px of the largest circle within strokes bool [H, W]."""
    return 2 * float(_measure_depth(_as_ink(strokes)).max())


def _measure_depth(ink: Ink) -> NDArray[np.float32]:
    """Distance of every inked pixel of 0/1 [H, W] to the nearest without ink, of which the border is one."""
    depth = cv2.distanceTransform(np.pad(ink, 1), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(depth[1:-1, 1:-1], np.float32)


def _dilate(strokes: Strokes, width: int) -> Strokes:
    pen = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    return np.asarray(cv2.dilate(_as_ink(strokes), pen) > 0)


def _as_ink(strokes: Strokes) -> Ink:
    """As bytes 0 and 1, whatever bytes stand for true: those of a bilevel picture are 255."""
    return np.where(strokes, 1, 0).astype(np.uint8)
