"""The front of a trade-off between two figures, and the area that it dominates."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def find_front(points: ArrayLike) -> NDArray[np.bool_]:
    """Which points no other dominates: bool [N], true on the Pareto front.

    One point dominates another if it is at least as high in both figures and higher in one; equal points do
    not dominate each other.

    Args:
        points: [N, 2], higher is better in both.

    Raises:
        ValueError: they are not [N, 2], or one is NaN.
    """
    given = _as_points(points)
    first, second = given[:, None], given[None]
    dominates = (first >= second).all(axis=2) & (first > second).any(axis=2)
    return np.asarray(~dominates.any(axis=0))


def measure_dominated_area(points: ArrayLike, worst: tuple[float, float], best: tuple[float, float]) -> float:
    """The share of a box that a front dominates, in [0, 1]: the hypervolume indicator of two figures.

    A point dominates the rectangle between it and the corner `worst`. What lies beyond a side of the box
    counts as lying on it, so a point that is worse than `worst` in one figure adds nothing.

    Args:
        points: [N, 2]; none dominates nothing.
        worst: the corner that is measured from.
        best: the opposite corner; figures of which lower is better have their lower end here.

    Raises:
        ValueError: points are not [N, 2], one is NaN, or the box has no area.

    Source: Zitzler and Thiele, "Multiobjective evolutionary algorithms: a comparative case study and the
    strength Pareto approach", 1999, the size of the space covered.
    """
    low, high = (np.asarray(corner, dtype=np.float64) for corner in (worst, best))
    if not (np.isfinite(high - low) & (low != high)).all():
        raise ValueError(f"a box from {worst} to {best} has no area")
    inside = np.clip((_as_points(points) - low) / (high - low), 0, 1)
    ordered = inside[np.argsort(-inside[:, 0], kind="stable")]
    # From right to left the rectangles grow in height; each adds what is above those before it.
    heights = np.maximum.accumulate(ordered[:, 1])
    return float((ordered[:, 0] * np.diff(heights, prepend=0)).sum())


def _as_points(points: ArrayLike) -> Array:
    given = np.asarray(points, dtype=np.float64)
    if not given.size:
        return np.zeros((0, 2))
    if given.ndim != 2 or given.shape[1] != 2:
        raise ValueError(f"expected points [N, 2], got {given.shape}")
    if np.isnan(given).any():
        raise ValueError("a point is NaN")
    return given
