"""Edges by the morphological gradient: how far the brightest neighbour is from the darkest."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field
from torch import Tensor
from torch.nn import functional

from lepbench.detectors import DETECTORS, SoftDetector

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue (ITU-R BT.601)."""


@DETECTORS.register("morphological")
class Morphological(SoftDetector):
    """Dilation less erosion of the luma over a square window (Beucher, 1990)."""

    version: ClassVar[str] = "1"
    """Raised whenever the same settings would give another map."""

    name: Literal["morphological"] = "morphological"
    threshold: float = Field(default=0.15, ge=0, lt=1)
    reach: int = Field(default=1, ge=1, le=16)
    """How far the window reaches from its centre, in px."""

    def soft(self, images: Tensor) -> Tensor:
        """Edge strength, float32 [B, H, W] in [0, 1], of float [B, 3, H, W] in [0, 1]."""
        weights = images.new_tensor(LUMA)[:, None, None]
        luma = (images * weights).sum(dim=1)
        side = 2 * self.reach + 1
        framed = functional.pad(luma[:, None], (self.reach,) * 4, mode="replicate")
        dilated = functional.max_pool2d(framed, side, stride=1)
        eroded = -functional.max_pool2d(-framed, side, stride=1)
        return (dilated - eroded)[:, 0].clamp(0, 1)
