"""Recall of a sketch's strokes."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from torch import Tensor

from lepbench.metrics.modules.mean import MeanWithin
from lepbench.metrics.strokes import stroke_recall


class StrokeRecall(MeanWithin):
    """Mean over the samples that have strokes of their strokes' mean recall; see `stroke_recall`.

    Args:
        tolerance: Euclidean distance in pixels within which a pixel is met, 0 or more.

    Example:
        >>> import torch
        >>> strokes = torch.zeros(1, 8, 8, dtype=torch.int64)
        >>> strokes[0, 1], strokes[0, 5, :2] = 1, 2  # a long stroke and a short one
        >>> metric = StrokeRecall()
        >>> metric.update(strokes == 1, strokes)
        >>> metric.compute().item()
        0.5
    """

    figure: ClassVar[str] = "recall"
    """Which of a sample's figures is averaged."""

    def update(self, predicted: Tensor, strokes: Tensor) -> None:
        """Add edge maps, bool [B, H, W], and the numbers of the strokes, integer [B, H, W].

        Raises:
            ValueError: they differ in shape or are no such maps.
        """
        figures = getattr(stroke_recall(predicted, strokes, self.tolerance), self.figure)
        self.add_figures(figures[~np.isnan(figures)])


class StrokesFound(StrokeRecall):
    """Mean over the samples that have strokes of the share of them half met or more; see `stroke_recall`.

    Args:
        tolerance: Euclidean distance in pixels within which a pixel is met, 0 or more.

    Example:
        >>> import torch
        >>> strokes = torch.zeros(1, 8, 8, dtype=torch.int64)
        >>> strokes[0, 1], strokes[0, 5, :2] = 1, 2
        >>> drawn = strokes > 0
        >>> drawn[0, 1, 3:] = False
        >>> metric = StrokesFound(tolerance=0)
        >>> metric.update(drawn, strokes)
        >>> metric.compute().item()
        0.5
    """

    figure = "found"
