"""How much each part of a sketch matters: weights of the loss, from pixels to the latent."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from lepbench.errors import LepbenchError


def pool_weights(weights: Tensor, latent: tuple[int, int]) -> Tensor:
    """Weights of pixels, float `[B, H, W]`, as those of latent pixels, `[B, 1, h, w]`: means over areas.

    Only ratios within a sample matter, since a shift's length does not depend on its gradient's. One with
    weights of 0 everywhere is not steered.

    Raises:
        LepbenchError: a weight is negative or not finite.
    """
    if not bool((weights.isfinite() & (weights >= 0)).all()):
        raise LepbenchError("a weight of the sketch is negative or not finite", "give weights from 0 up")
    return F.adaptive_avg_pool2d(weights.float().unsqueeze(1), latent)
