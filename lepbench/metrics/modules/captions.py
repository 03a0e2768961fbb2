"""Agreement of a picture's features with those of its caption or class."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from lepbench.metrics.classes import class_accuracy
from lepbench.metrics.clip import clip_score, cosine
from lepbench.metrics.modules.mean import MeanOverSamples


class ClipSimilarity(MeanOverSamples):
    """Mean over pairs of the raw cosine of picture and caption, in [-1, 1]; see `cosine`.

    Example:
        >>> import torch
        >>> metric = ClipSimilarity()
        >>> metric.update(torch.tensor([[3.0, 4.0]]), torch.tensor([[-1.0, 0.0]]))
        >>> round(metric.compute().item(), 4)
        -0.6
    """

    def update(self, image_features: Tensor, text_features: Tensor) -> None:
        """Add features of pairs, [B, D] each, of any length."""
        self.add_figures(cosine(image_features, text_features).detach().cpu())


class ClipScore(MeanOverSamples):
    """Mean over pairs of 100 cosines, each clamped at 0: what others publish; see `clip_score`.

    Example:
        >>> import torch
        >>> metric = ClipScore()
        >>> metric.update(torch.tensor([[3.0, 4.0], [3.0, 4.0]]), torch.tensor([[1.0, 0.0], [-1.0, 0.0]]))
        >>> round(metric.compute().item(), 4)
        30.0
    """

    def update(self, image_features: Tensor, text_features: Tensor) -> None:
        """Add features of pairs, [B, D] each, of any length."""
        self.add_figures(clip_score(image_features, text_features).detach().cpu())


class ClassAccuracy(MeanOverSamples):
    """Share of pictures nearer to their own class than to any other; see `class_accuracy`.

    Args:
        class_features: [C, D], one a class.

    Example:
        >>> import torch
        >>> metric = ClassAccuracy(torch.eye(3))
        >>> metric.update(torch.tensor([[2.0, 1.0, 0.0], [0.0, 1.0, 3.0]]), torch.tensor([0, 1]))
        >>> metric.compute().item()
        0.5
    """

    class_features: Tensor

    def __init__(self, class_features: Tensor, **settings: Any) -> None:
        super().__init__(**settings)
        self.register_buffer("class_features", class_features, persistent=False)

    def update(self, image_features: Tensor, labels: Tensor) -> None:
        """Add features [B, D] and the true classes, integer [B].

        Raises:
            ValueError: the shapes do not fit, or a label is no class.
        """
        self.add_figures(class_accuracy(image_features, self.class_features, labels))
