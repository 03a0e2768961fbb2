"""DexiNed: a dense extreme inception network that draws thin edges at six scales and fuses them."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from lepbench.detectors.base import DETECTORS
from lepbench.detectors.network import NetworkDetector

MEAN = (103.939, 116.779, 123.68)
"""Of the blue, green and red channel of the pictures it was trained on, of 255."""


@DETECTORS.register("dexined")
class Dexined(NetworkDetector):
    """kornia's DexiNed at the pictures' own size, on blue, green and red in [0, 255] less their mean.

    Settings: `output`, "fused" for the last layer, "average" for the mean of it and the six scales' strengths
    (the paper's DexiNed-f and DexiNed-a, the latter without stretching each map to its own range);
    `threshold`; `weights` and `sha256`, see `NetworkDetector`.

    Source: Soria, Riba, Sappa, "Dense extreme inception network", WACV 2020.
    """

    version: ClassVar[str] = "1"
    checked: ClassVar[str] = (
        "kornia's detector with random weights, sides multiples of 16; no published map could be compared"
    )
    multiple: ClassVar[int] = 16

    name: Literal["dexined"] = "dexined"
    output: Literal["fused", "average"] = "fused"

    @classmethod
    def build(cls) -> nn.Module:
        from kornia.models.dexined import DexiNed

        network: nn.Module = DexiNed(pretrained=False)
        return network

    def grade(self, network: Any, images: Tensor) -> Tensor:
        mean = images.new_tensor(MEAN)[:, None, None]
        scales = torch.cat(network.get_features(255 * images.flip(1) - mean), dim=1)
        fused = network.block_cat(scales)
        if self.output == "fused":
            return torch.sigmoid(fused)[:, 0]
        return torch.sigmoid(torch.cat((scales, fused), dim=1)).mean(1)
