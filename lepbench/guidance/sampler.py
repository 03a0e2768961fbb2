"""The denoising loop over a backbone's components, unguided or guided by sketches."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from lepbench.backbones.backbone import Backbone
from lepbench.errors import LepbenchError
from lepbench.guidance.classifier_free import ClassifierFreeGuidance
from lepbench.guidance.guidance_schedule import GuidanceSchedule
from lepbench.guidance.readout import Readout
from lepbench.guidance.renoise import renoise_latents
from lepbench.guidance.schedulers import (
    SCHEDULERS,
    choose_step_options,
    make_scheduler,
    measure_input_scale,
    read_initial_scale,
    require_scale,
    scale_model_input,
    shift_sample,
)
from lepbench.guidance.settings import SamplerSettings
from lepbench.guidance.start import Start
from lepbench.guidance.steering import Guidance
from lepbench.progress import Progress, ignore_progress

Generators = Sequence[torch.Generator] | torch.Generator | None
"""Generators of the noise that is sampled during stepping."""


@dataclass(frozen=True)
class SampledLatents:
    """Result of sampling.

    Attributes:
        latents: `[B, C, h, w]`, clean.
        edges: the encoded edge maps predicted at the last guided step; None where none was predicted.
    """

    latents: Tensor
    edges: Tensor | None


@torch.no_grad()
def sample(
    backbone: Backbone,
    prompts: Sequence[str],
    noise: Tensor,
    settings: SamplerSettings,
    guidance: Guidance | None = None,
    generators: Generators = None,
    progress: Progress = ignore_progress,
    scheduler: Any | None = None,
    negatives: Sequence[str | None] | None = None,
    start: Start | None = None,
    readout: Readout | None = None,
) -> SampledLatents:
    """Sample one image per prompt, as latents; a sample does not depend on the others of its batch.

    Without guidance the result is that of the backbone's diffusers pipeline on the same latents.

    Args:
        noise: `[B, C, h, w]` standard normal.
        generators: one per sample, for schedulers that sample noise in each step and for resampling;
            a single one is used for the whole batch, and then a sample depends on its batch.
        progress: called with (stage, done, total) after every step.
        scheduler: a diffusers scheduler with its timesteps set, instead of the one in the settings.
        negatives: one negative prompt per prompt, instead of the one in the settings; None for the family's
            unconditional embeddings.
        start: pictures that sampling starts from; None for pure noise.
        readout: an optimiser of the latent before each step, instead of a guidance after it.

    Raises:
        LepbenchError: the scheduler does not fit the backbone, or draws noise and has no generators, or the
            sketches are of another size, or nothing reads a negative prompt.
    """
    negatives = [settings.negative_prompt or None] * len(prompts) if negatives is None else negatives
    _check(prompts, noise, settings, guidance=guidance, generators=generators, negatives=negatives)
    if readout is not None:
        readout.check(noise)
    require_scale(backbone, settings.guidance_scale)
    latent = (noise.shape[-2], noise.shape[-1])
    if scheduler is None:
        scheduler = make_scheduler(
            settings.scheduler, backbone, settings.steps, latent, settings.timestep_spacing
        )
    conditions = backbone.conditions(prompts, settings.guidance_scale, negatives)
    predictions = ClassifierFreeGuidance(backbone, conditions, settings)
    loop = _Loop(predictions, scheduler=scheduler, generators=generators)
    first = 0 if start is None else start.skip_steps(backbone, scheduler, settings.steps)
    latents = _prepare_latents(noise.to(backbone.device, torch.float32), scheduler, start, first)
    schedule = GuidanceSchedule() if guidance is None else guidance.schedule
    times = [loop.time(index) for index in range(first, len(loop.timesteps))]
    order = [first + index for index in schedule.step_order(times)]
    anchors = {index for before, index in pairwise(order) if index <= before}
    edges: Tensor | None = None
    for done, (before, index) in enumerate(pairwise([first - 1, *order]), start=1):
        if index <= before:
            latents = loop.go_back(latents, before + 1, index)
        elif index in anchors:
            loop.mark(index)
        if guidance is not None and loop.time(index) > guidance.stop:
            latents, predicted = loop.guided_step(latents, index, guidance)
            edges = edges if predicted is None else predicted
        else:
            latents = loop.step(loop.refine(latents, index, readout), index)
        progress("denoising", done, len(order))
    return SampledLatents(latents, edges)


def _prepare_latents(noise: Tensor, scheduler: Any, start: Start | None, first: int) -> Tensor:
    """What the scheduler steps from: noise of its own deviation, or a noised picture."""
    if start is None:
        return noise * read_initial_scale(scheduler)
    return start.add_noise(scheduler, noise, first)


class _Loop:
    """State shared by all steps: components, captions, scheduler."""

    def __init__(self, predictions: ClassifierFreeGuidance, scheduler: Any, generators: Generators) -> None:
        self.backbone = predictions.backbone
        self.predictions = predictions
        self.scheduler = scheduler
        self.timesteps = scheduler.timesteps
        self.marks: dict[int, Any] = {}
        self.direction: Tensor | None = None
        """Of the last guidance gradient, a unit vector a sample."""
        self.generators = list(generators) if isinstance(generators, Sequence) else generators
        self.extra = choose_step_options(scheduler, self.generators)

    def time(self, index: int) -> float:
        """t / T_train of a step."""
        return float(self.timesteps[index]) / self.backbone.train_timesteps

    def step(self, latents: Tensor, index: int) -> Tensor:
        """z_t to z_{t-1}."""
        timestep = self.timesteps[index]
        z = scale_model_input(self.scheduler, latents, timestep)
        return self._advance(self.predictions.predict(z, timestep, index), timestep, latents)

    def refine(self, latents: Tensor, index: int, readout: Readout | None) -> Tensor:
        """z_t as the optimiser leaves it; itself where there is none or it has stopped."""
        if readout is None or self.time(index) <= readout.stop:
            return latents
        timestep = self.timesteps[index]
        z = scale_model_input(self.scheduler, latents, timestep)
        refined = readout.refine(
            self.backbone,
            z,
            timestep,
            conditioning=self.predictions.conditioning,
            empty=self.predictions.empty,
        )
        return shift_sample(
            self.scheduler, latents, (z - refined) / measure_input_scale(self.scheduler, timestep)
        )

    def guided_step(self, latents: Tensor, index: int, guidance: Guidance) -> tuple[Tensor, Tensor | None]:
        """z_t to z_{t-1}, then the guidance update: the updated sample and the predicted edges.

        The conditional pass gives noise and gradient; the unconditional pass keeps no graph.
        Norms are computed in the space the denoiser reads, so that `scale` means the same for schedulers that
        step in sigma space.
        """
        timestep = self.timesteps[index]
        z = scale_model_input(self.scheduler, latents, timestep)
        edges: Tensor | None = None
        fresh = self.direction is None or index % guidance.schedule.every == 0
        if fresh:
            step = guidance.step(self.backbone, z, timestep, self.predictions.conditioning)
            prediction = self.predictions.complete(step.output, z, timestep, index)
            self.direction, edges = _direction(step.gradient), step.edges
        else:
            prediction = self.predictions.predict(z, timestep, index)
        after = self._advance(prediction, timestep, latents)
        factor = measure_input_scale(self.scheduler, timestep)
        strength = guidance.scale * guidance.schedule.strength(self.time(index), guidance.stop)
        length = strength * _length(after * factor - z)
        after = self._shift(after, length, factor)
        for _ in range(guidance.schedule.shifts(self.time(index)) - 1):
            if not fresh or index + 1 == len(self.timesteps):
                break
            # The sample is at the next timestep now, so the gradient is computed there.
            step = guidance.step(
                self.backbone, after * factor, self.timesteps[index + 1], self.predictions.conditioning
            )
            self.direction, edges = _direction(step.gradient), step.edges
            after = self._shift(after, length, factor)
        return after, edges

    def _shift(self, latents: Tensor, length: Tensor, factor: float) -> Tensor:
        """Latents moved against the gradient by `length`, measured in the space the denoiser reads."""
        assert self.direction is not None
        return shift_sample(self.scheduler, latents, length * self.direction / factor)

    def mark(self, index: int) -> None:
        """Save the scheduler's state before a step, to return to it.

        Raises:
            LepbenchError: it steps from a stored sample, and would ignore the added noise.
        """
        if hasattr(self.scheduler, "cur_sample"):
            raise LepbenchError(f"{type(self.scheduler).__name__} cannot go back", "choose another scheduler")
        self.marks[index] = copy.deepcopy(self.scheduler)

    def go_back(self, latents: Tensor, now: int, then: int) -> Tensor:
        """The sample before step `now`, with noise added up to the marked step `then`."""
        from diffusers.utils.torch_utils import randn_tensor

        noise = randn_tensor(latents.shape, generator=self.generators, device=latents.device)
        z = latents * measure_input_scale(self.scheduler, self.timesteps[now])
        self.scheduler = copy.deepcopy(self.marks[then])
        noisy = renoise_latents(
            self.backbone, z, now=self.timesteps[now], then=self.timesteps[then], noise=noise
        )
        return noisy / measure_input_scale(self.scheduler, self.timesteps[then])

    def _advance(self, prediction: Tensor, timestep: Tensor, latents: Tensor) -> Tensor:
        after: Tensor = self.scheduler.step(prediction, timestep, latents, **self.extra, return_dict=False)[0]
        return after


def _length(batch: Tensor) -> Tensor:
    """Euclidean norm of every sample, `[B, 1, 1, 1]`."""
    length: Tensor = torch.linalg.vector_norm(batch, dim=(1, 2, 3), keepdim=True)
    return length


def _direction(batch: Tensor) -> Tensor:
    """Every sample divided by its norm; zeros stay zero."""
    return batch / _length(batch).clamp_min(torch.finfo(batch.dtype).tiny)


def _check(
    prompts: Sequence[str],
    noise: Tensor,
    settings: SamplerSettings,
    guidance: Guidance | None,
    generators: Generators,
    negatives: Sequence[str | None],
) -> None:
    if len(prompts) != len(noise):
        raise LepbenchError(f"{len(prompts)} prompts for {len(noise)} noises", "give one noise a prompt")
    if len(negatives) != len(prompts):
        raise LepbenchError(
            f"{len(negatives)} negative prompts for {len(prompts)} prompts", "give one a prompt"
        )
    if isinstance(generators, Sequence) and len(generators) != len(noise):
        raise LepbenchError(f"{len(generators)} generators for {len(noise)} noises", "give one a noise")
    if generators is None and SCHEDULERS.get(settings.scheduler).stochastic:
        raise LepbenchError(
            f"scheduler {settings.scheduler!r} draws noise as it steps", "give one generator a sample"
        )
    if guidance is not None:
        guidance.check(noise)
    if guidance is not None and generators is None and guidance.schedule.travel is not None:
        raise LepbenchError("going back to noise draws noise", "give one generator a sample")
