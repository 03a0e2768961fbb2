"""Density and coverage: fidelity and diversity by the nearest neighbours of the real set."""

from __future__ import annotations

from collections.abc import Iterator
from math import comb
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lepbench.metrics.features import Features, as_matrix
from lepbench.metrics.kid import Array, Report, ignore_report, item_index
from lepbench.metrics.statistics import Draws, bootstrap

NEIGHBOURS = 5
"""The paper's k."""
BLOCK = 1024
"""Features of each set that are compared at once, which bounds the memory."""
SLACK = 1e-10
"""Relative to the largest squared length: what float64 may round squared distances by, with room to spare."""


class Neighbourhoods(NamedTuple):
    """The real set with a ball around each feature, to score several sets against it.

    Attributes:
        features: float64 [M, D], less their mean.
        mean: what was subtracted, [D].
        radii: squared distance of each feature to its k-th nearest other one, less the rounding error: [M].
        k: how many neighbours.
    """

    features: Array
    mean: Array
    radii: Array
    k: int


def reference(real: Features, k: int = NEIGHBOURS, report: Report = ignore_report) -> Neighbourhoods:
    """Prepare the real set [M, D], more than k features.

    Args:
        k: how many neighbours, 1 or more.
        report: called as the comparison of the set with itself goes on.

    Raises:
        ValueError: there are too few features, or one is not finite.
    """
    matrix = as_matrix(real)
    if not 1 <= k < len(matrix):
        raise ValueError(f"{k} nearest neighbours need more than {k} real features, not {len(matrix)}")
    mean = matrix.mean(axis=0)
    # Without the mean, which is often far longer than what features differ by, less is lost to rounding.
    centred = matrix - mean
    slack = SLACK * float((centred**2).sum(axis=1).max())
    radii = np.concatenate([_kth_nearest(centred, rows, k, report) for rows in _blocks(len(centred))])
    return Neighbourhoods(centred, mean, radii - slack, k)


def density(x: Features, y: Features | Neighbourhoods, report: Report = ignore_report) -> Array:
    """How densely real features lie around each generated one: [N], 0 or more. The density is their mean.

    The number of real features whose ball, that of radius the distance to its k-th nearest other real
    feature, holds the generated one, over k. It is 1 in expectation where the distributions agree, and more
    where the generated features keep to the crowded parts of the real set. As it is a mean over samples, its
    interval is the bootstrap's. A feature on the border of a ball is outside, as in the authors' code.

    Args:
        x: generated features [N, D].
        y: real features [M, D], or what `reference` made of them.
        report: called as the comparison goes on.

    Raises:
        ValueError: lengths of features differ, a feature is not finite, or y is too small.

    Source: Naeem et al., "Reliable fidelity and diversity metrics for generative models", ICML 2020, equation
    6, with k = 5.
    """
    matrix, known = _pair(x, y)
    held = np.zeros(len(matrix))
    for inside in _compare(matrix, known, report):
        held += inside.sum(axis=0)
    return held / known.k


def coverage(x: Features, y: Features | Neighbourhoods, report: Report = ignore_report) -> float:
    """Share of the real features whose ball holds a generated one, in [0, 1].

    It grows with the number N of generated features and falls with the number M of real ones: compare figures
    of equal N and M only, and with `expect_coverage`, what a generator without fault reaches.

    Args, Raises: as `density`.

    Source: Naeem et al., 2020, equation 8.
    """
    matrix, known = _pair(x, y)
    held = sum(int(inside.any(axis=1).sum()) for inside in _compare(matrix, known, report))
    return held / len(known.features)


def coverage_by_item(
    x: Features,
    y: Features | Neighbourhoods,
    clusters: ArrayLike | None = None,
    report: Report = ignore_report,
) -> Array:
    """Contributions of G items to the coverage, which is their mean: [G], in the order of sorted labels.

    Coverage is a mean over the real set, and falls when generated samples are left out or repeated: bootstrap
    and subsamples of it lie below the figure. What the items contribute follows from leaving out one at a
    time (jackknife pseudo-values, less their bias): with C the coverage, and u the share of the real features
    that an item alone covers, C + (G - 1)(u - mean u). Their bootstrap is an interval for the expected
    coverage by G such items of this real set (`bootstrap_coverage`); docs/metrics.md has how often it holds
    it. A contribution may lie outside [0, 1].

    Args:
        clusters: [N] labels of the items; without it every feature is its own item.
        x, y, report: as for `density`.

    Raises:
        ValueError: labels do not fit, or what `density` refuses.

    Source: Naeem et al., 2020, equation 8; Tukey, "Bias and confidence in not quite large samples", 1958, and
    Efron and Stein, "The jackknife estimate of variance", 1981: it is not too small on average.
    """
    matrix, known = _pair(x, y)
    index = item_index(len(matrix), clusters)
    order = np.argsort(index, kind="stable")
    items, first = np.unique(index[order], return_index=True)
    covered, alone = 0, np.zeros(len(items))
    for inside in _compare(matrix, known, report):
        by_item = np.logical_or.reduceat(inside[:, order], first, axis=1)
        count = by_item.sum(axis=1)
        covered += int(np.count_nonzero(count))
        alone += by_item[count == 1].sum(axis=0)
    real = len(known.features)
    return np.asarray(covered / real + (len(items) - 1) * (alone - alone.mean()) / real)


def bootstrap_coverage(
    x: Features,
    y: Features | Neighbourhoods,
    clusters: ArrayLike | None = None,
    *,
    seed: int,
    resamples: int = 2000,
) -> Draws:
    """The coverage with the bootstrap of its items' contributions, each draw a share in [0, 1].

    Args:
        x, y, clusters: as for `coverage_by_item`.
        seed, resamples: as for `bootstrap`.

    Raises:
        ValueError: what `coverage_by_item` refuses.
    """
    covered = bootstrap(coverage_by_item(x, y, clusters), seed=seed, resamples=resamples)
    return Draws(covered.value, np.clip(covered.draws, 0, 1))


def expect_coverage(generated: int, real: int, k: int = NEIGHBOURS) -> float:
    """The expected coverage of so many features from the distribution of the real ones, without ties.

    1 - (M - 1)...(M - k) / ((N + M - 1)...(N + M - k)) by N of M real ones.

    Source: Naeem et al., 2020, section 3.
    """
    return 1 - comb(real - 1, k) / comb(generated + real - 1, k)


def _pair(x: Features, y: Features | Neighbourhoods) -> tuple[Array, Neighbourhoods]:
    """Both sets in float64, less the mean of the real one.

    Raises:
        ValueError: lengths of features differ, or y is too small.
    """
    matrix = as_matrix(x)
    known = y if isinstance(y, Neighbourhoods) else reference(y)
    if matrix.shape[1] != len(known.mean):
        raise ValueError(f"features differ in length: {matrix.shape[1]} and {len(known.mean)}")
    if not len(matrix):
        raise ValueError("density and coverage need at least one generated feature")
    return matrix - known.mean, known


def _compare(matrix: Array, known: Neighbourhoods, report: Report) -> Iterator[NDArray[np.bool_]]:
    """Which balls hold which generated features, bool [BLOCK, N], in blocks of the real set."""
    for rows in _blocks(len(known.features)):
        real, radii = known.features[rows], known.radii[rows, None]
        columns = [_squared_distances(real, matrix[part]) < radii for part in _blocks(len(matrix))]
        yield np.concatenate(columns, axis=1)
        report(len(real))


def _kth_nearest(features: Array, rows: slice, k: int, report: Report) -> Array:
    """Squared distance of some features of a set to their k-th nearest other one."""
    # The nearest of all is the feature itself.
    nearest = np.full((len(features[rows]), k + 1), np.inf)
    for part in _blocks(len(features)):
        seen = np.concatenate([nearest, _squared_distances(features[rows], features[part])], axis=1)
        nearest = np.partition(seen, k, axis=1)[:, : k + 1]
    report(len(nearest))
    return np.asarray(nearest.max(axis=1))


def _squared_distances(first: Array, second: Array) -> Array:
    """Squared Euclidean distance of every pair: [N, D] and [M, D] to [N, M]."""
    lengths = (first**2).sum(axis=1)[:, None] + (second**2).sum(axis=1)
    return np.asarray(lengths - 2 * (first @ second.T))


def _blocks(count: int) -> list[slice]:
    return [slice(start, start + BLOCK) for start in range(0, count, BLOCK)]
