"""Guidance by an optimiser: updates of the latent before each denoising step (Luo et al., 2024)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lepbench.backbones.backbone import Backbone
from lepbench.backbones.conditioning import Conditioning
from lepbench.errors import LepbenchError
from lepbench.guidance.gradient import compute_edge_gradient
from lepbench.guidance.loop import DenoisingLoop
from lepbench.guidance.schedulers import shift_sample
from lepbench.guidance.steering import SketchGuidance
from lepbench.predictors.base import Predictor


@dataclass(frozen=True)
class Readout:
    """Adam on the latent: it lowers the distance of predicted edges to the encoded sketch.

    As in the authors' code (https://github.com/google-research/readout_guidance), the loss is of the
    conditional and the unconditional pass together, and Adam starts anew at every timestep: its first step
    moves each value by `rate`, whatever the length of the gradient.

    Attributes:
        predictor: predicts the encoded edge map from the denoiser's activations.
        target_latents: `[B, C, h, w]`, the encoded sketches (`Backbone.encode_edges`).
        rate: Adam's step size, in units of the latent that the denoiser reads.
        stop: guide while t > stop x T_train.
        updates: of Adam before a denoising step.
        weights: `[B, 1, h, w]`, how much the sketch matters at each latent pixel; None: the same everywhere.
    """

    predictor: Predictor
    target_latents: Tensor
    rate: float = 0.02
    stop: float = 0.5
    updates: int = 1
    weights: Tensor | None = None

    def refine(
        self,
        backbone: Backbone,
        z: Tensor,
        timestep: Tensor,
        *,
        conditioning: Conditioning,
        empty: Conditioning | None,
    ) -> Tensor:
        """The updated latents `[B, C, h, w]`; a sample's update does not depend on the others.

        Args:
            z: as the denoiser reads it.
            empty: of the unconditional pass; None where there is none.
        """
        latents = z.detach().clone().requires_grad_()
        optimiser = torch.optim.AdamW([latents], lr=self.rate, weight_decay=0.0)
        for _ in range(self.updates):
            latents.grad = sum(
                (
                    self.gradient(backbone, latents, timestep, half)
                    for half in (conditioning, empty)
                    if half is not None
                ),
                start=torch.zeros_like(z),
            )
            optimiser.step()
        return latents.detach()

    def gradient(self, backbone: Backbone, z: Tensor, timestep: Tensor, conditioning: Conditioning) -> Tensor:
        """The gradient by `z` of the mean squared distance of each sample, by one pass."""
        step = compute_edge_gradient(
            backbone,
            z,
            timestep,
            conditioning,
            predictor=self.predictor,
            target=self.target_latents,
            weights=self.weights,
        )
        return step.gradient / self.target_latents[0].numel()

    def check(self, noise: Tensor) -> None:
        """As `Guidance.check`.

        Raises:
            LepbenchError: the sketches are of another size or number, or the predictor is being trained.
        """
        SketchGuidance(self.predictor, self.target_latents, weights=self.weights).check(noise)
        if self.updates < 1:
            raise LepbenchError(f"updates is {self.updates}: no step would be guided", "give at least 1")


def refine_sample(loop: DenoisingLoop, latents: Tensor, index: int, readout: Readout) -> Tensor:
    """The scheduler's sample before a step, as the optimiser leaves it."""
    z, timestep = loop.read_input(latents, index), loop.timesteps[index]
    halves = loop.predictions
    refined = readout.refine(loop.backbone, z, timestep, conditioning=halves.conditioning, empty=halves.empty)
    return shift_sample(loop.scheduler, latents, (z - refined) / loop.input_scale(index))
