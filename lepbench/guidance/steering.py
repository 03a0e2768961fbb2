"""Guidance of samples: the gradient of a sketch loss at a noisy latent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from torch import Tensor

from lepbench.backbones.backbone import Backbone
from lepbench.backbones.conditioning import Conditioning
from lepbench.errors import LepbenchError
from lepbench.guidance.gradient import GuidanceStep, compute_edge_gradient
from lepbench.guidance.guidance_schedule import GuidanceSchedule
from lepbench.predictors.base import Predictor


class Guidance(Protocol):
    """A guidance loss and its settings.

    Attributes:
        scale: the paper's beta, the norm of an update relative to that of the denoising step.
        stop: guide while t > stop x T_train; 0 guides to the end, 1 never.
        schedule: of the updates over the steps.
    """

    @property
    def scale(self) -> float: ...

    @property
    def stop(self) -> float: ...

    @property
    def schedule(self) -> GuidanceSchedule: ...

    def step(
        self,
        backbone: Backbone,
        z: Tensor,
        timestep: Tensor,
        conditioning: Conditioning,
        needs_output: bool = True,
    ) -> GuidanceStep:
        """One conditional pass at `z [B, C, h, w]`, as the denoiser reads it.

        Args:
            needs_output: if False, the pass may stop where the gradient needs no more of it.
        """

    def check(self, noise: Tensor) -> None:
        """Check that sketches and weights fit samples that start from `noise [B, C, h, w]`.

        Raises:
            LepbenchError: sketches or weights are of another size or number.
        """


@dataclass(frozen=True)
class SketchGuidance:
    """The paper's guidance: the distance of the predicted edges to the encoded sketch.

    Attributes:
        predictor: predicts the encoded edge map from the denoiser's activations.
        target_latents: `[B, C, h, w]`, the encoded sketches (`Backbone.encode_edges`).
        scale, stop, schedule: as for every `Guidance`.
        weights: `[B, 1, h, w]`, how much the sketch matters at each latent pixel; None: the same everywhere.
        feature_updates: as in `compute_edge_gradient`.
    """

    predictor: Predictor
    target_latents: Tensor
    scale: float = 1.6
    stop: float = 0.5
    weights: Tensor | None = None
    schedule: GuidanceSchedule = field(default_factory=GuidanceSchedule)
    feature_updates: int = 1

    def step(
        self,
        backbone: Backbone,
        z: Tensor,
        timestep: Tensor,
        conditioning: Conditioning,
        needs_output: bool = True,
    ) -> GuidanceStep:
        """The gradient of the squared distance in latent units."""
        return compute_edge_gradient(
            backbone,
            z,
            timestep,
            conditioning,
            predictor=self.predictor,
            target=self.target_latents,
            weights=self.weights,
            feature_updates=self.feature_updates,
            needs_output=needs_output,
        )

    def check(self, noise: Tensor) -> None:
        """As `Guidance.check`; the predictor must be in eval mode, too."""
        if self.predictor.training:
            raise LepbenchError("the predictor is in training mode", "call its eval() before sampling")
        if self.feature_updates > 1 and self.predictor.reads_noise:
            raise LepbenchError(
                "the predictor reads the noise beside the features, which feature_updates cannot follow",
                "leave feature_updates at 1",
            )
        if self.target_latents.shape != noise.shape:
            raise LepbenchError(
                f"sketch latents {tuple(self.target_latents.shape)} for noise {tuple(noise.shape)}",
                "encode one sketch a sample, at the size of the pictures",
            )
        wanted = (len(noise), 1, *noise.shape[-2:])
        if self.weights is not None and self.weights.shape != wanted:
            raise LepbenchError(
                f"sketch weights {tuple(self.weights.shape)}, not {wanted}", "see latent_weights"
            )
