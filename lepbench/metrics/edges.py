"""Edge precision, recall and F1 within a distance in pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Counts = NDArray[np.int64]
Scores = NDArray[np.float64]


class EdgeCounts(NamedTuple):
    """Pixels, int64 [B, T] each: a row a sample, a column a tolerance. Sum over rows to pool samples."""

    matched_predicted: Counts
    predicted: Counts
    matched_target: Counts
    target: Counts


class EdgeScores(NamedTuple):
    """Precision, recall and F1, float64 in [0, 1], of the shape of the counts."""

    precision: Scores
    recall: Scores
    f1: Scores


def edge_counts(
    predicted: Tensor, target: Tensor, tolerances: Sequence[float] = (0.0, 1.0, 2.0)
) -> EdgeCounts:
    """Count the pixels of each map with a pixel of the other within each Euclidean distance.

    Distances are between pixel centres and exact. Several pixels may match the same one: this is the distance
    criterion, not the one-to-one assignment of the BSDS benchmark.

    Args:
        predicted: bool [B, H, W].
        target: bool [B, H, W].
        tolerances: distances in pixels, 0 or more.

    Raises:
        ValueError: the maps differ in shape or are not bool [B, H, W].
    """
    first, second = as_pair(predicted, target)
    totals = [np.repeat(count(m)[:, None], len(tolerances), axis=1) for m in (first, second)]
    matched = [
        np.stack([count(a & within(b, tolerance)) for tolerance in tolerances], axis=1)
        for a, b in ((first, second), (second, first))
    ]
    return EdgeCounts(matched[0], totals[0], matched[1], totals[1])


def precision_recall_f1(counts: EdgeCounts) -> EdgeScores:
    """Precision, recall and their harmonic mean; 1 where both maps are empty, 0 where only one is."""
    both_empty = (counts.predicted == 0) & (counts.target == 0)
    precision = np.where(both_empty, 1.0, counts.matched_predicted / np.maximum(counts.predicted, 1))
    recall = np.where(both_empty, 1.0, counts.matched_target / np.maximum(counts.target, 1))
    total = precision + recall
    return EdgeScores(precision, recall, 2 * precision * recall / np.where(total > 0, total, 1.0))


def within(maps: NDArray[np.bool_], distance: float) -> NDArray[np.bool_]:
    """Where a true pixel of the same map lies within a Euclidean distance: bool [B, H, W] to the same.

    A dilation by the disc of that radius: integer arithmetic, so exact, and at the few pixels of a tolerance
    faster than a distance transform.

    Raises:
        ValueError: the distance is negative or not finite.
    """
    reach = int(check_tolerance(distance))
    if reach == 0:
        return maps
    y, x = np.ogrid[-reach : reach + 1, -reach : reach + 1]
    disc = (y * y + x * x <= distance * distance).astype(np.uint8)
    near = np.empty(maps.shape, dtype=np.bool_)
    for one, out in zip(np.ascontiguousarray(maps), near, strict=True):
        cv2.dilate(one.view(np.uint8), disc, dst=out.view(np.uint8))
    return near


def check_tolerance(distance: float) -> float:
    """The same distance.

    Raises:
        ValueError: it is negative or not finite.
    """
    if not 0 <= distance < math.inf:
        raise ValueError(f"a tolerance of {distance} px; give 0 or more")
    return distance


def count(maps: NDArray[np.bool_]) -> Counts:
    """True pixels of each map, int64 [B]."""
    return np.array([np.count_nonzero(one) for one in maps], dtype=np.int64)


def diagonal(shape: Sequence[int]) -> float:
    """Length in pixels of the diagonal of a map [..., H, W]: hypot(H, W)."""
    return math.hypot(*shape[-2:])


def pixels_of(share: float, shape: Sequence[int]) -> float:
    """A distance given as a share of the diagonal of a map [..., H, W], in pixels.

    The BSDS benchmark's tolerance is 0.0075 diagonals: 4.3 px at 481 x 321, 0.68 px at 64 x 64.
    """
    return share * diagonal(shape)


def share_of(pixels: float, shape: Sequence[int]) -> float:
    """A distance in pixels as a share of the diagonal of a map [..., H, W]: `pixels_of` undone."""
    return pixels / diagonal(shape)


def as_pair(predicted: Tensor, target: Tensor) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Two stacks of maps of one shape as arrays.

    Raises:
        ValueError: they differ in shape or are not bool [B, H, W].
    """
    first, second = as_maps(predicted), as_maps(target)
    if first.shape != second.shape:
        raise ValueError(f"maps differ in shape: {first.shape} and {second.shape}")
    return first, second


def as_maps(maps: Tensor) -> NDArray[np.bool_]:
    """A bool tensor [B, H, W] as an array.

    Raises:
        ValueError: it is of another type or rank.
    """
    if not isinstance(maps, Tensor):
        raise ValueError(
            f"expected a bool tensor [B, H, W], got {type(maps).__name__}; write torch.tensor(...)"
        )
    array: NDArray[np.bool_] = maps.detach().cpu().numpy()
    if array.dtype != np.bool_ or array.ndim != 3:
        fix = "; write maps[None]" if array.ndim == 2 and array.dtype == np.bool_ else ""
        raise ValueError(f"expected bool [B, H, W], got {array.dtype} {array.shape}{fix}")
    return array
