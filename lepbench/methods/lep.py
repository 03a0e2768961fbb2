"""Guidance by a latent edge predictor (Voynov, Aberman and Cohen-Or, 2022)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from lepbench.backbones import Backbone
from lepbench.guidance import SamplerSettings, SketchGuidance
from lepbench.guidance.course import Course
from lepbench.guidance.execution import Execution
from lepbench.guidance.importance import latent_weights
from lepbench.methods.base import METHODS, Method, MethodConfig, Request, draw_pictures, stacked_sketches
from lepbench.predictors import Predictor


@METHODS.register("lep")
class LepConfig(MethodConfig, Course):
    """Which predictor, and how it steers; by default as in the paper, as are `Course`'s options."""

    name: Literal["lep"] = "lep"
    predictor: str = "lep-mini@1"
    """An embedded name, a folder or a hub id."""
    scale: float = Field(default=1.6, ge=0)
    """The paper's beta: the length of a shift in lengths of the ordinary step."""
    stop: float = Field(default=0.5, ge=0, le=1)
    """Guide while t > stop x T_train; 0 guides to the end."""
    execution: Execution = Execution()
    """What is traded for time or memory."""

    def build(self, backbone: Backbone | None, sampler: SamplerSettings) -> Lep:
        assert backbone is not None
        prepared = self.execution.prepare(backbone)
        return Lep(prepared, sampler, Predictor.from_pretrained(self.predictor, prepared), self)


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
        latent = (target.shape[-2], target.shape[-1])
        weights = _stacked_weights(requests)
        guidance = SketchGuidance(
            self.predictor,
            target,
            self.config.scale,
            self.config.stop,
            None if weights is None else latent_weights(weights, latent),
            self.config,
        )
        return draw_pictures(self.backbone, self.sampler, requests, guidance)


def _stacked_weights(requests: Sequence[Request]) -> Tensor | None:
    """Their sketches' weights, float [B, H, W], 1 where a request has none; None if no request has any."""
    if all(request.weights is None for request in requests):
        return None
    maps = [
        torch.ones(r.sketch.shape) if r.weights is None else torch.from_numpy(r.weights) for r in requests
    ]
    return torch.stack([weights.float() for weights in maps])
