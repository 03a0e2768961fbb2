"""The backbone alone, without the sketch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from lepbench.backbones import Backbone
from lepbench.backbones.cost import count_pass_flops
from lepbench.guidance import SamplerSettings
from lepbench.methods.base import METHODS, Method, MethodConfig, Request, draw_pictures
from lepbench.methods.cost import PictureFlops, count_coding_flops


@METHODS.register("unguided")
class UnguidedConfig(MethodConfig):
    """No settings beside backbone and sampler."""

    name: Literal["unguided"] = "unguided"

    def build(self, backbone: Backbone | None, sampler: SamplerSettings) -> Unguided:
        assert backbone is not None
        return Unguided(backbone, sampler)


@dataclass(frozen=True)
class Unguided(Method):
    """Samples without guidance."""

    backbone: Backbone
    sampler: SamplerSettings

    @property
    def counted(self) -> Backbone:
        return self.backbone

    def measure_flops(self, request: Request) -> PictureFlops:
        size = (request.sketch.shape[0], request.sketch.shape[1])
        once = count_coding_flops(self.backbone, request.prompt, self.sampler.guidance_scale, size)
        return PictureFlops(count_pass_flops(self.backbone, size), 0, once)

    def draw(self, requests: Sequence[Request]) -> Tensor:
        return draw_pictures(self.backbone, self.sampler, requests)
