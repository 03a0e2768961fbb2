"""Diversity among an item's samples."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from lepbench.metrics.diversity import pairwise_distances, vendi_scores
from lepbench.metrics.modules.mean import MeanOverSamples


class PairwiseDiversity(MeanOverSamples):
    """Mean over items of the mean cosine distance of an item's samples; see `pairwise_distances`.

    Example:
        >>> import torch
        >>> metric = PairwiseDiversity()
        >>> metric.update(torch.eye(3)[[0, 1, 2, 2]], torch.tensor([0, 0, 1, 1]))
        >>> metric.compute().item()
        0.5
    """

    figure: ClassVar = staticmethod(pairwise_distances)
    """Maps features and items to one figure an item."""

    def update(self, features: Tensor, items: Tensor) -> None:
        """Add all features [B, D] of some items, whose numbers are integer [B]; an item of one has no figure.

        Raises:
            ValueError: the shapes do not fit, or a feature is not finite or of length 0.
        """
        figures: NDArray[np.float64] = self.figure(features, items.cpu().numpy())
        self.add_figures(figures[~np.isnan(figures)])


class VendiScore(PairwiseDiversity):
    """Mean over items of the Vendi score of an item's samples; see `vendi_scores`.

    Example:
        >>> import torch
        >>> metric = VendiScore()
        >>> metric.update(torch.eye(3)[[0, 1, 2, 2]], torch.tensor([0, 0, 1, 1]))
        >>> round(metric.compute().item(), 6)
        1.5
    """

    figure: ClassVar = staticmethod(vendi_scores)
