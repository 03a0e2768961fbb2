"""The denoising loop over a backbone's components, unguided or guided by sketches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from lepbench.backbones.backbone import Backbone
from lepbench.errors import LepbenchError
from lepbench.guidance.classifier_free import ClassifierFreeGuidance
from lepbench.guidance.generators import Generators
from lepbench.guidance.guidance_schedule import GuidanceSchedule
from lepbench.guidance.guided_step import GuidedSteps
from lepbench.guidance.loop import DenoisingLoop
from lepbench.guidance.readout import Readout, refine_sample
from lepbench.guidance.schedulers import SCHEDULERS, make_scheduler, read_initial_scale, require_scale
from lepbench.guidance.settings import SamplerSettings
from lepbench.guidance.start import Start
from lepbench.guidance.steering import Guidance
from lepbench.progress import Progress, ignore_progress


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
            settings.scheduler, backbone, settings.steps, latent, spacing=settings.timestep_spacing
        )
    conditions = backbone.conditions(prompts, settings.guidance_scale, negatives)
    predictions = ClassifierFreeGuidance(backbone, conditions, settings)
    loop = DenoisingLoop(predictions, scheduler=scheduler, generators=generators)
    first = 0 if start is None else start.skip_steps(backbone, scheduler, settings.steps)
    latents = _prepare_latents(noise.to(backbone.device, torch.float32), scheduler, start, first)
    schedule = GuidanceSchedule() if guidance is None else guidance.schedule
    times = [loop.time(index) for index in range(first, len(loop.timesteps))]
    order = [first + index for index in schedule.step_order(times)]
    anchors = {index for before, index in pairwise(order) if index <= before}
    guided = None if guidance is None else GuidedSteps(loop, guidance)
    for done, (before, index) in enumerate(pairwise([first - 1, *order]), start=1):
        if index <= before:
            latents = loop.go_back(latents, before + 1, index)
        elif index in anchors:
            loop.mark(index)
        if guided is not None and loop.time(index) > guided.guidance.stop:
            latents = guided.step(latents, index)
        elif readout is not None and loop.time(index) > readout.stop:
            latents = loop.step(refine_sample(loop, latents, index, readout), index)
        else:
            latents = loop.step(latents, index)
        progress("denoising", done, len(order))
    return SampledLatents(latents, None if guided is None else guided.edges)


def _prepare_latents(noise: Tensor, scheduler: Any, start: Start | None, first: int) -> Tensor:
    """What the scheduler steps from: noise of its own deviation, or a noised picture."""
    if start is None:
        return noise * read_initial_scale(scheduler)
    return start.add_noise(scheduler, noise, first)


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
        raise LepbenchError("'travel' draws noise for repeated steps", "give one generator a sample")
