"""OpenCV's own Canny, straight from 8-bit pixels."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from lepbench.detectors.base import DETECTORS, check_images
from lepbench.detectors.hysteresis import HysteresisDetector
from lepbench.images import Pixels, to_pixels


@DETECTORS.register("cv2-canny")
class Cv2Canny(HysteresisDetector):
    """The map of `cv2.Canny` of the grey picture: Sobel, thinning and hysteresis, without a blur.

    Settings: `low` and `high` in 8-bit units of the Sobel magnitude; `aperture` of the Sobel operator; `l2`
    takes the gradient's length for its magnitude, and not the sum of its parts. The defaults are those of
    ControlNet's annotator. It works on 8-bit pixels: `of_pixels` is quick, and a call on floats rounds them.

    Source: Canny, "A computational approach to edge detection", PAMI 1986; OpenCV for every detail.
    """

    version: ClassVar[str] = "1"
    checked: ClassVar[str] = "cv2.Canny, equal in every pixel"

    name: Literal["cv2-canny"] = "cv2-canny"
    low: float = Field(default=100.0, gt=0)
    high: float = Field(default=200.0, gt=0)
    aperture: Literal[3, 5, 7] = 3
    l2: bool = False

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Tensor:
        check_images(images)
        return torch.from_numpy(self.of_pixels(to_pixels(images))).to(images.device)

    def of_pixels(self, pixels: Pixels, device: Any = "cpu") -> NDArray[np.bool_]:
        """Edge maps of 8-bit images, uint8 [B, H, W, 3] to bool [B, H, W]; always on the CPU."""
        edges = np.empty(pixels.shape[:3], dtype=np.bool_)
        for picture, out in zip(pixels, edges, strict=True):
            grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
            found = cv2.Canny(grey, self.low, self.high, apertureSize=self.aperture, L2gradient=self.l2)
            np.not_equal(found, 0, out=out)
        return edges
