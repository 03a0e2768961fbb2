"""Distances between the features of generated and of real pictures."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from lepbench.metrics.features import as_matrix
from lepbench.metrics.frechet import FeatureStatistics, frechet_distance
from lepbench.metrics.kid import kid


class BetweenFeatures(Metric):
    """A distance between features [N, D] of generated and of real pictures, kept until they are compared."""

    full_state_update = False
    is_differentiable = False
    higher_is_better = False

    generated: list[Tensor]
    real: list[Tensor]

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.add_state("generated", [], dist_reduce_fx="cat")
        self.add_state("real", [], dist_reduce_fx="cat")

    def update(self, features: Tensor, real: bool) -> None:
        """Add features [B, D] of generated pictures, or of `real` ones.

        Raises:
            ValueError: they are not [B, D], hold NaN or infinity, or are of another length than those before.
        """
        as_matrix(features)
        for before in (*self.generated[:1], *self.real[:1]):
            if before.shape[1] != features.shape[1]:
                raise ValueError(f"features differ in length: {before.shape[1]} and {features.shape[1]}")
        (self.real if real else self.generated).append(features.detach())

    def _sets(self) -> tuple[Tensor, Tensor]:
        return dim_zero_cat(self.generated), dim_zero_cat(self.real)


class FrechetDistance(BetweenFeatures):
    """Frechet distance of two sets of features; see `frechet_distance`.

    Example:
        >>> import torch
        >>> features = torch.randn(50, 4, generator=torch.Generator().manual_seed(0))
        >>> metric = FrechetDistance()
        >>> metric.update(features, real=True)
        >>> metric.update(features + 1, real=False)
        >>> round(metric.compute().item(), 3)
        4.0
    """

    def compute(self) -> Tensor:
        """The distance, a float64 scalar.

        Raises:
            ValueError: a set has fewer than two features.
        """
        generated, real = (FeatureStatistics.of(features) for features in self._sets())
        return torch.tensor(frechet_distance(generated, real), dtype=torch.float64)


class KernelDistance(BetweenFeatures):
    """Unbiased KID of two whole sets of features; see `kid`.

    Example:
        >>> import torch
        >>> features = torch.randn(50, 4, generator=torch.Generator().manual_seed(0))
        >>> metric = KernelDistance()
        >>> metric.update(features, real=True)
        >>> metric.update(features + 1, real=False)
        >>> metric.compute().item() > 1
        True
    """

    def compute(self) -> Tensor:
        """The squared maximum mean discrepancy, a float64 scalar.

        Raises:
            ValueError: a set has fewer than two features.
        """
        return torch.tensor(kid(*self._sets()), dtype=torch.float64)
