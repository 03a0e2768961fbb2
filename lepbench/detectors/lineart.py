"""Line art: a network that renders an image as a line drawing, as in ControlNet."""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import Tensor, nn

from lepbench.detectors.annotators import PACKAGE, load_annotator
from lepbench.detectors.base import DETECTORS
from lepbench.detectors.network import NetworkDetector


@DETECTORS.register("lineart")
class Lineart(NetworkDetector):
    """One minus the brightness of the drawing, of red, green and blue in [0, 1] at the images' own size.

    Settings: `coarse`, the weights of bolder drawings, where none are given; `threshold`; `weights` and
    `sha256`, see `NetworkDetector`.

    Source: Chan, Durand, Isola, "Learning to generate line drawings that convey geometry and semantics",
    CVPR 2022; the network is `controlnet_aux`'s.
    """

    version: ClassVar[str] = "2"
    checked: ClassVar[str] = (
        "controlnet_aux with random weights, sides multiples of 64; no published map could be compared"
    )
    least: ClassVar[int] = 8
    package: ClassVar[str | None] = PACKAGE

    name: Literal["lineart"] = "lineart"
    coarse: bool = False

    @property
    def published(self) -> str:
        return "lineart-coarse" if self.coarse else "lineart"

    @classmethod
    def build(cls) -> nn.Module:
        network: nn.Module = load_annotator("lineart", "Generator")(3, 1, 3)
        return network

    def grade(self, network: nn.Module, images: Tensor) -> Tensor:
        drawing: Tensor = network(images)
        return 1 - drawing[:, 0]
