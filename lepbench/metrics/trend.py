"""The straight line through a curve."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def fit_slope(places: ArrayLike, values: ArrayLike) -> NDArray[np.float64]:
    """Slope of the least-squares line through points, each of the same weight.

    sum (x - mean x) y / sum (x - mean x)^2, which is linear in y: a resampled curve has a resampled slope.

    Args:
        places: x, [L], at least two different ones.
        values: y, [..., L].

    Returns:
        [...], in units of y for one of x.

    Raises:
        ValueError: fewer than two places differ, or there is not one value a place.
    """
    x, y = np.asarray(places, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or y.shape[-1:] != x.shape:
        raise ValueError(f"{x.shape} places but values of shape {y.shape}")
    centred = x - x.mean() if x.size else x
    if not centred.any():
        raise ValueError("a slope needs two places that differ")
    return np.asarray(y @ centred / (centred @ centred))
