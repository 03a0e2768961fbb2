"""Several updates on the features of one pass: only the predictor is evaluated again."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

Loss = Callable[[Mapping[str, Tensor]], Tensor]
"""Features of the taps to the loss of each sample, `[B]`."""


def descend_features(features: Mapping[str, Tensor], loss: Loss, updates: int) -> dict[str, Tensor]:
    """Features at which the loss is lower, by gradient descent from those of a pass.

    The step size is Polyak's for a loss whose least value is 0, `L / ||dL/dF||^2` a sample over all its taps
    (Polyak, "Introduction to Optimization", 1987), so that nothing is to be tuned.

    Args:
        features: position to `[B, channels, height, width]`; they are not changed.
        updates: evaluations of the loss and its gradient, at least 1.

    Returns:
        As `features`, without a graph.
    """
    moved = {name: feature.detach().float() for name, feature in features.items()}
    for _ in range(updates):
        leaves = {name: feature.requires_grad_() for name, feature in moved.items()}
        losses = loss(leaves)
        gradients = torch.autograd.grad(losses.sum(), list(leaves.values()))
        square = torch.stack([gradient.square().flatten(1).sum(1) for gradient in gradients]).sum(0)
        rate = losses.detach() / square.clamp_min(torch.finfo(square.dtype).tiny)
        moved = {
            name: feature.detach() - rate.view(-1, 1, 1, 1) * gradient
            for (name, feature), gradient in zip(leaves.items(), gradients, strict=True)
        }
    return moved
