"""Weights of the guidance loss, from pixels to latent pixels."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from lepbench.errors import LepbenchError


def pool_weights(weights: Tensor, latent: tuple[int, int]) -> Tensor:
    """Pool pixel weights, float `[B, H, W]`, to latent pixels, `[B, 1, h, w]`, by area means.

    Only ratios within a sample matter, since an update's size does not depend on the gradient. One with
    weights of 0 everywhere is not guided.

    Raises:
        LepbenchError: a weight is negative or not finite.
    """
    if not bool((weights.isfinite() & (weights >= 0)).all()):
        raise LepbenchError("a weight of the sketch is negative or not finite", "give weights from 0 up")
    return F.adaptive_avg_pool2d(weights.float().unsqueeze(1), latent)
