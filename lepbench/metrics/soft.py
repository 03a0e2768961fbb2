"""Agreement of soft edge maps without a threshold: soft IoU and MS-SSIM."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[np.float64]

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponents of the scales of MS-SSIM, finest first, as published."""
WINDOW = 11
"""Pixels a side of its Gaussian window, sigma 1.5."""
LUMINANCE_FLOOR, CONTRAST_FLOOR = 0.01**2, 0.03**2


def soft_iou(predicted: Tensor, target: Tensor) -> Array:
    """Sum of the pixelwise minima over that of the maxima; of maps of 0 and 1, their overlap.

    Args:
        predicted: float [B, H, W] in [0, 1].
        target: float [B, H, W] in [0, 1].

    Returns:
        float64 [B] in [0, 1]; 1 where both maps are empty.

    Source: the Jaccard index of fuzzy sets, a similarity of Ruzicka's, 1958.

    Raises:
        ValueError: the maps differ in shape, or are not float [B, H, W] in [0, 1].
    """
    first, second = _as_soft_pair(predicted, target)
    both, either = (op(first, second).sum(axis=(1, 2)) for op in (np.minimum, np.maximum))
    return np.where(either > 0, both / np.where(either > 0, either, 1.0), 1.0)


def ms_ssim(predicted: Tensor, target: Tensor) -> Array:
    """Multi-scale structural similarity, on as many of its five scales as fit.

    Each scale has half the pixels a side of the one before. On a map too small for all five, the weights of
    the scales that fit are divided by their sum: another figure, to be compared at one size only. Equal to
    torchmetrics: a negative similarity counts as 0, borders are mirrored, and left out but at the last scale.

    Args:
        predicted: float [B, H, W] in [0, 1].
        target: float [B, H, W] in [0, 1].

    Returns:
        float64 [B] in [0, 1], 1 for equal maps; two empty maps are equal.

    Source: Wang, Simoncelli and Bovik, "Multiscale structural similarity for image quality assessment", 2003.

    Raises:
        ValueError: a side is below 11 px, or the maps differ in shape, or are not float [B, H, W] in [0, 1].
    """
    first, second = _as_soft_pair(predicted, target)
    weights = scale_weights(*first.shape[1:])
    pairs = zip(first, second, strict=True)
    return np.array([_similarity(a, b, weights) for a, b in pairs], dtype=np.float64)


def scales_of(height: int, width: int) -> int:
    """How many of the five scales of MS-SSIM a map takes: as long as one 11 x 11 window fits the coarsest.

    From 11, 22, 44, 88 and 176 px of the shorter side on 1, 2, 3, 4 and 5; so 3 at 64 px.

    Raises:
        ValueError: not even one.
    """
    fitting = sum(min(height, width) >> scale >= WINDOW for scale in range(len(WEIGHTS)))
    if not fitting:
        raise ValueError(f"MS-SSIM needs {WINDOW} px a side, got {height} x {width}")
    return fitting


def scale_weights(height: int, width: int) -> tuple[float, ...]:
    """Exponents of the scales that fit, finest first: as published if all five do, else divided by their sum.

    Raises:
        ValueError: no scale fits.
    """
    scales = scales_of(height, width)
    fitting = WEIGHTS[:scales]
    return WEIGHTS if scales == len(WEIGHTS) else tuple(weight / sum(fitting) for weight in fitting)


def _similarity(first: Array, second: Array, weights: tuple[float, ...]) -> float:
    """MS-SSIM of one pair of maps [H, W]."""
    product, border = 1.0, WINDOW // 2
    for weight in weights[:-1]:
        contrast = _structure(first, second)[1][border:-border, border:-border]
        product *= max(float(contrast.mean()), 0.0) ** weight
        first, second = _halved(first), _halved(second)
    luminance, contrast = _structure(first, second)
    return float(product * max(float((luminance * contrast).mean()), 0.0) ** weights[-1])


def _structure(first: Array, second: Array) -> tuple[Array, Array]:
    """Luminance and contrast terms of SSIM at every pixel, [H, W] each."""
    moments = np.stack([first, second, first * first, second * second, first * second], axis=-1)
    blurred = cv2.GaussianBlur(moments, (WINDOW, WINDOW), 1.5, borderType=cv2.BORDER_REFLECT_101)
    a, b, aa, bb, ab = np.moveaxis(blurred, -1, 0)
    luminance = (2 * a * b + LUMINANCE_FLOOR) / (a * a + b * b + LUMINANCE_FLOOR)
    contrast = (2 * (ab - a * b) + CONTRAST_FLOOR) / (aa - a * a + bb - b * b + CONTRAST_FLOOR)
    return luminance, contrast


def _halved(values: Array) -> Array:
    """Means of 2 x 2 pixels; an odd last row or column is left out."""
    height, width = (side // 2 for side in values.shape)
    return np.asarray(values[: 2 * height, : 2 * width].reshape(height, 2, width, 2).mean(axis=(1, 3)))


def _as_soft_pair(predicted: Tensor, target: Tensor) -> tuple[Array, Array]:
    """Two stacks of soft maps of one shape as arrays.

    Raises:
        ValueError: they differ in shape, or are not float [B, H, W] in [0, 1].
    """
    if predicted.shape != target.shape:
        raise ValueError(f"maps differ in shape: {tuple(predicted.shape)} and {tuple(target.shape)}")
    return _as_soft(predicted), _as_soft(target)


def _as_soft(maps: Tensor) -> Array:
    if not maps.is_floating_point() or maps.ndim != 3:
        raise ValueError(f"expected float [B, H, W], got {maps.dtype} {tuple(maps.shape)}")
    array: Array = maps.detach().cpu().double().numpy()
    # Written so that NaN fails.
    if not (array.min(initial=0) >= 0 and array.max(initial=0) <= 1):
        raise ValueError("a soft map holds values outside [0, 1]")
    return array
