"""The backbone alone: the sketch is not looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from lepbench.backbones import Backbone
from lepbench.guidance import SamplerSettings
from lepbench.methods.base import METHODS, MethodConfig, draw_pictures


@METHODS.register("unguided")
class UnguidedConfig(MethodConfig):
    """No settings: what there is to set belongs to backbone and sampler."""

    name: Literal["unguided"] = "unguided"

    def build(self, backbone: Backbone, sampler: SamplerSettings) -> Unguided:
        return Unguided(backbone, sampler)


@dataclass(frozen=True)
class Unguided:
    """Draws the prompt."""

    backbone: Backbone
    sampler: SamplerSettings

    @property
    def weights(self) -> dict[str, str]:
        return {}

    def draw(self, prompts: Sequence[str], sketches: Tensor, seeds: Sequence[int]) -> Tensor:
        height, width = sketches.shape[-2:]
        return draw_pictures(self.backbone, self.sampler, prompts, seeds, (height, width))
