"""The BSDS boundary benchmark: soft edge maps against several human annotations."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lepbench.metrics.assignment import match_pixels
from lepbench.metrics.suppression import suppress_nonmaxima
from lepbench.metrics.thinning import thin

Counts = NDArray[np.int64]
Array = NDArray[np.float64]


class BoundaryCounts(NamedTuple):
    """Pixels at each threshold, int64 [K], or [N, K] for N images.

    A detection is matched if any annotation matches it; annotated pixels are summed over annotations.
    """

    matched_detected: Counts
    detected: Counts
    matched_annotated: Counts
    annotated: Counts


class Point(NamedTuple):
    """Where F1 is best: for the set at one threshold, or (threshold NaN) at each image's own."""

    threshold: float
    recall: float
    precision: float
    f1: float


class BoundaryScores(NamedTuple):
    """Scores of the benchmark: optimal dataset scale, optimal image scale, average precision."""

    ods: Point
    ois: Point
    ap: float
    images: int


def levels(count: int = 99) -> Array:
    """The thresholds k / (K + 1), k = 1..K."""
    return np.arange(1, count + 1) / (count + 1)


def boundary_counts(
    soft: NDArray,
    annotations: NDArray[np.bool_],
    thresholds: Array,
    max_dist: float = 0.0075,
    thinned: bool = True,
    nms: bool = False,
) -> BoundaryCounts:
    """Threshold, thin and match one image against each of its annotations.

    Args:
        soft: strength of the detected edges, [H, W] in [0, 1].
        annotations: bool [A, H, W], one map a person.
        thresholds: [K], rising; a pixel is detected where `soft` is at least the threshold.
        max_dist: largest distance of a match, in diagonals of the image.
        thinned: thin each thresholded map to lines one pixel wide first.
        nms: keep the local maxima of `soft` alone, before it is thresholded (`suppress_nonmaxima`).

    Raises:
        ValueError: shapes differ, annotations are not bool, or strengths are not in [0, 1].

    Source: Arbelaez, Maire, Fowlkes and Malik, "Contour detection and hierarchical image segmentation", 2011.
    Thinning is Guo and Hall's two-subiteration algorithm (1989, their A1), the one behind MATLAB's
    `bwmorph(..., 'thin', Inf)`; matching is exact where BSDS's adds random outlier edges.
    """
    _check_maps(soft, annotations)
    reach = max_dist * float(np.hypot(*soft.shape))
    soft = suppress_nonmaxima(soft) if nms else soft
    rows: list[tuple[int, int, int, int]] = []
    before = None
    for threshold in thresholds:
        detected = soft >= threshold
        # Maps have few distinct strengths, so most thresholds change nothing.
        if before is None or not np.array_equal(detected, before):
            row = _count(thin(detected) if thinned else detected, annotations, reach)
        rows.append(row)
        before = detected
    return BoundaryCounts(*np.array(rows, dtype=np.int64).reshape(-1, 4).T)


def _check_maps(soft: NDArray, annotations: NDArray) -> None:
    if annotations.ndim != 3 or annotations.shape[1:] != soft.shape:
        raise ValueError(f"edges {soft.shape} and annotations {annotations.shape} do not fit")
    if annotations.dtype != np.bool_:
        raise ValueError(f"expected bool annotations, got {annotations.dtype}")
    # Written so that NaN fails.
    if not (soft.min(initial=0) >= 0 and soft.max(initial=0) <= 1):
        raise ValueError("a soft map holds values outside [0, 1]")


def _count(
    detected: NDArray[np.bool_], annotations: NDArray[np.bool_], reach: float
) -> tuple[int, int, int, int]:
    hit = np.zeros_like(detected)
    found = 0
    for annotated in annotations:
        first, second = match_pixels(detected, annotated, reach)
        hit |= first
        found += int(second.sum())
    return int(hit.sum()), int(detected.sum()), found, int(annotations.sum())


def boundary_scores(counts: BoundaryCounts, thresholds: Array) -> BoundaryScores:
    """ODS, OIS and AP of a set of images.

    ODS is the best F1 of the summed counts, with precision and recall interpolated linearly between
    thresholds; OIS that of the counts summed over each image's own best threshold; AP the sum over
    R = 0, 0.01, .., 1 of the linearly interpolated precision at recall R, times 0.01, and 0 beyond the
    recalls that occur.

    Args:
        counts: int64 [N, K].
        thresholds: [K], rising.

    Raises:
        ValueError: there is no image.
    """
    if counts.detected.ndim != 2 or not len(counts.detected):
        raise ValueError(f"expected counts [N, K] of at least one image, got {counts.detected.shape}")
    precision, recall = _rates(BoundaryCounts(*(column.sum(axis=0) for column in counts)))
    best = _last_best(f1_of(*_rates(counts)))
    own = BoundaryCounts(*(np.take_along_axis(column, best, axis=1).sum() for column in counts))
    own_precision, own_recall = (float(rate) for rate in _rates(own))
    ois = Point(float("nan"), own_recall, own_precision, float(f1_of(own_precision, own_recall)))
    return BoundaryScores(
        _best_point(thresholds, precision, recall), ois, _area(precision, recall), len(counts.detected)
    )


def f1_of(precision: Array | float, recall: Array | float) -> Array:
    """Harmonic mean; 0 where both are 0."""
    total = np.asarray(precision) + np.asarray(recall)
    return np.asarray(2 * np.asarray(precision) * np.asarray(recall) / np.where(total > 0, total, 1.0))


def _rates(counts: BoundaryCounts) -> tuple[Array, Array]:
    """Precision and recall, 0 where nothing is counted."""
    return (
        counts.matched_detected / np.maximum(counts.detected, 1),
        counts.matched_annotated / np.maximum(counts.annotated, 1),
    )


def _last_best(f1: Array) -> NDArray[np.intp]:
    """The highest of each row's best thresholds, [N, 1]."""
    last = f1.shape[1] - 1
    return np.asarray(last - np.argmax(f1[:, ::-1], axis=1))[:, None]


def _best_point(thresholds: Array, precision: Array, recall: Array) -> Point:
    """The best F1 on the polyline through the points, evaluated at 100 points of each segment."""
    steps = np.arange(len(thresholds))
    fine = np.linspace(0, steps[-1], 99 * steps[-1] + 1)
    p, r, t = (np.interp(fine, steps, column) for column in (precision, recall, thresholds))
    at = int(np.argmax(f1_of(p, r)))
    return Point(float(t[at]), float(r[at]), float(p[at]), float(f1_of(p[at], r[at])))


def _area(precision: Array, recall: Array) -> float:
    known, first = np.unique(recall[::-1], return_index=True)
    if len(known) < 2:
        return 0.0
    grid = np.arange(101) / 100
    return float(np.interp(grid, known, precision[::-1][first], left=0.0, right=0.0).sum() * 0.01)
