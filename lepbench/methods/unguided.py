"""The backbone alone, without the sketch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from lepbench.backbones import Backbone
from lepbench.guidance import SamplerSettings
from lepbench.methods.base import METHODS, Method, MethodConfig, Request, draw_pictures


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

    def draw(self, requests: Sequence[Request]) -> Tensor:
        return draw_pictures(self.backbone, self.sampler, requests)
