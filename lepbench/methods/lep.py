"""Guidance by a latent edge predictor (Voynov, Aberman and Cohen-Or, 2022)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field
from torch import Tensor

from lepbench.backbones import Backbone
from lepbench.guidance import SamplerSettings, SketchGuidance
from lepbench.methods.base import METHODS, Method, MethodConfig, Request, draw_pictures, stacked_sketches
from lepbench.predictors import Predictor


@METHODS.register("lep")
class LepConfig(MethodConfig):
    """Which predictor, and how it steers."""

    name: Literal["lep"] = "lep"
    predictor: str = "lep-mini@1"
    """An embedded name, a folder or a hub id."""
    scale: float = Field(default=1.6, ge=0)
    """The paper's beta: the length of a shift in lengths of the ordinary step."""
    stop: float = Field(default=0.5, ge=0, le=1)
    """Guide while t > stop x T_train; 0 guides to the end."""

    def build(self, backbone: Backbone | None, sampler: SamplerSettings) -> Lep:
        assert backbone is not None
        return Lep(backbone, sampler, Predictor.from_pretrained(self.predictor, backbone), self)


@dataclass(frozen=True)
class Lep(Method):
    """Draws the prompt, each step pulled towards the encoded sketch."""

    backbone: Backbone
    sampler: SamplerSettings
    predictor: Predictor
    config: LepConfig

    @property
    def weights(self) -> dict[str, str]:
        return {f"predictor/{name}": digest for name, digest in self.predictor.weights_sha256().items()}

    def draw(self, requests: Sequence[Request]) -> Tensor:
        target = self.backbone.encode_edges(stacked_sketches(requests).to(self.backbone.device))
        guidance = SketchGuidance(self.predictor, target, self.config.scale, self.config.stop)
        return draw_pictures(self.backbone, self.sampler, requests, guidance)
