"""Intersection over union of masks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from lepbench.metrics.edges import Counts, as_pair, count


class MaskCounts(NamedTuple):
    """Pixels counted, int64 [B] each."""

    intersection: Counts
    union: Counts


def mask_counts(predicted: Tensor, target: Tensor) -> MaskCounts:
    """Count the pixels in both masks and in either.

    Args:
        predicted: bool [B, H, W].
        target: bool [B, H, W].

    Raises:
        ValueError: the masks differ in shape or are not bool [B, H, W].
    """
    first, second = as_pair(predicted, target)
    return MaskCounts(count(first & second), count(first | second))


def intersection_over_union(counts: MaskCounts) -> NDArray[np.float64]:
    """Overlap in [0, 1] of each pair of masks, float64 [B]; 1 where both are empty."""
    return np.where(counts.union == 0, 1.0, counts.intersection / np.maximum(counts.union, 1))


def mask_iou(predicted: Tensor, target: Tensor) -> NDArray[np.float64]:
    """`intersection_over_union` of masks, bool [B, H, W] each; errors are those of `mask_counts`."""
    return intersection_over_union(mask_counts(predicted, target))
