"""Guidance by Adam on the latent through a readout head (Luo et al., "Readout Guidance", 2024)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field
from torch import Tensor

from lepbench.backbones import Backbone
from lepbench.backbones.resolve import check_model
from lepbench.guidance import SamplerSettings
from lepbench.guidance.execution import Execution
from lepbench.guidance.importance import pool_weights
from lepbench.guidance.readout import Readout
from lepbench.methods.base import METHODS, Method, MethodConfig, Request, draw_pictures, stack_sketches
from lepbench.methods.cost import PictureFlops
from lepbench.methods.steered import count_steered_flops, stack_weights
from lepbench.needs import Need
from lepbench.predictors import Predictor
from lepbench.predictors.needs import list_predictor_needs
from lepbench.submitted import hash_code


@METHODS.register("readout")
class ReadoutConfig(MethodConfig):
    """The predictor and the settings of the optimiser; the defaults are those of the authors' code."""

    name: Literal["readout"] = "readout"
    predictor: str = "lep-mini@1"
    """An embedded name, a folder or a hub id; the paper's head is a predictor of kind `aggregated`."""
    rate: float = Field(default=0.02, gt=0, allow_inf_nan=False)
    """Adam's step size: what the first update moves each value of the latent by."""
    stop: float = Field(default=0.5, ge=0, le=1)
    """Guide while t > stop x T_train; 0 guides to the end."""
    updates: int = Field(default=1, ge=1)
    """Updates before a denoising step, each with a pass of its own for both halves of guidance."""
    execution: Execution = Execution()
    """Options that save time or memory."""

    def check_files(self) -> None:
        check_model(self.predictor)

    def list_needs(self) -> list[Need]:
        return list_predictor_needs(self.predictor)

    def build(self, backbone: Backbone | None, sampler: SamplerSettings) -> ReadoutMethod:
        assert backbone is not None
        prepared = self.execution.prepare(backbone)
        return ReadoutMethod(prepared, sampler, Predictor.from_pretrained(self.predictor, prepared), self)


@dataclass(frozen=True)
class ReadoutMethod(Method):
    """Samples with the latent optimised before each step."""

    backbone: Backbone
    sampler: SamplerSettings
    predictor: Predictor
    config: ReadoutConfig

    @property
    def weights(self) -> dict[str, str]:
        files = self.predictor.weights_sha256().items()
        return {f"predictor/{name}": digest for name, digest in files} | hash_code(self.predictor)

    @property
    def counted(self) -> Backbone:
        return self.backbone

    def guide(self, requests: Sequence[Request]) -> Readout:
        """The guidance of a batch."""
        target = self.backbone.encode_edges(stack_sketches(requests).to(self.backbone.device))
        weights = stack_weights(requests, None)
        return Readout(
            self.predictor,
            target,
            rate=self.config.rate,
            stop=self.config.stop,
            updates=self.config.updates,
            weights=None if weights is None else pool_weights(weights, (target.shape[-2], target.shape[-1])),
        )

    def draw(self, requests: Sequence[Request]) -> Tensor:
        return draw_pictures(self.backbone, self.sampler, requests, readout=self.guide(requests))

    def measure_flops(self, request: Request) -> PictureFlops:
        scale = self.sampler.guidance_scale
        return count_steered_flops(
            self.backbone, request, scale, guide=lambda: self.guide([request]).gradient
        )
