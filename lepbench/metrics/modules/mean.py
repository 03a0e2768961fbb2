"""Metrics that are a mean over samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torchmetrics import Metric

from lepbench.metrics.edges import check_tolerance


class MeanOverSamples(Metric):
    """Mean of one figure a sample."""

    full_state_update = False
    is_differentiable = False
    higher_is_better = True

    total: Tensor
    samples: Tensor

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("samples", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def add_figures(self, figures: ArrayLike) -> None:
        """Add the figures of samples, [B].

        Raises:
            ValueError: one is NaN or infinite.
        """
        values = np.asarray(figures, dtype=np.float64)
        if not np.isfinite(values).all():
            raise ValueError("the figure of a sample is NaN or infinite")
        self.total += float(values.sum())
        self.samples += len(values)

    def compute(self) -> Tensor:
        """The mean, a float64 scalar; NaN before the first sample."""
        return self.total / self.samples


class MeanWithin(MeanOverSamples):
    """Mean of a figure that takes a tolerance.

    Args:
        tolerance: Euclidean distance in pixels, 0 or more.

    Raises:
        ValueError: the tolerance is negative or not finite.
    """

    def __init__(self, tolerance: float = 1.0, **settings: Any) -> None:
        super().__init__(**settings)
        self.tolerance = check_tolerance(tolerance)
