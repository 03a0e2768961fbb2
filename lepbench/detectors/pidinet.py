"""PiDiNet: a small network of pixel differences, the detector of the paper on sketch-guided diffusion."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field
from torch import Tensor, nn

from lepbench.detectors.annotators import PACKAGE, load_annotator
from lepbench.detectors.base import DETECTORS
from lepbench.detectors.network import NetworkDetector

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's red, green and blue, in [0, 1], as in the authors' code."""


@DETECTORS.register("pidinet")
class Pidinet(NetworkDetector):
    """The fused map of PiDiNet (carv4, 60 channels, with its dilation and attention modules).

    Settings: `as`, how the network is called: "published", as by its authors, on standardised red, green
    and blue; "controlnet", as by ControlNet's annotator, on blue, green and red in [0, 1], which gives
    another map with the same weights. `threshold`; `weights` and `sha256`, see `NetworkDetector`.

    Images are read at their own size, to which the network enlarges its inner maps: another size moves them.

    Source: Su et al., "Pixel difference networks for efficient edge detection", ICCV 2021; the network is
    `controlnet_aux`'s.
    """

    version: ClassVar[str] = "2"
    checked: ClassVar[str] = (
        "three of the authors' maps of BSDS500 by their weights, correlation 0.997; "
        "as controlnet: controlnet_aux with random weights, sides multiples of 64"
    )
    least: ClassVar[int] = 8
    package: ClassVar[str | None] = PACKAGE

    name: Literal["pidinet"] = "pidinet"
    convention: Literal["published", "controlnet"] = Field(default="published", alias="as")

    @classmethod
    def build(cls) -> nn.Module:
        network: nn.Module = load_annotator("pidi.model", "pidinet")()
        return network

    def grade(self, network: nn.Module, images: Tensor) -> Tensor:
        fused: Tensor = network(self._prepare(images))[-1]
        return fused[:, 0]

    def _prepare(self, images: Tensor) -> Tensor:
        """What the network reads, of [B, 3, H, W] in [0, 1]."""
        if self.convention == "controlnet":
            return images.flip(1)
        mean, deviation = (images.new_tensor(each)[:, None, None] for each in (MEAN, DEVIATION))
        return (images - mean) / deviation
