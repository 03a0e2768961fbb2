"""Kernel distance (KID): do two sets of features come from one distribution?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from lepbench.metrics.frechet import as_matrix
from lepbench.metrics.statistics import Interval

Array = NDArray[np.float64]
Features = Tensor | NDArray

BLOCK = 1024


class Reference(NamedTuple):
    """The second set and what depends on it alone, so that several sets are scored against it at one price.

    Attributes:
        features: float64 [M, D].
        within: mean kernel of two different features of the set.
    """

    features: Array
    within: float


def reference(features: Features) -> Reference:
    """Prepare the second set [M, D] of `kid`, M at least 2."""
    matrix = as_matrix(features)
    return Reference(matrix, mean_of_pairs(matrix))


def kernel(first: Array, second: Array) -> Array:
    """(x.y / D + 1)^3 of every pair: [N, D] and [M, D] to [N, M]."""
    base: Array = first @ second.T / first.shape[1] + 1
    return base * base * base


def kid(x: Features, y: Features | Reference) -> float:
    """Unbiased squared maximum mean discrepancy of two sets of features, each used whole.

    mean k(x, x') + mean k(y, y') - 2 mean k(x, y), the first two over pairs of different features. Zero in
    expectation where the distributions agree, and so sometimes negative. Sizes may differ.

    Args:
        x: features [N, D], N at least 2.
        y: features [M, D], or what `reference` made of them.

    Raises:
        ValueError: a set is too small, or lengths of features differ.

    Source: Binkowski et al., "Demystifying MMD GANs", 2018; Gretton et al., 2012, equation 3.
    """
    matrix, known = paired_sets(x, y)
    return mean_of_pairs(matrix) + known.within - 2 * float(cross_means(matrix, known).mean())


def kid_interval(
    x: Features,
    y: Features | Reference,
    clusters: ArrayLike | None = None,
    *,
    seed: int,
    repeats: int = 1000,
    fraction: float = 0.5,
    level: float = 0.95,
) -> Interval:
    """KID with an interval from subsamples of x drawn without replacement, whole items at a time.

    A bootstrap repeats features, and a feature paired with itself biases the estimate upwards; a subsample of
    m of n does not. The deviations of its estimates from the full one have variance s^2/m (1 - m/n) where the
    full one has s^2/n, so they are scaled by sqrt(m / (n - m)), which is 1 at the default fraction, a half.
    The set y is taken as given: the interval is for KID to that reference.

    Args:
        x: features [N, D].
        y: features [M, D], or what `reference` made of them.
        clusters: [N] labels of the items; without it every feature is its own item. At least 4 items.
        seed: of the subsampling.
        repeats: how many subsamples.
        fraction: share of the items in a subsample, between 0 and 1.
        level: share of the deviations between the ends.

    Raises:
        ValueError: there are fewer than 4 items, or what `kid` refuses.

    Source: Politis, Romano and Wolf, "Subsampling", 1999, chapter 2; measured coverage in docs/metrics.md.
    """
    matrix, known = paired_sets(x, y)
    n = len(matrix)
    subsamples = memberships(n, clusters, fraction, repeats, seed)
    members = np.concatenate([np.ones((1, n)), subsamples])  # the first is the whole set
    sizes = members.sum(axis=1)
    pairs = sum(
        (members @ block * members[:, columns]).sum(axis=1) for columns, block in off_diagonal(matrix)
    )
    cross = members @ cross_means(matrix, known) / sizes
    estimates = pairs / (sizes * (sizes - 1)) + known.within - 2 * cross
    value = float(estimates[0])
    deviations = (estimates[1:] - value) * np.sqrt(sizes[1:] / (n - sizes[1:]))
    tail = (1 - level) / 2
    low, high = np.quantile(deviations, [tail, 1 - tail])
    return Interval(value, value - float(high), value - float(low))


def memberships(n: int, clusters: ArrayLike | None, fraction: float, repeats: int, seed: int) -> Array:
    """Which of n features each subsample holds, as 0 and 1: float64 [repeats, n].

    Raises:
        ValueError: fewer than 4 items, or not one label a feature.
    """
    labels = np.arange(n) if clusters is None else np.asarray(clusters)
    if labels.shape != (n,):
        raise ValueError(f"{n} features but labels of shape {labels.shape}")
    names, index = np.unique(labels, return_inverse=True)
    if len(names) < 4:
        raise ValueError(f"subsampling needs at least 4 items, not {len(names)}")
    size = min(max(round(fraction * len(names)), 2), len(names) - 1)
    ranks = np.random.default_rng(seed).permuted(np.tile(np.arange(len(names)), (repeats, 1)), axis=1)
    return (ranks < size).astype(np.float64)[:, index]


def paired_sets(x: Features, y: Features | Reference) -> tuple[Array, Reference]:
    """Both sets in float64, checked against each other.

    Raises:
        ValueError: x is too small, or lengths of features differ.
    """
    matrix = as_matrix(x)
    known = y if isinstance(y, Reference) else reference(y)
    if matrix.shape[1] != known.features.shape[1]:
        raise ValueError(f"features differ in length: {matrix.shape[1]} and {known.features.shape[1]}")
    return matrix, known


def off_diagonal(matrix: Array) -> Iterator[tuple[slice, Array]]:
    """The kernel matrix of a set with itself, zero on the diagonal, in blocks of columns."""
    for start in range(0, len(matrix), BLOCK):
        columns = slice(start, min(start + BLOCK, len(matrix)))
        block = kernel(matrix, matrix[columns])
        rows = np.arange(start, columns.stop)
        block[rows, rows - start] = 0
        yield columns, block


def mean_of_pairs(matrix: Array) -> float:
    """Mean kernel over pairs of different features of one set.

    Raises:
        ValueError: fewer than two features.
    """
    n = len(matrix)
    if n < 2:
        raise ValueError(f"a kernel distance needs at least 2 features a set, not {n}")
    return float(sum(block.sum() for _, block in off_diagonal(matrix))) / (n * (n - 1))


def cross_means(matrix: Array, known: Reference) -> Array:
    """Mean kernel of each feature with the reference, [N]."""
    y = known.features
    total = np.zeros(len(matrix))
    for start in range(0, len(y), BLOCK):
        total += kernel(matrix, y[start : start + BLOCK]).sum(axis=1)
    return total / len(y)
