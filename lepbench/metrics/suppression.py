"""Non-maximum suppression of soft edge maps along the normal of each edge."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve1d, map_coordinates

Array = NDArray[np.float64]

SMOOTHING = 1
"""Radius of the triangle filter that is applied to the map first, px."""
ORIENTATION = 4
"""Radius of the triangle filter under the orientation, px."""


def suppress_nonmaxima(soft: NDArray, radius: int = 1, margin: int = 5, factor: float = 1.01) -> Array:
    """Keep the strength of a smoothed soft edge map only where no neighbour across the edge is stronger.

    Args:
        soft: strength of the edges, [H, W] in [0, 1].
        radius: a pixel is compared with the points at 1 to `radius` px on both sides of the edge.
        margin: strengths fall linearly to 0 over this many pixels at the border.
        factor: a pixel stays if `factor` times its strength is not below that of any neighbour.

    Returns:
        float64 [H, W] in [0, 1].

    Source: Dollár and Zitnick, "Fast edge detection using structured forests", PAMI 2015: the steps that
    their toolbox takes after the forest, which evaluations of HED and PiDiNet take over with these defaults.
    """
    smooth = filter_triangle(np.asarray(soft, np.float64), SMOOTHING)
    if min(smooth.shape, default=0) < 2:
        return smooth
    orientation = estimate_orientation(smooth)
    rows, columns = np.indices(smooth.shape)
    stays = np.ones(smooth.shape, np.bool_)
    for step in (d for d in range(-radius, radius + 1) if d):
        beside = [rows + step * np.sin(orientation), columns + step * np.cos(orientation)]
        # Points outside take the strength of the nearest pixel inside.
        stays &= factor * smooth >= map_coordinates(smooth, beside, order=1, mode="nearest")
    return np.where(stays, smooth, 0.0) * _fade(smooth.shape, margin)


def filter_triangle(image: Array, radius: int) -> Array:
    """Convolve [H, W] with the separable 1, 2, .., radius + 1, .., 2, 1 of sum 1; borders are mirrored."""
    rise = np.arange(1, radius + 2, dtype=np.float64)
    weights = np.concatenate([rise, rise[-2::-1]]) / (radius + 1) ** 2
    return np.asarray(convolve1d(convolve1d(image, weights, axis=0), weights, axis=1))


def estimate_orientation(soft: Array) -> Array:
    """Angle of the normal of the edges, [H, W] in [0, pi), from second differences after more smoothing."""
    dy, dx = np.gradient(filter_triangle(soft, ORIENTATION))
    dxx = np.gradient(dx, axis=1)
    dyy, dxy = np.gradient(dy)
    angle = np.arctan(dyy * np.sign(-dxy) / (dxx + 1e-5))
    return np.asarray(np.mod(angle, np.pi))


def _fade(shape: tuple[int, ...], margin: int) -> Array:
    """Factors of a map, [H, W]: from 0 at the border to 1 at `margin` px, row and column multiplied."""
    margin = min(margin, *(side // 2 for side in shape))
    sides = [np.minimum(np.arange(side), np.arange(side)[::-1]) for side in shape]
    rows, columns = (np.minimum(side / max(margin, 1), 1.0) for side in sides)
    return np.asarray(np.outer(rows, columns))
