"""Training losses."""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Of predicted and true edge latents `[B, C, h, w]` and of where strokes are, bool `[B, h, w]`; a scalar."""


def mse(predicted: Tensor, target: Tensor, strokes: Tensor) -> Tensor:
    """Mean squared error over the whole batch."""
    return F.mse_loss(predicted, target)


def balanced(predicted: Tensor, target: Tensor, strokes: Tensor) -> Tensor:
    """The mean of two mean squared errors: over latents with a stroke, and over the background.

    Edges are sparse, so the plain mean is dominated by the background. Means are over the whole batch; a
    batch with only background, or only strokes, has a single mean. (Similar to the sparse loss of Luo et al.,
    "Readout Guidance", 2024.)
    """
    errors = (predicted - target).square().mean(dim=1)
    parts = [errors[where].mean() for where in (strokes, ~strokes) if bool(where.any())]
    return sum(parts[1:], parts[0]) / len(parts)


LOSSES: dict[str, Loss] = {"mse": mse, "balanced": balanced}
