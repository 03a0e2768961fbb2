"""PiDiNet: a small network of pixel differences, the detector of the paper on sketch-guided diffusion."""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import Tensor, nn

from lepbench.detectors.annotators import PACKAGE, load_annotator
from lepbench.detectors.base import DETECTORS
from lepbench.detectors.network import NetworkDetector


@DETECTORS.register("pidinet")
class Pidinet(NetworkDetector):
    """The fused map of PiDiNet (carv4, 60 channels, with its dilation and attention modules).

    Channels go in as blue, green, red, which is how ControlNet's annotator calls these weights.

    Settings: `threshold`; `weights` and `sha256`, see `NetworkDetector`.

    Source: Su et al., "Pixel difference networks for efficient edge detection", ICCV 2021; the network is
    `controlnet_aux`'s.
    """

    version: ClassVar[str] = "1"
    multiple: ClassVar[int] = 8
    package: ClassVar[str | None] = PACKAGE

    name: Literal["pidinet"] = "pidinet"

    @classmethod
    def build(cls) -> nn.Module:
        network: nn.Module = load_annotator("pidi.model", "pidinet")()
        return network

    def grade(self, network: nn.Module, images: Tensor) -> Tensor:
        fused: Tensor = network(images.flip(1))[-1]
        return fused[:, 0]
