"""Kernel inception distance (KID) between two sets of features."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lepbench.metrics.features import Features, as_matrix
from lepbench.metrics.statistics import Draws

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Report = Callable[[int], None]
"""Called with how many further features were compared with a set: N for x, and M for y twice."""

BLOCK = 1024
ROWS = 256
"""Rows of a block whose other side is a whole set: few enough for the cache of a processor."""


class Reference(NamedTuple):
    """The reference set with its precomputed terms, to score several sets against it.

    Attributes:
        features: float64 [M, D].
        within: mean kernel of two different features of the set.
    """

    features: Array
    within: float


def ignore_report(count: int) -> None:
    """A `Report` that tells nobody."""


def reference(features: Features, report: Report = ignore_report) -> Reference:
    """Prepare the second set [M, D] of `kid`, M at least 2."""
    matrix = as_matrix(features)
    return Reference(matrix, mean_of_pairs(matrix, np.arange(len(matrix)), report))


def kernel(first: Array, second: Array) -> Array:
    """(x.y / D + 1)^3 of every pair: [N, D] and [M, D] to [N, M]."""
    base: Array = first @ second.T
    base /= first.shape[1]
    base += 1
    cube = base * base
    cube *= base
    return cube


def kid(x: Features, y: Features | Reference, clusters: ArrayLike | None = None) -> float:
    """Unbiased squared maximum mean discrepancy of two sets of features, each used whole.

    mean k(x, x') + mean k(y, y') - 2 mean k(x, y), the first two over pairs of different features. Zero in
    expectation where the distributions agree, and so sometimes negative. Sizes may differ.

    Samples of one item are similar, and pairs of them would increase the distance: with `clusters`
    x and x' are of different items.

    Args:
        x: features [N, D], of at least 2 items.
        y: features [M, D], or what `reference` made of them.
        clusters: [N] labels of the items; without it every feature is its own item.

    Raises:
        ValueError: a set is too small, lengths of features differ, a feature is not finite, or labels do not
            fit.

    Source: Binkowski et al., "Demystifying MMD GANs", 2018; Gretton et al., 2012, equation 3.
    """
    matrix, known = paired_sets(x, y)
    within = mean_of_pairs(matrix, item_index(len(matrix), clusters))
    return within + known.within - 2 * float(cross_means(matrix, known).mean())


def kid_draws(
    x: Features,
    y: Features | Reference,
    clusters: ArrayLike | None = None,
    *,
    seed: int,
    repeats: int = 1000,
    fraction: float = 0.8,
    report: Report = ignore_report,
) -> Draws:
    """KID and its spread over subsamples of x drawn without replacement, whole items at a time.

    A bootstrap repeats features, and a feature paired with itself biases the estimate upwards; a subsample of
    m of n does not. The deviations of its estimates from the full one have variance s^2/m (1 - m/n) where the
    full one has s^2/n, so they are scaled by sqrt(m / (n - m)). Where x and y agree that term vanishes
    and the interval is too wide, less so with a larger fraction: hence four fifths rather than a half.
    The set y is treated as fixed: the interval is for KID to that reference.

    Args:
        x: features [N, D].
        y: features [M, D], or what `reference` made of them.
        clusters: [N] labels of the items; without it every feature is its own item. At least 4 items.
        seed: of the subsampling.
        repeats: how many subsamples.
        fraction: share of the items in a subsample, between 0 and 1.
        report: called as the comparison goes on.

    Raises:
        ValueError: there are fewer than 4 items, or what `kid` refuses.

    Source: Politis, Romano and Wolf, "Subsampling", 1999, chapter 2; measured coverage in docs/metrics.md.
    """
    matrix, known = paired_sets(x, y)
    n, index = len(matrix), item_index(len(matrix), clusters)
    subsamples = memberships(index, fraction, repeats, seed)
    members = np.concatenate([np.ones((1, n)), subsamples])  # the first is the whole set
    sizes = members.sum(axis=1)
    blocks = different_items(matrix, index, report)
    totals = sum((members @ block * members[:, columns]).sum(axis=1) for columns, block in blocks)
    pairs = sizes * sizes - members @ own_sizes(index)
    cross = members @ cross_means(matrix, known, report) / sizes
    estimates = totals / pairs + known.within - 2 * cross
    value = float(estimates[0])
    deviations = (estimates[1:] - value) * np.sqrt(sizes[1:] / (n - sizes[1:]))
    return Draws(value, value + deviations)


def item_index(n: int, clusters: ArrayLike | None) -> Index:
    """The number, from 0, of each feature's item: [n].

    Raises:
        ValueError: there is not one label a feature.
    """
    if clusters is None:
        return np.arange(n)
    labels = np.asarray(clusters)
    if labels.shape != (n,):
        raise ValueError(f"{n} features but labels of shape {labels.shape}")
    return np.asarray(np.unique(labels, return_inverse=True)[1], dtype=np.int64)


def own_sizes(index: Index) -> Array:
    """How many features the item of each feature has, [N]."""
    return np.asarray(np.bincount(index)[index], dtype=np.float64)


def memberships(index: Index, fraction: float, repeats: int, seed: int) -> Array:
    """Which features each subsample of items holds, as 0 and 1: float64 [repeats, N].

    Raises:
        ValueError: fewer than 4 items.
    """
    items = int(index.max(initial=-1)) + 1
    if items < 4:
        raise ValueError(f"subsampling needs at least 4 items, not {items}")
    size = min(max(round(fraction * items), 2), items - 1)
    ranks = np.random.default_rng(seed).permuted(np.tile(np.arange(items), (repeats, 1)), axis=1)
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


def different_items(
    matrix: Array, index: Index, report: Report = ignore_report
) -> Iterator[tuple[slice, Array]]:
    """The kernel matrix of a set with itself, zero where both are of one item, in blocks of columns."""
    for start in range(0, len(matrix), BLOCK):
        columns = slice(start, start + BLOCK)
        block = kernel(matrix, matrix[columns])
        block[index[:, None] == index[None, columns]] = 0
        yield columns, block
        report(block.shape[1])


def mean_of_pairs(matrix: Array, index: Index, report: Report = ignore_report) -> float:
    """Mean kernel over pairs of features of different items of one set.

    Raises:
        ValueError: there is no such pair.
    """
    pairs = len(matrix) ** 2 - own_sizes(index).sum()
    if pairs == 0:
        raise ValueError("a kernel distance needs at least 2 items a set")
    total = 0.0
    for start in range(0, len(matrix), ROWS):
        # The kernel is symmetric: of the rows that came before, each pair counts twice.
        own, rest = index[start : start + ROWS], index[start:]
        block = kernel(matrix[start : start + ROWS], matrix[start:])
        block[own[:, None] == rest[None]] = 0
        total += 2 * float(block.sum()) - float(block[:, : len(own)].sum())
        report(len(own))
    return total / float(pairs)


def cross_means(matrix: Array, known: Reference, report: Report = ignore_report) -> Array:
    """Mean kernel of each feature with the reference, [N]."""
    y = known.features
    total = np.zeros(len(matrix))
    for start in range(0, len(y), BLOCK):
        block = y[start : start + BLOCK]
        total += kernel(matrix, block).sum(axis=1)
        report(len(block))
    return total / len(y)
