"""Extended difference of Gaussians: lines along the dark side of an edge."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from lepbench.detectors.base import DETECTORS, SoftDetector, check_images


@DETECTORS.register("xdog")
class Xdog(SoftDetector):
    """The ink of an XDoG drawing of the grey picture: 1 - T(S), with the paper's S and T.

        S = (1 + p) G_sigma * I - p G_(k sigma) * I
        T = 1 where S >= epsilon, else 1 + tanh(phi (S - epsilon))

    Lines are a few `sigma` wide and not thinned. What counts is contrast over brightness: at epsilon 0
    ink lies where one blur is below tau = p / (1 + p) of the other, whatever the light.

    Settings: `sigma` of the finer blur, px; `k`, the coarser one over it; `p`, the strength of sharpening
    (`tau` in the paper's first form); `epsilon`, the level below which there is ink, on luminance in [0, 1];
    `phi`, the steepness of the transition; `threshold` of the ink. With `epsilon` at or below 0 a flat
    picture has no ink; above it dark regions fill, as in the paper's woodcuts: style and no edge. The
    defaults are ours, chosen for thin lines.

    Source: Winnemoeller, Kyprianidis, Olsen, "XDoG: an eXtended difference-of-Gaussians compendium including
    advanced image stylization", Computers & Graphics 36, 2012.
    """

    version: ClassVar[str] = "1"
    checked: ClassVar[str] = "the paper's formulas; no published map could be compared"

    name: Literal["xdog"] = "xdog"
    sigma: float = Field(default=0.5, gt=0)
    k: float = Field(default=1.6, gt=1)
    p: float = Field(default=40.0, ge=0)
    epsilon: float = -0.2
    phi: float = Field(default=10.0, gt=0)
    threshold: float = Field(default=0.5, ge=0, lt=1)

    @torch.no_grad()
    def soft(self, images: Tensor) -> Tensor:
        from kornia.color import rgb_to_grayscale

        check_images(images)
        greys = rgb_to_grayscale(images.float().cpu())[:, 0].numpy()
        depths = np.empty(greys.shape, np.float32)
        for grey, out in zip(greys, depths, strict=True):
            fine, coarse = blurred(grey, self.sigma), blurred(grey, self.k * self.sigma)
            below = (-self.phi * (1 + self.p), self.phi * self.p, self.phi * self.epsilon)
            cv2.addWeighted(fine, below[0], coarse, below[1], gamma=below[2], dst=out)
        return torch.from_numpy(depths).clamp_(min=0).tanh_().to(images.device)


def blurred(grey: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """A picture [H, W] under a Gaussian that ends at three deviations, borders repeated."""
    side = 2 * max(1, math.ceil(3 * sigma)) + 1
    found = cv2.GaussianBlur(grey, (side, side), sigma, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.float32)
