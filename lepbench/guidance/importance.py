"""Weights of the guidance loss: from an image to pixels, and from pixels to latent pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from lepbench.errors import LepbenchError
from lepbench.guidance.fit import fit_weights
from lepbench.images import open_as, split_opacity

UNIFORM = 1 / 255
"""Range of weights, as a share of the largest, up to which they are all alike."""


def read_weights(path: Path, size: tuple[int, int]) -> NDArray[np.float32]:
    """Read how much each part of a sketch matters, float [height, width] in [0, 1], from an image.

    A weight is the pixel's grey level times its opacity: what is transparent does not matter. An image of
    another size is fitted like its sketch, by averages, with border padding.

    Raises:
        LepbenchError: no image, or black or transparent everywhere.
    """
    colours, opacity = open_as(split_opacity, path)
    weights = np.asarray(np.asarray(colours.convert("L")) / 255, np.float32)
    if opacity is not None:
        weights = np.asarray(weights * (opacity / 255), np.float32)
    if not weights.any():
        seen = "black" if opacity is None else "black or transparent everywhere"
        raise LepbenchError(f"{path} is {seen}: no part of a sketch matters", "paint what matters white")
    return fit_weights(weights, size)


def find_uniform(weights: NDArray[np.floating]) -> bool:
    """Whether all weights are alike and above 0, so that they change nothing."""
    largest = float(np.max(weights))
    return largest > 0 and bool(np.ptp(weights) <= UNIFORM * largest)


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
