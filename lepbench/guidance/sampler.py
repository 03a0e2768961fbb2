"""The denoising loop over a backbone's components, plain or steered towards sketches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lepbench.backbones.backbone import Backbone
from lepbench.backbones.conditioning import Conditioning
from lepbench.errors import LepbenchError
from lepbench.guidance.schedulers import (
    SCHEDULERS,
    initial_scale,
    input_scale,
    make_scheduler,
    model_input,
    shifted,
    takes_generator,
)
from lepbench.guidance.settings import SamplerSettings
from lepbench.predictors.base import Predictor
from lepbench.predictors.noise import noise_for

__all__ = ["SamplerSettings", "Samples", "SketchGuidance", "sample"]


@dataclass(frozen=True)
class SketchGuidance:
    """Where to steer, and how hard.

    Attributes:
        predictor: reads the encoded edge map off the denoiser's activations.
        target_latents: `[B, C, h, w]`, the encoded sketches (`Backbone.encode_edges`).
        scale: the paper's beta, the length of a shift in lengths of the ordinary step.
        stop: guide while t > stop x T_train; 0 guides to the end, 1 never.
    """

    predictor: Predictor
    target_latents: Tensor
    scale: float = 1.6
    stop: float = 0.5


@dataclass(frozen=True)
class Samples:
    """What was drawn.

    Attributes:
        latents: `[B, C, h, w]`, clean.
        edges: the encoded edge maps predicted at the last guided step; None where no step was guided.
    """

    latents: Tensor
    edges: Tensor | None


@torch.no_grad()
def sample(
    backbone: Backbone,
    prompts: Sequence[str],
    noise: Tensor,
    settings: SamplerSettings,
    guidance: SketchGuidance | None = None,
    generators: Sequence[torch.Generator] | None = None,
    on_step: Callable[[int, int], None] | None = None,
) -> Samples:
    """Draw one picture a prompt, as latents; a sample does not depend on the others of its batch.

    Without guidance the result is that of the backbone's own pipeline in diffusers on the same latents.

    Args:
        noise: `[B, C, h, w]` standard normal.
        generators: one a sample, for schedulers that draw noise while they step.
        on_step: called after every step with (steps done, steps in all).

    Raises:
        LepbenchError: the scheduler does not fit the backbone, or draws noise and has no generators, or the
            sketches are of another size.
    """
    _check(prompts, noise, settings, guidance, generators)
    loop = _Loop(backbone, prompts, settings, (noise.shape[-2], noise.shape[-1]), generators)
    latents = noise.to(backbone.device, torch.float32) * initial_scale(loop.scheduler)
    timesteps = loop.scheduler.timesteps
    edges: Tensor | None = None
    for done, timestep in enumerate(timesteps, start=1):
        if guidance is not None and float(timestep) > guidance.stop * backbone.train_timesteps:
            latents, edges = loop.guided_step(latents, timestep, guidance)
        else:
            latents = loop.step(latents, timestep)
        if on_step is not None:
            on_step(done, len(timesteps))
    return Samples(latents, edges)


class _Loop:
    """What stays the same from step to step: components, captions, scheduler."""

    def __init__(
        self,
        backbone: Backbone,
        prompts: Sequence[str],
        settings: SamplerSettings,
        latent: tuple[int, int],
        generators: Sequence[torch.Generator] | None,
    ) -> None:
        self.backbone = backbone
        self.scheduler = make_scheduler(settings.scheduler, backbone, settings.steps, latent)
        self.cfg = settings.guidance_scale
        self.told, self.empty = backbone.conditions(prompts, self.cfg)
        draws = generators is not None and takes_generator(self.scheduler)
        self.extra: dict[str, Any] = {"generator": list(generators or ())} if draws else {}

    def step(self, latents: Tensor, timestep: Tensor) -> Tensor:
        """z_t to z_{t-1}, both halves of classifier-free guidance in one pass."""
        z = model_input(self.scheduler, latents, timestep)
        if self.empty is None:
            return self._advance(self.backbone.predict(z, timestep, self.told), timestep, latents)
        told = Conditioning.cat([self.empty, self.told])
        both = self.backbone.predict(torch.cat([z, z]), timestep, told)
        without, conditional = both.chunk(2)
        return self._advance(without + self.cfg * (conditional - without), timestep, latents)

    def guided_step(
        self, latents: Tensor, timestep: Tensor, guidance: SketchGuidance
    ) -> tuple[Tensor, Tensor]:
        """z_t to z_{t-1}, then off along the gradient: the shifted sample and the predicted edges.

        One pass over the captioned half gives noise, features and gradient; the empty half keeps no graph.
        Lengths are taken in the space the denoiser reads, so that `scale` means the same for schedulers that
        step in sigma space.
        """
        z = model_input(self.scheduler, latents, timestep).detach()
        conditional, edges, gradient = _edge_gradient(self.backbone, z, timestep, self.told, guidance)
        prediction = conditional
        if self.empty is not None:
            without = self.backbone.predict(z, timestep, self.empty)
            prediction = without + self.cfg * (conditional - without)
        after = self._advance(prediction, timestep, latents)
        factor = input_scale(self.scheduler, timestep)
        shift = guidance.scale * _length(after * factor - z) * _direction(gradient)
        return shifted(self.scheduler, after, shift / factor), edges

    def _advance(self, prediction: Tensor, timestep: Tensor, latents: Tensor) -> Tensor:
        after: Tensor = self.scheduler.step(prediction, timestep, latents, **self.extra, return_dict=False)[0]
        return after


def _edge_gradient(
    backbone: Backbone, z: Tensor, timestep: Tensor, told: Conditioning, guidance: SketchGuidance
) -> tuple[Tensor, Tensor, Tensor]:
    """The denoiser's output, the predicted edges, and the gradient of the squared distance to the sketches.

    L = ||P(F(z_t | t, c)) - E(sketch)||^2 summed over a sample; samples do not mix, so the batch's sum has
    every sample's own gradient.
    """
    predictor = guidance.predictor
    with torch.enable_grad():
        leaf = z.clone().requires_grad_()
        output, features = backbone.read(leaf, timestep, told, list(predictor.config.taps))
        heard = noise_for(predictor, backbone.scheduler, output, leaf, timestep)
        edges = predictor(features, timestep.expand(len(leaf)), (leaf.shape[-2], leaf.shape[-1]), heard)
        loss = (edges - guidance.target_latents.to(edges)).square().sum()
        (gradient,) = torch.autograd.grad(loss, leaf)
    return output.detach(), edges.detach(), gradient


def _length(batch: Tensor) -> Tensor:
    """Euclidean norm of every sample, `[B, 1, 1, 1]`."""
    length: Tensor = torch.linalg.vector_norm(batch, dim=(1, 2, 3), keepdim=True)
    return length


def _direction(batch: Tensor) -> Tensor:
    """Every sample over its norm; a zero stays zero."""
    return batch / _length(batch).clamp_min(torch.finfo(batch.dtype).tiny)


def _check(
    prompts: Sequence[str],
    noise: Tensor,
    settings: SamplerSettings,
    guidance: SketchGuidance | None,
    generators: Sequence[torch.Generator] | None,
) -> None:
    if len(prompts) != len(noise):
        raise LepbenchError(f"{len(prompts)} prompts for {len(noise)} noises", "give one noise a prompt")
    if generators is not None and len(generators) != len(noise):
        raise LepbenchError(f"{len(generators)} generators for {len(noise)} noises", "give one a noise")
    if generators is None and SCHEDULERS.get(settings.scheduler).stochastic:
        raise LepbenchError(
            f"scheduler {settings.scheduler!r} draws noise as it steps", "give one generator a sample"
        )
    if guidance is not None and guidance.target_latents.shape != noise.shape:
        raise LepbenchError(
            f"sketch latents {tuple(guidance.target_latents.shape)} for noise {tuple(noise.shape)}",
            "encode one sketch a sample, at the size of the pictures",
        )
