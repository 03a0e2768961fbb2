"""The backbone alone: the sketch is not looked at."""

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
    """No settings: what there is to set belongs to backbone and sampler."""

    name: Literal["unguided"] = "unguided"

    def build(self, backbone: Backbone | None, sampler: SamplerSettings) -> Unguided:
        assert backbone is not None
        return Unguided(backbone, sampler)


@dataclass(frozen=True)
class Unguided(Method):
    """Draws the prompt."""

    backbone: Backbone
    sampler: SamplerSettings

    def draw(self, requests: Sequence[Request]) -> Tensor:
        return draw_pictures(self.backbone, self.sampler, requests)
