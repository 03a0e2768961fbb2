"""How sure is a figure? Bootstrap intervals over items, for anything computed from means."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Statistic = Callable[[Array], Array]


class Interval(NamedTuple):
    """A figure and the ends of its interval."""

    value: float
    low: float
    high: float


def first_mean(means: Array) -> Array:
    """The mean of the first column: the statistic of a plain average."""
    return means[..., 0]


def bootstrap_interval(
    values: ArrayLike,
    clusters: ArrayLike | None = None,
    *,
    seed: int,
    statistic: Statistic = first_mean,
    resamples: int = 2000,
    level: float = 0.95,
) -> Interval:
    """Percentile bootstrap interval of a function of column means, resampling whole clusters.

    The samples of one item are not independent, so items are drawn, with replacement, each with all its
    samples. Every figure of ours that has such an interval is a smooth function of means (a mean, a ratio of
    differences of means), so a resample is a vector of weights and all resamples are one matrix product.

    Args:
        values: float [N], or [N, K] for a statistic of K columns measured on the same samples.
        clusters: [N] labels of the items, any type; without it every sample is its own item.
        seed: of the resampling; the same seed and shapes draw the same items, whatever the values.
        statistic: maps means [..., K] to figures [...].
        resamples: how many draws.
        level: share of the draws between the ends.

    Raises:
        ValueError: there is no value, or the labels do not fit.

    Source: Efron, "Bootstrap methods: another look at the jackknife", 1979.
    """
    columns = np.asarray(values, dtype=np.float64)
    if not columns.size:
        raise ValueError("an interval needs at least one value")
    columns = columns.reshape(len(columns), -1)
    sums, sizes = cluster_sums(columns, clusters)
    point = statistic(columns.mean(axis=0))
    weights = resample_weights(len(sums), resamples, seed)
    draws = statistic((weights @ sums) / (weights @ sizes)[:, None])
    tail = (1 - level) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return Interval(float(point), float(low), float(high))


def paired_difference(
    first: ArrayLike,
    second: ArrayLike,
    clusters: ArrayLike | None = None,
    *,
    seed: int,
    statistic: Statistic = first_mean,
    resamples: int = 2000,
    level: float = 0.95,
) -> Interval:
    """Interval of statistic(first) - statistic(second), both measured on the same samples in the same order.

    Arguments and errors are those of `bootstrap_interval`; `first` and `second` have one shape.
    """
    one, other = (np.asarray(v, dtype=np.float64) for v in (first, second))
    if one.shape != other.shape:
        raise ValueError(f"paired values differ in shape: {one.shape} and {other.shape}")
    one, other = (v.reshape(len(v), -1) for v in (one, other))
    width = one.shape[1]
    return bootstrap_interval(
        np.concatenate([one, other], axis=1),
        clusters,
        seed=seed,
        statistic=lambda means: statistic(means[..., :width]) - statistic(means[..., width:]),
        resamples=resamples,
        level=level,
    )


def resample_weights(items: int, resamples: int, seed: int) -> Array:
    """How often each resample holds each item when `items` are drawn with replacement: [resamples, items]."""
    drawn = np.random.default_rng(seed).integers(items, size=(resamples, items))
    rows = items * np.arange(resamples)[:, None]
    counts = np.bincount((rows + drawn).ravel(), minlength=resamples * items)
    return counts.reshape(resamples, items).astype(np.float64)


def cluster_sums(columns: Array, clusters: ArrayLike | None) -> tuple[Array, Array]:
    """Column sums [G, K] and sizes [G] of the clusters of [N, K] rows, in the order of the sorted labels.

    Raises:
        ValueError: there is not one label a row.
    """
    if clusters is None:
        return columns, np.ones(len(columns))
    labels = np.asarray(clusters)
    if labels.shape != (len(columns),):
        raise ValueError(f"{len(columns)} values but labels of shape {labels.shape}")
    names, index = np.unique(labels, return_inverse=True)
    sums = np.zeros((len(names), columns.shape[1]))
    np.add.at(sums, index, columns)
    return sums, np.bincount(index).astype(np.float64)
