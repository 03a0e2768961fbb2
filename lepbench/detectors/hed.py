"""HED: holistically nested edges, in the variant of ControlNet's soft edges."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lepbench.detectors.annotators import PACKAGE, load_annotator
from lepbench.detectors.base import DETECTORS
from lepbench.detectors.network import NetworkDetector


@DETECTORS.register("hed")
class Hed(NetworkDetector):
    """The sigmoid of the mean of five scales' edges, each enlarged to the picture's size.

    It reads red, green and blue in [0, 255], not standardised: these weights were trained so, unlike the
    paper's.

    Settings: `threshold`; `weights` and `sha256`, see `NetworkDetector`.

    Source: Xie, Tu, "Holistically-nested edge detection", ICCV 2015; the network is `controlnet_aux`'s.
    """

    version: ClassVar[str] = "1"
    checked: ClassVar[str] = (
        "controlnet_aux with random weights, sides multiples of 64; no published map could be compared"
    )
    multiple: ClassVar[int] = 16
    package: ClassVar[str | None] = PACKAGE

    name: Literal["hed"] = "hed"

    @classmethod
    def build(cls) -> nn.Module:
        network: nn.Module = load_annotator("hed", "ControlNetHED_Apache2")()
        return network

    def grade(self, network: nn.Module, images: Tensor) -> Tensor:
        size = images.shape[-2:]
        scales = [F.interpolate(side, size, mode="bilinear") for side in network(255 * images)]
        return torch.sigmoid(torch.stack(scales).mean(0))[:, 0]
