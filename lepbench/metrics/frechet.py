"""Frechet distance between Gaussians fitted to two sets of features."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from lepbench.metrics.features import Features, as_matrix

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

STEP = 2.0**-28
"""Quantisation step of features; float32 values of 1/32 or more are exact."""
REACH = 2.0**12
"""Largest feature. In units it is 2^40, so that both limbs of an integer are at most 2^20."""
LIMB = 2.0**20
ROWS = 2048
"""Products of limbs, or of sums of two, are below 2^42: so many add up in float64 without rounding."""
MOST = 2**22
"""Features that int64 sums of such products can take."""


class Gaussian(Protocol):
    """What is compared: a mean [D] and a covariance [D, D], float64."""

    @property
    def mean(self) -> Array: ...

    @property
    def covariance(self) -> Array: ...


class Moments(NamedTuple):
    """A Gaussian given by its moments."""

    mean: Array
    covariance: Array


@dataclass(frozen=True)
class FeatureStatistics:
    """Sums over n features of D numbers, from which mean and covariance follow.

    The sums are of integers, features being counted in units of 2^-28, and none is ever rounded. So `a + b`
    is the statistics of both sets to the bit, whatever the split and the order, on any machine.

    Attributes:
        n: how many features.
        total: their sum in units, int64 [D].
        outer: the sum of their outer products in squared units, int64 [3, D, D]: what there is of 2^40, of
            2^20 and of 1.

    Raises:
        ValueError: there are more than 2^22 features, which the sums cannot hold.
    """

    n: int
    total: Integers
    outer: Integers

    def __post_init__(self) -> None:
        if self.n > MOST:
            raise ValueError(f"{self.n} features are more than the {MOST} whose sums are exact")

    @classmethod
    def of(cls, features: Tensor | NDArray) -> FeatureStatistics:
        """Statistics of features [N, D].

        Raises:
            ValueError: the features are not a matrix, hold NaN, or one is not within +-4096.
        """
        matrix = as_matrix(features)
        n, width = matrix.shape
        total, outer = np.zeros(width, np.int64), np.zeros((3, width, width), np.int64)
        for start in range(0, n, ROWS):
            units = _in_units(matrix[start : start + ROWS])
            total += units.sum(axis=0).astype(np.int64)
            for place, products in zip(outer, _outer(units), strict=True):
                place += products.astype(np.int64)
        return cls(n, total, outer)

    def __add__(self, other: FeatureStatistics) -> FeatureStatistics:
        return FeatureStatistics(self.n + other.n, self.total + other.total, self.outer + other.outer)

    @property
    def mean(self) -> Array:
        """Mean feature, [D]."""
        return np.asarray(self.total * STEP / self.n)

    @property
    def covariance(self) -> Array:
        """Unbiased covariance, [D, D].

        Raises:
            ValueError: fewer than two features.
        """
        if self.n < 2:
            raise ValueError(f"a covariance needs at least 2 features, not {self.n}")
        high, middle, low = self.outer
        products = (high * LIMB + middle) * LIMB + low
        return np.asarray((products * STEP**2 - np.outer(self.total * STEP, self.mean)) / (self.n - 1))


def _in_units(features: Array) -> Array:
    """Features counted in `STEP`, as whole numbers.

    Raises:
        ValueError: one is no number within `REACH`.
    """
    if not (np.abs(features) <= REACH).all():
        worst = features.flat[np.argmin(np.abs(features) <= REACH)]
        raise ValueError(f"a feature is {worst:g}, not within +-{REACH:g}")
    return np.rint(features / STEP)


def _outer(units: Array) -> Iterator[Array]:
    """Sum of the outer products of at most `ROWS` rows: how many there are of 2^40, of 2^20 and of 1.

    (2^20 h + l)(2^20 h + l)' with the middle term hl' + lh' = (h + l)(h + l)' - hh' - ll', so that each
    product is of a matrix with itself, for which BLAS does half the work.
    """
    high = np.rint(units / LIMB)
    low = units - high * LIMB
    both = high + low
    highs, lows = high.T @ high, low.T @ low
    yield from (highs, both.T @ both - highs - lows, lows)


def frechet_distance(first: Gaussian, second: Gaussian) -> float:
    """Squared Frechet (2-Wasserstein) distance of two Gaussians.

    |m1 - m2|^2 + tr(A) + tr(B) - 2 tr((A^{1/2} B A^{1/2})^{1/2}), A and B the covariances. Both roots are of
    symmetric matrices, by eigendecomposition in float64, so no complex part or singular product can arise.

    Raises:
        ValueError: the features differ in length, or a set has fewer than two.

    Source: Dowson and Landau, "The Frechet distance between multivariate normal distributions", 1982; as an
    image score Heusel et al., "GANs trained by a two time-scale update rule", 2017.
    """
    if first.mean.shape != second.mean.shape:
        raise ValueError(f"features differ in length: {len(first.mean)} and {len(second.mean)}")
    a, b = first.covariance, second.covariance
    values, vectors = np.linalg.eigh(a)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    middle = root @ b @ root
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh((middle + middle.T) / 2), 0)).sum()
    gap = first.mean - second.mean
    return float(gap @ gap + np.trace(a) + np.trace(b) - 2 * cross)


def mean_frechet_distance(features: Features, groups: ArrayLike, moments: Gaussian) -> float:
    """Mean over groups of the Frechet distance between each group's features and a real set.

    ControlNet++ publishes it so, a group being all first samples of the prompts, all second ones and so on:
    the sample index. It is larger than the distance of all features at once, as each group has fewer: compare
    figures of equal N a group only.

    Args:
        features: [N, D].
        groups: [N] labels, any type; at least 2 features each.
        moments: the real set's.

    Raises:
        ValueError: there is no feature, a group has one only, or labels or lengths do not fit.

    Source: the evaluation code of Li et al., "ControlNet++: improving conditional controls with efficient
    consistency feedback", ECCV 2024.
    """
    matrix, labels = as_matrix(features), np.asarray(groups)
    if labels.shape != (len(matrix),) or not len(matrix):
        raise ValueError(f"{len(matrix)} features but labels of shape {labels.shape}")
    parts = (matrix[labels == label] for label in np.unique(labels))
    return float(np.mean([frechet_distance(FeatureStatistics.of(part), moments) for part in parts]))
