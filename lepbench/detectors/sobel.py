"""Soft Sobel edges: the strength of the colour gradient at each pixel."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from lepbench.detectors.base import DETECTORS, SoftDetector, check_images

# Strengths closer than this are equal: far above float32 rounding, far below any contrast of interest.
TIE = 1e-5


@DETECTORS.register("sobel")
class Sobel(SoftDetector):
    """Sobel magnitude of the blurred picture, strongest over the three colour channels, optionally thinned.

    The scale is contrast: a long straight step of height c in one channel is graded c, whatever `sigma`.

    It is a second detector beside Canny, so it differs in several ways: it reads each colour channel (Canny
    reads grey, and misses a red shape on a green background of equal luminance), each pixel is compared with
    one threshold (no hysteresis), the blur is finer, and thinning
    interpolates along the true gradient direction instead of rounding it to 45 degrees.

    Settings: `sigma` of the blur in px; `thin` keeps only ridges, about 1 px wide; `threshold` in contrast.
    Its default is the middle of a plateau: on clean and noisy renders 0.08 to 0.2 finds the same contours.
    """

    version: ClassVar[str] = "1"
    checked: ClassVar[str] = "steps of known height; a method of our own, without published maps"

    name: Literal["sobel"] = "sobel"
    sigma: float = Field(default=0.7, gt=0)
    thin: bool = True
    threshold: float = Field(default=0.15, ge=0, lt=1)

    @torch.no_grad()
    def soft(self, images: Tensor) -> Tensor:
        check_images(images)
        weights = gaussian(self.sigma)
        horizontal, vertical = gradients(blur(images.float(), weights))
        strongest = (horizontal.square() + vertical.square()).argmax(1, keepdim=True)
        dx, dy = horizontal.gather(1, strongest)[:, 0], vertical.gather(1, strongest)[:, 0]
        centre = len(weights) // 2
        unit_step = 4 * (weights[centre] + weights[centre + 1])
        strength = torch.sqrt(dx.square() + dy.square()) / unit_step
        if self.thin:
            strength = strength * is_ridge(strength, dx, dy)
        return strength.clamp(max=1)


def gaussian(sigma: float) -> list[float]:
    """The weights of a normalised Gaussian, 2r + 1 of them with r three sigma, at least 1."""
    radius = max(1, math.ceil(3 * sigma))
    weights = [math.exp(-0.5 * (offset / sigma) ** 2) for offset in range(-radius, radius + 1)]
    return [weight / sum(weights) for weight in weights]


def correlate(images: Tensor, weights: list[float], dim: int) -> Tensor:
    """Correlate [B, C, H, W] with odd weights along x (dim -1) or y (dim -2), border pixels repeated.

    A sum of shifted images: fast for few weights, and bit-identical in any batch.
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


def gradients(images: Tensor) -> tuple[Tensor, Tensor]:
    """Unnormalised Sobel derivatives along x and y of [B, C, H, W]; a unit step gives 4."""
    smooth, slope = [1.0, 2.0, 1.0], [-1.0, 0.0, 1.0]
    along_x = correlate(correlate(images, slope, -1), smooth, -2)
    along_y = correlate(correlate(images, smooth, -1), slope, -2)
    return along_x, along_y


def is_ridge(strength: Tensor, dx: Tensor, dy: Tensor) -> Tensor:
    """Where `strength` [B, H, W] is a maximum along its gradient (dx, dy).

    The two values beside a pixel are interpolated between its axial and its diagonal neighbour, in proportion
    to the slope of the gradient. The two pixels beside a sharp step are equal but for rounding: of such a
    pair the left or upper one is kept.
    """
    padded = F.pad(strength, (1, 1, 1, 1))
    height, width = strength.shape[-2:]

    def beside(y: int, x: int) -> Tensor:
        return padded[:, 1 + y : 1 + y + height, 1 + x : 1 + x + width]

    flat = dx.abs() >= dy.abs()
    falling = dx * dy >= 0
    slope = torch.where(flat, dy / dx, dx / dy).abs().nan_to_num()

    def ahead(sign: int) -> Tensor:
        axial = torch.where(flat, beside(0, sign), beside(sign, 0))
        rising_diagonal = torch.where(flat, beside(-sign, sign), beside(sign, -sign))
        diagonal = torch.where(falling, beside(sign, sign), rising_diagonal)
        return (1 - slope) * axial + slope * diagonal

    return (strength > ahead(-1) + TIE) & (strength >= ahead(1) - TIE)
