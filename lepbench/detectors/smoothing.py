"""Gaussian blur and small correlations as sums of shifted pictures: the same bits in any batch."""

from __future__ import annotations

import math

import torch.nn.functional as F
from torch import Tensor


def gaussian(sigma: float) -> list[float]:
    """The weights of a normalised Gaussian, 2r + 1 of them with r three sigma, at least 1."""
    radius = max(1, math.ceil(3 * sigma))
    weights = [math.exp(-0.5 * (offset / sigma) ** 2) for offset in range(-radius, radius + 1)]
    return [weight / sum(weights) for weight in weights]


def correlate(images: Tensor, weights: list[float], dim: int) -> Tensor:
    """Correlate [B, C, H, W] with odd weights along x (dim -1) or y (dim -2), border pixels repeated.

    A sum of shifted pictures: quick for a handful of weights, and the same bits in any batch.
    """
    radius, length = len(weights) // 2, images.shape[dim]
    sides = (radius, radius, 0, 0) if dim == -1 else (0, 0, radius, radius)
    padded = F.pad(images, sides, mode="replicate")
    total = weights[0] * padded.narrow(dim, 0, length)
    for shift, weight in enumerate(weights[1:], start=1):
        total.add_(padded.narrow(dim, shift, length), alpha=weight)
    return total


def blur(images: Tensor, weights: list[float]) -> Tensor:
    """Blur [B, C, H, W] by the same weights along both axes."""
    return correlate(correlate(images, weights, -1), weights, -2)
