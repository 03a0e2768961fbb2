"""Guidance by a latent edge predictor (Voynov, Aberman and Cohen-Or, 2022)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

from pydantic import Field

from lepbench.backbones import Backbone
from lepbench.backbones.resolve import check_model
from lepbench.guidance import SamplerSettings, SketchGuidance
from lepbench.guidance.importance import pool_weights
from lepbench.methods.base import METHODS, Request, stack_sketches
from lepbench.methods.steered import SteeredConfig, SteeredMethod, stack_weights
from lepbench.needs import Need
from lepbench.predictors import Predictor
from lepbench.predictors.needs import list_predictor_needs
from lepbench.submitted import hash_code


@METHODS.register("lep")
class LepConfig(SteeredConfig):
    """The predictor and the guidance settings."""

    name: Literal["lep"] = "lep"
    predictor: str = "lep-mini@1"
    """An embedded name, a folder or a hub id."""
    feature_updates: int = Field(default=1, ge=1, le=64)
    """Updates of the features of each pass by the predictor alone, before the one backward pass."""
    later: ClassVar[tuple[str, ...]] = ("feature_updates",)

    def check_files(self) -> None:
        check_model(self.predictor)

    def list_needs(self) -> list[Need]:
        return list_predictor_needs(self.predictor)

    def build(self, backbone: Backbone | None, sampler: SamplerSettings) -> Lep:
        assert backbone is not None
        prepared = self.execution.prepare(backbone)
        return Lep(prepared, sampler, Predictor.from_pretrained(self.predictor, prepared), self)

    def steer(self, predictor: Predictor) -> Callable[..., SketchGuidance]:
        """Guidance by these settings, from encoded sketches and `weights=` of their latent pixels."""
        return partial(
            SketchGuidance,
            predictor,
            scale=self.scale,
            stop=self.stop,
            schedule=self.schedule,
            feature_updates=self.feature_updates,
        )


@dataclass(frozen=True)
class Lep(SteeredMethod):
    """Samples with guidance by a latent edge predictor."""

    predictor: Predictor
    config: LepConfig

    @property
    def weights(self) -> dict[str, str]:
        files = self.predictor.weights_sha256().items()
        return {f"predictor/{name}": digest for name, digest in files} | hash_code(self.predictor)

    def guide(self, requests: Sequence[Request]) -> SketchGuidance:
        target = self.backbone.encode_edges(stack_sketches(requests).to(self.backbone.device))
        latent = (target.shape[-2], target.shape[-1])
        weights = stack_weights(requests, self.config.emphasis)
        pooled = None if weights is None else pool_weights(weights, latent)
        return self.config.steer(self.predictor)(target, weights=pooled)
