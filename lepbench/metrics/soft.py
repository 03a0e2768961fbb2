"""Do two soft edge maps agree, without a threshold? Overlap, and structure at several scales."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics.functional.image import multiscale_structural_similarity_index_measure

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Of the scales, finest first, as published."""
SMALLEST_SIDES = (11, 22, 44, 99, 176)
"""Pixels of the shorter side from which 1, 2, .., 5 scales fit: 11 x 11 is the window, and torchmetrics has
limits of its own, which are the tighter ones from four scales on."""


def soft_iou(predicted: Tensor, target: Tensor) -> NDArray[np.float64]:
    """Sum of the pixelwise minima over that of the maxima; of maps of 0 and 1, their overlap.

    Args:
        predicted: float [B, H, W] in [0, 1].
        target: float [B, H, W] in [0, 1].

    Returns:
        float64 [B] in [0, 1]; 1 where both maps are empty.

    Source: Ruzicka, 1958; the Jaccard index of fuzzy sets.

    Raises:
        ValueError: the maps differ in shape, or are not float [B, H, W] in [0, 1].
    """
    first, second = _as_soft_pair(predicted, target)
    either = torch.maximum(first, second).sum(dim=(1, 2)).numpy()
    both = torch.minimum(first, second).sum(dim=(1, 2)).numpy()
    return np.where(either > 0, both / np.where(either > 0, either, 1.0), 1.0)


def ms_ssim(predicted: Tensor, target: Tensor) -> NDArray[np.float64]:
    """Multi-scale structural similarity, by torchmetrics, on as many of its five scales as fit.

    Each scale has half the pixels a side of the one before. On a map too small for all five, the weights of
    the scales that fit are divided by their sum: another figure, to be compared at one size only. Negative
    similarities count as 0. Everything is done in float64.

    Args:
        predicted: float [B, H, W] in [0, 1].
        target: float [B, H, W] in [0, 1].

    Returns:
        float64 [B] in [0, 1], 1 for equal maps; two empty maps are equal.

    Source: Wang, Simoncelli and Bovik, "Multi-scale structural similarity for image quality assessment",
    2003. As in torchmetrics, the coarsest scale's mean takes in the borders, mirrored; the others' do not.

    Raises:
        ValueError: a side is below 11 px, or the maps differ in shape, or are not float [B, H, W] in [0, 1].
    """
    first, second = _as_soft_pair(predicted, target)
    weights = scale_weights(*first.shape[1:])
    if not len(first):
        return np.zeros(0)
    similarity = multiscale_structural_similarity_index_measure(
        first[:, None], second[:, None], data_range=1.0, betas=weights, reduction="none"
    )
    return cast(NDArray[np.float64], similarity.numpy())


def scales_of(height: int, width: int) -> int:
    """How many of the five scales of MS-SSIM a map of that size takes: 3 at 64 px, all 5 from 176 px on.

    Raises:
        ValueError: not even one, the shorter side being less than 11 px.
    """
    fitting = sum(min(height, width) >= side for side in SMALLEST_SIDES)
    if not fitting:
        raise ValueError(f"MS-SSIM needs {SMALLEST_SIDES[0]} px a side, got {height} x {width}")
    return fitting


def scale_weights(height: int, width: int) -> tuple[float, ...]:
    """Exponents of the scales that fit, finest first: as published if all five do, else divided by their sum.

    Raises:
        ValueError: no scale fits.
    """
    scales = scales_of(height, width)
    fitting = WEIGHTS[:scales]
    return WEIGHTS if scales == len(WEIGHTS) else tuple(weight / sum(fitting) for weight in fitting)


def _as_soft_pair(predicted: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Both maps as float64 on the CPU.

    Raises:
        ValueError: they differ in shape, or are not float [B, H, W] in [0, 1].
    """
    if predicted.shape != target.shape:
        raise ValueError(f"maps differ in shape: {tuple(predicted.shape)} and {tuple(target.shape)}")
    first, second = (_as_soft(maps) for maps in (predicted, target))
    return first, second


def _as_soft(maps: Tensor) -> Tensor:
    if not maps.is_floating_point() or maps.ndim != 3:
        raise ValueError(f"expected float [B, H, W], got {maps.dtype} {tuple(maps.shape)}")
    if not bool(((maps >= 0) & (maps <= 1)).all()):
        raise ValueError("a soft map holds values outside [0, 1]")
    return maps.detach().cpu().double()
