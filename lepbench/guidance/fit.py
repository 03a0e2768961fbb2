"""Bring strokes and their weights to another size, in the middle of its aspect ratio."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def fit_strokes(strokes: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Bring strokes bool [H, W] to `size` without losing one.

    The drawing is padded to the aspect ratio of `size`, then scaled: a pixel of the result is a stroke
    if any part of it was one, so that thin lines survive any reduction.
    """
    padded = np.pad(strokes, _margins((strokes.shape[0], strokes.shape[1]), size))
    return _any_along(_any_along(padded, size[0], 0), size[1], 1)


def fit_weights(weights: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Bring weights float [H, W] to `size` as their sketch, by averages, continued beyond their border."""
    padded = np.pad(weights, _margins((weights.shape[0], weights.shape[1]), size), mode="edge")
    return np.asarray(cv2.resize(padded, size[::-1], interpolation=cv2.INTER_AREA), np.float32)


def _margins(given: tuple[int, int], wanted: tuple[int, int]) -> list[tuple[int, int]]:
    """Padding above, below, left and right that centres a map in the aspect ratio of `size`."""
    height, width = given
    tall = max(height, -(-width * wanted[0] // wanted[1]))
    wide = max(width, -(-height * wanted[1] // wanted[0]))
    top, left = (tall - height) // 2, (wide - width) // 2
    return [(top, tall - height - top), (left, wide - width - left)]


def _any_along(strokes: NDArray[np.bool_], count: int, axis: int) -> NDArray[np.bool_]:
    """Pool an axis to `count` cells, each true if any pixel it touches is."""
    length = strokes.shape[axis]
    starts = np.arange(count) * length // count
    ends = np.maximum(-(-(np.arange(count) + 1) * length // count), starts + 1)
    # With cumulative sums the count in any window is a difference of two.
    sums = np.insert(np.cumsum(strokes, axis=axis, dtype=np.int64), 0, 0, axis=axis)
    return np.asarray(sums.take(ends, axis=axis) > sums.take(starts, axis=axis))
