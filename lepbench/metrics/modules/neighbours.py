"""Fidelity and diversity by the nearest neighbours of real pictures."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from lepbench.metrics.coverage import NEIGHBOURS, coverage, density, reference
from lepbench.metrics.modules.distances import BetweenFeatures


class Density(BetweenFeatures):
    """Mean over generated pictures of how densely real ones lie around them; see `density`.

    Args:
        k: how many neighbours a ball reaches to.

    Example:
        >>> import torch
        >>> features = torch.randn(50, 4, generator=torch.Generator().manual_seed(0))
        >>> metric = Density()
        >>> metric.update(features, real=True)
        >>> metric.update(features, real=False)
        >>> round(metric.compute().item(), 6)
        1.0
    """

    higher_is_better = True

    def __init__(self, k: int = NEIGHBOURS, **settings: Any) -> None:
        super().__init__(**settings)
        self.k = k

    def compute(self) -> Tensor:
        """The density, a float64 scalar.

        Raises:
            ValueError: nothing was generated, or there are no more than k real features.
        """
        generated, real = self._sets()
        return torch.tensor(density(generated, reference(real, self.k)).mean(), dtype=torch.float64)


class Coverage(Density):
    """Share of the real pictures that a generated one is near to; see `coverage`.

    Args:
        k: how many neighbours a ball reaches to.

    Example:
        >>> import torch
        >>> features = torch.randn(50, 4, generator=torch.Generator().manual_seed(0))
        >>> metric = Coverage()
        >>> metric.update(features, real=True)
        >>> metric.update(features + 10, real=False)
        >>> metric.compute().item()
        0.0
    """

    def compute(self) -> Tensor:
        """The coverage, a float64 scalar.

        Raises:
            ValueError: nothing was generated, or there are no more than k real features.
        """
        generated, real = self._sets()
        return torch.tensor(coverage(generated, reference(real, self.k)), dtype=torch.float64)
