"""Soft Sobel edges: how strong a step of colour each pixel lies on."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from lepbench.detectors.base import DETECTORS, SoftDetector, check_images


@DETECTORS.register("sobel")
class Sobel(SoftDetector):
    """Sobel magnitude of the blurred picture, strongest over the three colour channels, optionally thinned.

    The scale is contrast: a long straight step of height c in one channel is graded c, whatever `sigma`.

    It is a second opinion beside Canny, so it differs where it can: each colour channel counts (Canny sees
    only grey, and so not a red shape on a green ground of equal luminance), a pixel is judged alone against
    one threshold (no hysteresis, so no chain pulls in faint pixels), the blur is finer, and thinning
    interpolates along the true gradient direction instead of rounding it to 45 degrees.

    Settings: `sigma` of the blur in px; `thin` keeps only ridges, about 1 px wide; `threshold` in contrast.
    """

    version: ClassVar[str] = "1"

    name: Literal["sobel"] = "sobel"
    sigma: float = Field(default=0.7, gt=0)
    thin: bool = True
    threshold: float = Field(default=0.1, ge=0, lt=1)

    @torch.no_grad()
    def soft(self, images: Tensor) -> Tensor:
        check_images(images)
        kernel = gaussian(self.sigma).to(images.device)
        horizontal, vertical = gradients(blur(images.float(), kernel))
        magnitude = torch.hypot(horizontal, vertical)
        strongest = magnitude.argmax(1, keepdim=True)
        strength, dx, dy = (t.gather(1, strongest)[:, 0] for t in (magnitude, horizontal, vertical))
        if self.thin:
            strength = strength * is_ridge(strength, dx, dy)
        centre = kernel.numel() // 2
        unit_step = 4 * (kernel[centre] + kernel[centre + 1])
        return (strength / unit_step).clamp(max=1)


def gaussian(sigma: float) -> Tensor:
    """A normalised Gaussian kernel, float32 [2r + 1] with r three sigma, at least 1."""
    radius = max(1, math.ceil(3 * sigma))
    offsets = torch.arange(-radius, radius + 1, dtype=torch.float32)
    weights = torch.exp(-0.5 * (offsets / sigma) ** 2)
    return weights / weights.sum()


def separable(images: Tensor, row: Tensor, column: Tensor) -> Tensor:
    """Correlate every channel of [B, C, H, W] with `row` along x and `column` along y, edges replicated."""
    radius = row.numel() // 2
    channels = images.flatten(0, 1).unsqueeze(1)
    padded = F.pad(channels, (radius,) * 4, mode="replicate")
    filtered = F.conv2d(F.conv2d(padded, row.view(1, 1, 1, -1)), column.view(1, 1, -1, 1))
    return filtered.view_as(images)


def blur(images: Tensor, kernel: Tensor) -> Tensor:
    """Gaussian blur of [B, C, H, W] with a 1-D kernel."""
    return separable(images, kernel, kernel)


def gradients(images: Tensor) -> tuple[Tensor, Tensor]:
    """Unnormalised Sobel derivatives along x and y of [B, C, H, W]; a unit step gives 4."""
    smooth, slope = images.new_tensor([1.0, 2.0, 1.0]), images.new_tensor([-1.0, 0.0, 1.0])
    return separable(images, slope, smooth), separable(images, smooth, slope)


def is_ridge(strength: Tensor, dx: Tensor, dy: Tensor) -> Tensor:
    """Where `strength` [B, H, W] is a maximum along its gradient (dx, dy); of two equal pixels one is kept.

    The two values beside a pixel are interpolated between its axial and its diagonal neighbour, in proportion
    to the slope of the gradient; on an axis the interpolation is exact, so that ties are broken by rule.
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

    return (strength > ahead(-1)) & (strength >= ahead(1))
