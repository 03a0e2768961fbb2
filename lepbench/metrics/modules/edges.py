"""Agreement of edge maps, bool [B, H, W]."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from lepbench.metrics.chamfer import chamfer_distance
from lepbench.metrics.edges import edge_counts, precision_recall_f1, share_of
from lepbench.metrics.modules.mean import MeanOverSamples, MeanWithin
from lepbench.metrics.one_to_one import one_to_one_counts


class EdgeF1(MeanWithin):
    """Mean over samples of edge F1 within a distance; see `edge_counts`.

    Args:
        tolerance: Euclidean distance in pixels within which a pixel matches, 0 or more.

    Example:
        >>> import torch
        >>> drawn = torch.zeros(1, 8, 8, dtype=torch.bool)
        >>> drawn[0, 3] = True
        >>> metric = EdgeF1(tolerance=1.0)
        >>> metric.update(drawn, drawn.roll(1, dims=1))
        >>> metric.compute().item()
        1.0
    """

    def update(self, predicted: Tensor, target: Tensor) -> None:
        """Add edge maps, bool [B, H, W] each.

        Raises:
            ValueError: they differ in shape or are not bool [B, H, W].
        """
        self.add_figures(precision_recall_f1(edge_counts(predicted, target, (self.tolerance,))).f1[:, 0])


class OneToOneF1(MeanWithin):
    """Mean over samples of edge F1 where a pixel may be matched once only; see `one_to_one_counts`.

    Args:
        tolerance: largest Euclidean distance of a pair in pixels, 0 or more.

    Example:
        >>> import torch
        >>> line = torch.zeros(1, 8, 8, dtype=torch.bool)
        >>> line[0, 3] = True
        >>> metric = OneToOneF1(tolerance=1.0)
        >>> metric.update(line | line.roll(1, dims=1), line)  # twice as thick: precision 1/2, recall 1
        >>> round(metric.compute().item(), 4)
        0.6667
    """

    def update(self, predicted: Tensor, target: Tensor) -> None:
        """Add edge maps, bool [B, H, W] each.

        Raises:
            ValueError: they differ in shape or are not bool [B, H, W].
        """
        counts = one_to_one_counts(predicted, target, (self.tolerance,))
        self.add_figures(precision_recall_f1(counts).f1[:, 0])


class ChamferDistance(MeanOverSamples):
    """Mean over samples of the symmetric Chamfer distance; see `chamfer_distance`.

    Args:
        relative: as a share of the diagonal rather than in pixels.

    Example:
        >>> import torch
        >>> line = torch.zeros(1, 8, 8, dtype=torch.bool)
        >>> line[0, 3] = True
        >>> metric = ChamferDistance()
        >>> metric.update(line, line.roll(2, dims=1))
        >>> metric.compute().item()
        2.0
    """

    higher_is_better = False

    def __init__(self, relative: bool = False, **settings: Any) -> None:
        super().__init__(**settings)
        self.relative = relative

    def update(self, predicted: Tensor, target: Tensor) -> None:
        """Add edge maps, bool [B, H, W] each.

        Raises:
            ValueError: they differ in shape or are not bool [B, H, W].
        """
        distances = chamfer_distance(predicted, target)
        self.add_figures(distances * share_of(1.0, predicted.shape) if self.relative else distances)
