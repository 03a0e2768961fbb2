"""Overlap of masks, and agreement of soft maps."""

from __future__ import annotations

from torch import Tensor

from lepbench.metrics.masks import mask_iou
from lepbench.metrics.modules.mean import MeanOverSamples
from lepbench.metrics.soft import ms_ssim, soft_iou


class MaskIoU(MeanOverSamples):
    """Mean over samples of the overlap of masks; see `mask_iou`.

    Example:
        >>> import torch
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
        self.add_figures(mask_iou(predicted, target))


class SoftIoU(MeanOverSamples):
    """Mean over samples of the overlap of soft maps; see `soft_iou`.

    Example:
        >>> import torch
        >>> metric = SoftIoU()
        >>> metric.update(torch.full((1, 4, 4), 0.25), torch.full((1, 4, 4), 0.5))
        >>> metric.compute().item()
        0.5
    """

    def update(self, predicted: Tensor, target: Tensor) -> None:
        """Add soft maps, float [B, H, W] in [0, 1] each.

        Raises:
            ValueError: they differ in shape or are no such maps.
        """
        self.add_figures(soft_iou(predicted, target))


class MultiScaleSSIM(MeanOverSamples):
    """Mean over samples of the MS-SSIM of soft maps, on as many scales as fit; see `ms_ssim`.

    Example:
        >>> import torch
        >>> soft = torch.rand(1, 64, 64, generator=torch.Generator().manual_seed(0))
        >>> metric = MultiScaleSSIM()
        >>> metric.update(soft, soft)
        >>> round(metric.compute().item(), 6)
        1.0
    """

    def update(self, predicted: Tensor, target: Tensor) -> None:
        """Add soft maps, float [B, H, W] in [0, 1] each.

        Raises:
            ValueError: they differ in shape, are no such maps, or are less than 11 px a side.
        """
        self.add_figures(ms_ssim(predicted, target))
