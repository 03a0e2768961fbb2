"""Bootstrap intervals over items for statistics of means, and paired differences."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Statistic = Callable[[Array], Array]


class Interval(NamedTuple):
    """A value and the bounds of its interval."""

    value: float
    low: float
    high: float


class Draws(NamedTuple):
    """A value and its resampled values over the items, [B].

    Two values with the same seed and items have the same resamples, so their difference is paired.
    """

    value: float
    draws: Array

    def interval(self, level: float = 0.95) -> Interval:
        """Quantiles of the draws that leave `level` of them between."""
        tail = (1 - level) / 2
        # A resample in which a ratio's denominator vanishes is infinite or undefined, and so is the interval.
        with np.errstate(invalid="ignore"):
            low, high = np.quantile(self.draws, [tail, 1 - tail])
        return Interval(self.value, float(low), float(high))

    def minus(self, other: Draws) -> Draws:
        """This value minus another with the same resamples.

        Raises:
            ValueError: the other has another number of them.
        """
        if self.draws.shape != other.draws.shape:
            raise ValueError(f"other resamples: {len(self.draws)} and {len(other.draws)}")
        return Draws(self.value - other.value, self.draws - other.draws)

    def p_value(self) -> float:
        """Two-sided: twice the share of draws on the far side of 0, never below 2 / (B + 1).

        A draw that is not known may lie on either side.

        Source: Davison and Hinkley, "Bootstrap methods and their application", 1997, section 4.4.
        """
        above, below = np.count_nonzero(~(self.draws < 0)), np.count_nonzero(~(self.draws > 0))
        return float(min(1.0, 2 * (1 + min(above, below)) / (1 + len(self.draws))))


def first_mean(means: Array) -> Array:
    """The mean of the first column: the statistic of a plain average."""
    return means[..., 0]


def bootstrap(
    values: ArrayLike,
    clusters: ArrayLike | None = None,
    *,
    seed: int,
    statistic: Statistic = first_mean,
    resamples: int = 2000,
) -> Draws:
    """Bootstrap of a function of column means, resampling whole clusters.

    The samples of one item are not independent, so items are drawn, with replacement, each with all its
    samples. Every figure of ours that has such an interval is a smooth function of means (a mean, a ratio of
    differences of means), so a resample is a vector of weights and all resamples are one matrix product.

    One item alone says nothing of how much items differ: its draws are NaN.

    Args:
        values: float [N], or [N, K] for a statistic of K columns measured on the same samples.
        clusters: [N] labels of the items, any type; without it every sample is its own item.
        seed: of the resampling; the same seed and shapes draw the same items, whatever the values.
        statistic: maps means [..., K] to figures [...].
        resamples: how many draws.

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
    if len(sums) < 2:
        return Draws(float(point), np.full(resamples, np.nan))
    weights = resample_weights(len(sums), resamples, seed)
    return Draws(float(point), statistic((weights @ sums) / (weights @ sizes)[:, None]))


def holm(p_values: ArrayLike) -> Array:
    """Holm-corrected p values of one family: [M] to [M].

    Source: Holm, "A simple sequentially rejective multiple test procedure", 1979.
    """
    given = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(given, kind="stable")
    stepped = np.maximum.accumulate(given[order] * (len(given) - np.arange(len(given))))
    adjusted = np.empty_like(given)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


@lru_cache(maxsize=1)
def resample_weights(items: int, resamples: int, seed: int) -> Array:
    """How often each resample holds each item when `items` are drawn with replacement: [resamples, items].

    Read-only, as the metrics of one table share it.
    """
    drawn = np.random.default_rng(seed).integers(items, size=(resamples, items))
    rows = items * np.arange(resamples)[:, None]
    counts = np.bincount((rows + drawn).ravel(), minlength=resamples * items)
    weights = counts.reshape(resamples, items).astype(np.float64)
    weights.flags.writeable = False
    return weights


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
