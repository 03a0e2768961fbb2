"""Frechet distance between two sets of features, each taken as a Gaussian."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from lepbench.errors import LepbenchError
from lepbench.files import atomic_path

Array = NDArray[np.float64]


@dataclass(frozen=True)
class FeatureStatistics:
    """Sums over n features of D numbers, float64, from which mean and covariance follow.

    Sums, not moments, are kept: `a + b` is then the statistics of both sets, and shards differ from a single
    pass by the order of float additions only.

    Attributes:
        n: how many features.
        total: their sum, [D].
        outer: the sum of their outer products, [D, D].
    """

    n: int
    total: Array
    outer: Array

    @classmethod
    def of(cls, features: Tensor | NDArray) -> FeatureStatistics:
        """Statistics of features [N, D], computed in float64.

        Raises:
            ValueError: the features are not a matrix.
        """
        matrix = as_matrix(features)
        return cls(len(matrix), matrix.sum(axis=0), matrix.T @ matrix)

    def __add__(self, other: FeatureStatistics) -> FeatureStatistics:
        return FeatureStatistics(self.n + other.n, self.total + other.total, self.outer + other.outer)

    @property
    def mean(self) -> Array:
        """Mean feature, [D]."""
        return self.total / self.n

    @property
    def covariance(self) -> Array:
        """Unbiased covariance, [D, D].

        Raises:
            ValueError: fewer than two features.
        """
        if self.n < 2:
            raise ValueError(f"a covariance needs at least 2 features, not {self.n}")
        return (self.outer - np.outer(self.total, self.mean)) / (self.n - 1)

    def save(self, path: Path) -> None:
        """Write as safetensors, atomically."""
        from safetensors.numpy import save_file

        tensors = {"n": np.array([self.n], dtype=np.int64), "total": self.total, "outer": self.outer}
        with atomic_path(path) as partial:
            save_file(tensors, partial)

    @classmethod
    def load(cls, path: Path) -> FeatureStatistics:
        """Read what `save` wrote.

        Raises:
            LepbenchError: the file is missing, is not safetensors or holds something else.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            tensors = load_file(path)
            return cls(int(tensors["n"][0]), tensors["total"], tensors["outer"])
        except OSError as error:
            raise LepbenchError(f"cannot read {path}", "check the path") from error
        except (SafetensorError, KeyError) as error:
            raise LepbenchError(f"{path} holds no feature statistics: {error}") from error


def frechet_distance(first: FeatureStatistics, second: FeatureStatistics) -> float:
    """Squared Frechet (2-Wasserstein) distance of two Gaussians.

    |m1 - m2|^2 + tr(A) + tr(B) - 2 tr((A^{1/2} B A^{1/2})^{1/2}), A and B the covariances. Both roots are of
    symmetric matrices, by eigendecomposition in float64, so no complex part or singular product can arise.

    Raises:
        ValueError: the features differ in length, or a set has fewer than two.

    Source: Dowson and Landau, "The Frechet distance between multivariate normal distributions", 1982; as an
    image score Heusel et al., "GANs trained by a two time-scale update rule", 2017.
    """
    if first.total.shape != second.total.shape:
        raise ValueError(f"features differ in length: {len(first.total)} and {len(second.total)}")
    a, b = first.covariance, second.covariance
    values, vectors = np.linalg.eigh(a)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    middle = root @ b @ root
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh((middle + middle.T) / 2), 0)).sum()
    gap = first.mean - second.mean
    return float(gap @ gap + np.trace(a) + np.trace(b) - 2 * cross)


def as_matrix(features: Tensor | NDArray) -> Array:
    """Features as a float64 array [N, D].

    Raises:
        ValueError: they are not a matrix.
    """
    array = features.detach().cpu().numpy() if isinstance(features, Tensor) else features
    if array.ndim != 2:
        raise ValueError(f"expected features [N, D], got {array.shape}")
    return np.asarray(array, dtype=np.float64)
