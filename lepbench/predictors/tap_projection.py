"""A linear layer over all taps, resized and concatenated, without the concatenation."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lepbench.predictors.base import Predictor
from lepbench.predictors.config import PredictorConfig


class SlicedPredictor(Predictor):
    """A predictor whose first layer is linear over the concatenated taps.

    A linear layer over concatenated channels is the sum of one linear layer a tap, and a linear layer over
    channels commutes with bilinear resizing, so each tap is projected at its own resolution (or the
    latent's, if that is smaller), taps of one resolution are summed, and the few sums are resized: the
    same function, cheaper.

    Taps differ in scale by orders of magnitude, so each channel is standardised first (BatchNorm without
    affine terms; while sampling, its running statistics).
    """

    def __init__(self, config: PredictorConfig, width: int) -> None:
        super().__init__(config)
        channels = list(config.taps.values())
        self.standardise = nn.ModuleList(nn.BatchNorm2d(count, affine=False) for count in channels)
        self.slices = nn.ModuleList(nn.Conv2d(count, width, 1, bias=False) for count in channels)

    def add_slices(self, total: Tensor, features: Mapping[str, Tensor], size: tuple[int, int]) -> Tensor:
        """`total` plus the layer's output `[B, width, h, w]`, in the precision of its weights."""
        weight = next(self.slices.parameters())
        sums: dict[torch.Size, Tensor] = {}
        for position, standardise, part in zip(self.config.taps, self.standardise, self.slices, strict=True):
            local = standardise(features[position].to(weight))
            if local.shape[-2] * local.shape[-1] > size[0] * size[1]:
                local = resize(local, size)
            local = part(local)
            side = local.shape[-2:]
            sums[side] = sums[side] + local if side in sums else local
        for local in sums.values():
            total = total + resize(local, size)
        return total


def resize(features: Tensor, size: tuple[int, int]) -> Tensor:
    """Bilinear resizing of `[B, C, h, w]` to `size`, pixel centres aligned."""
    if features.shape[-2:] == torch.Size(size):
        return features
    return F.interpolate(features, size=size, mode="bilinear", align_corners=False)
