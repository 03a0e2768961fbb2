"""The figures as `torchmetrics.Metric`s, for anyone's training loop: update, compute, merge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from lepbench.metrics.boundary import BoundaryCounts, boundary_counts, boundary_scores, levels
from lepbench.metrics.edges import edge_counts, precision_recall_f1
from lepbench.metrics.frechet import FeatureStatistics, frechet_distance
from lepbench.metrics.kid import kid
from lepbench.metrics.masks import mask_iou


class _MeanOverSamples(Metric):
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

    def _add(self, figures: np.ndarray) -> None:
        self.total += float(figures.sum())
        self.samples += len(figures)

    def compute(self) -> Tensor:
        """The mean, a float64 scalar; NaN before the first sample."""
        return self.total / self.samples


class EdgeF1(_MeanOverSamples):
    """Mean over samples of edge F1 within a distance; see `edge_counts`.

    Args:
        tolerance: Euclidean distance in pixels within which a pixel matches, 0 or more.

    Example:
        >>> drawn = torch.zeros(1, 8, 8, dtype=torch.bool)
        >>> drawn[0, 3] = True
        >>> metric = EdgeF1(tolerance=1.0)
        >>> metric.update(drawn, drawn.roll(1, dims=1))
        >>> metric.compute().item()
        1.0
    """

    def __init__(self, tolerance: float = 1.0, **settings: Any) -> None:
        super().__init__(**settings)
        self.tolerance = tolerance

    def update(self, predicted: Tensor, target: Tensor) -> None:
        """Add edge maps, bool [B, H, W] each.

        Raises:
            ValueError: they differ in shape or are not bool [B, H, W].
        """
        self._add(precision_recall_f1(edge_counts(predicted, target, (self.tolerance,))).f1[:, 0])


class MaskIoU(_MeanOverSamples):
    """Mean over samples of the overlap of masks; see `mask_iou`.

    Example:
        >>> mask = torch.zeros(1, 4, 4, dtype=torch.bool)
        >>> mask[0, :2] = True
        >>> metric = MaskIoU()
        >>> metric.update(mask, torch.ones_like(mask))
        >>> metric.compute().item()
        0.5
    """

    def update(self, predicted: Tensor, target: Tensor) -> None:
        """Add masks, bool [B, H, W] each.

        Raises:
            ValueError: they differ in shape or are not bool [B, H, W].
        """
        self._add(mask_iou(predicted, target))


class _BetweenFeatures(Metric):
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
        """Add features [B, D] of generated pictures, or of `real` ones."""
        (self.real if real else self.generated).append(features.detach())

    def _sets(self) -> tuple[Tensor, Tensor]:
        return dim_zero_cat(self.generated), dim_zero_cat(self.real)


class FrechetDistance(_BetweenFeatures):
    """Frechet distance of two sets of features; see `frechet_distance`.

    Example:
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


class KernelDistance(_BetweenFeatures):
    """Unbiased KID of two whole sets of features; see `kid`.

    Example:
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


class BoundaryBenchmark(Metric):
    """ODS, OIS and AP of soft edge maps by the BSDS benchmark; see `boundary_counts` and `boundary_scores`.

    Args:
        thresholds: how many.
        max_dist: largest distance of a match, in diagonals.
        thinned: thin each thresholded map first.

    Example:
        >>> soft = torch.zeros(1, 32, 32)
        >>> soft[0, 16, 4:28] = 0.8
        >>> metric = BoundaryBenchmark(thresholds=9)
        >>> metric.update(soft, [soft > 0])
        >>> round(metric.compute()["ods"].item(), 3)
        1.0
    """

    full_state_update = False
    is_differentiable = False
    higher_is_better = True

    counts: list[Tensor]

    def __init__(
        self, thresholds: int = 99, max_dist: float = 0.0075, thinned: bool = True, **settings: Any
    ) -> None:
        super().__init__(**settings)
        self.levels = levels(thresholds)
        self.max_dist = max_dist
        self.thinned = thinned
        self.add_state("counts", [], dist_reduce_fx="cat")

    def update(self, soft: Tensor, annotations: Sequence[Tensor]) -> None:
        """Add images.

        Args:
            soft: strength of the edges, float [B, H, W] in [0, 1].
            annotations: of each image, bool [A, H, W]; A may differ.

        Raises:
            ValueError: shapes do not fit.
        """
        for edges, people in zip(soft, annotations, strict=True):
            found = boundary_counts(
                edges.detach().cpu().numpy(), people.cpu().numpy(), self.levels, self.max_dist, self.thinned
            )
            self.counts.append(torch.from_numpy(np.stack(found))[None])

    def compute(self) -> dict[str, Tensor]:
        """`ods` and `ois`, the best F1 at one threshold and at each image's own, and `ap`: float64 scalars.

        Raises:
            ValueError: no image was added.
        """
        stacked = dim_zero_cat(self.counts).cpu().numpy() if len(self.counts) else np.zeros((0, 4, 1), int)
        scores = boundary_scores(BoundaryCounts(*np.moveaxis(stacked, 1, 0)), self.levels)
        figures = {"ods": scores.ods.f1, "ois": scores.ois.f1, "ap": scores.ap}
        return {name: torch.tensor(value, dtype=torch.float64) for name, value in figures.items()}
