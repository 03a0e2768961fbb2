"""Recall of each stroke of a sketch, with equal weight for short strokes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from lepbench.metrics.edges import as_maps, within

FOUND = 0.5
"""Share of a stroke's pixels from which the stroke counts as found."""


class StrokeScores(NamedTuple):
    """Float64 in [0, 1], [B] each; NaN where a sample has no stroke.

    Attributes:
        recall: mean over strokes of the share of the stroke's pixels that are met.
        found: share of the strokes of which half or more is met.
    """

    recall: NDArray[np.float64]
    found: NDArray[np.float64]


def stroke_recall(predicted: Tensor, strokes: Tensor, tolerance: float = 1.0) -> StrokeScores:
    """How much of each stroke has a predicted pixel within a Euclidean distance, strokes weighing the same.

    Plain recall weights pixels: a short stroke, such as an eye or a mouth, has little effect. Both ignore
    edges away from the strokes.

    Args:
        predicted: bool [B, H, W].
        strokes: integer [B, H, W], 0 where there is none, k on the pixels of stroke k. Numbers may be left
            out; a stroke wholly covered by later ones has no pixel, and so is not asked for.
        tolerance: distance in pixels, 0 or more.

    Raises:
        ValueError: the maps differ in shape, are no bool and integer [B, H, W], or a number is negative.
    """
    maps, labels = as_maps(predicted), _as_labels(strokes)
    if maps.shape != labels.shape:
        raise ValueError(f"maps differ in shape: {maps.shape} and {labels.shape}")
    sample, row, column = np.nonzero(labels)
    # One number for each stroke of each sample, whatever gaps the labels have.
    numbers = sample * (int(labels.max(initial=0)) + 1) + labels[sample, row, column]
    _, first, stroke, pixels = np.unique(numbers, return_index=True, return_inverse=True, return_counts=True)
    met = np.bincount(stroke, weights=within(maps, tolerance)[sample, row, column], minlength=len(pixels))
    share, owner = met / pixels, sample[first]
    return StrokeScores(*(_mean_by(owner, values, len(maps)) for values in (share, share >= FOUND)))


def _mean_by(
    owner: NDArray[np.intp], values: NDArray[np.float64] | NDArray[np.bool_], samples: int
) -> NDArray[np.float64]:
    """Mean of the values of each sample, [samples]; NaN where it has none."""
    totals = np.bincount(owner, minlength=samples)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.bincount(owner, weights=values, minlength=samples) / totals)


def _as_labels(strokes: Tensor) -> NDArray[np.int64]:
    """Stroke numbers [B, H, W] as an array.

    Raises:
        ValueError: they are no integers of that rank, or one is negative.
    """
    labels = strokes.detach().cpu().numpy()
    if not np.issubdtype(labels.dtype, np.integer) or labels.ndim != 3:
        raise ValueError(f"expected integer [B, H, W], got {labels.dtype} {labels.shape}")
    if labels.min(initial=0) < 0:
        raise ValueError("a stroke's number is negative")
    return np.asarray(labels, dtype=np.int64)
