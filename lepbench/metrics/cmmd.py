"""CMMD: squared MMD of two sets of CLIP features under a Gaussian kernel."""

from __future__ import annotations

import numpy as np

from lepbench.metrics.features import Features, as_matrix
from lepbench.metrics.frechet import Array

SIGMA = 10.0
SCALE = 1000.0
BLOCK = 1024


def cmmd(x: Features, y: Features) -> float:
    """1000 times the squared maximum mean discrepancy of unit features under a Gaussian kernel of width 10.

    The published figure is the biased estimate, every feature being paired with itself too; it is 0 for equal
    sets and never negative. It is defined for CLIP ViT-L/14 at 336 px; on another CLIP model it is another
    figure.

    Args:
        x: features [N, D]; they are brought to unit length here.
        y: features [M, D].

    Raises:
        ValueError: they are no matrices of one width, or a feature is not finite or of length 0.

    Source: Jayasumana et al., "Rethinking FID: towards a better evaluation metric for
    image generation", 2024.
    """
    first, second = _unit(x), _unit(y)
    if first.shape[1] != second.shape[1]:
        raise ValueError(f"features differ in length: {first.shape[1]} and {second.shape[1]}")
    within = mean_kernel(first, first) + mean_kernel(second, second)
    return SCALE * (within - 2 * mean_kernel(first, second))


def mean_kernel(first: Array, second: Array) -> float:
    """Mean of exp(-|a - b|^2 / (2 * 10^2)) over all pairs of unit features."""
    blocks = range(0, len(second), BLOCK)
    total = sum(np.exp((first @ second[k : k + BLOCK].T - 1) / SIGMA**2).sum() for k in blocks)
    return float(total / (len(first) * len(second)))


def _unit(features: Features) -> Array:
    matrix = as_matrix(features)
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    if not lengths.all():
        raise ValueError("a feature has length 0 and so no direction")
    return np.asarray(matrix / lengths)
