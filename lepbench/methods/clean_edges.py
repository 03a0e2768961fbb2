"""Guidance by the edges of the predicted clean image: no training, but a longer backward pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from lepbench.backbones import Backbone
from lepbench.guidance import CleanGuidance, SamplerSettings
from lepbench.methods.base import METHODS, Request, stack_sketches
from lepbench.methods.steered import SteeredConfig, SteeredMethod, stack_weights


@METHODS.register("clean-edges")
class CleanEdgesConfig(SteeredConfig):
    """Settings of the guidance."""

    name: Literal["clean-edges"] = "clean-edges"
    softness: float = Field(default=1.0, gt=0)
    """Sigma in px of the blur under which edges and sketch are compared."""

    def build(self, backbone: Backbone | None, sampler: SamplerSettings) -> CleanEdges:
        assert backbone is not None
        return CleanEdges(self.execution.prepare(backbone), sampler, self)


@dataclass(frozen=True)
class CleanEdges(SteeredMethod):
    """Samples with guidance by the edges of the predicted clean image."""

    config: CleanEdgesConfig

    def guide(self, requests: Sequence[Request]) -> CleanGuidance:
        device = self.backbone.device
        weights = stack_weights(requests, self.config.emphasis)
        return CleanGuidance(
            stack_sketches(requests).to(device),
            scale=self.config.scale,
            stop=self.config.stop,
            softness=self.config.softness,
            weights=None if weights is None else weights.to(device),
            schedule=self.config.schedule,
        )
