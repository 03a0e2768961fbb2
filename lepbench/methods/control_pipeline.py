"""A control pipeline of diffusers, made of a backbone's components, and its call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from lepbench.backbones import Backbone
from lepbench.backbones.chat import count_tokens
from lepbench.backbones.conditioning import Conditioning
from lepbench.backbones.diffusers_pipeline import make_diffusers_pipeline
from lepbench.backbones.transformer import pack_latents, unpack_tokens
from lepbench.errors import LepbenchError
from lepbench.guidance import SamplerSettings
from lepbench.guidance.schedulers import make_scheduler
from lepbench.methods.base import Request, choose_negatives
from lepbench.methods.control_kinds import ControlKind
from lepbench.methods.control_module import ControlModule
from lepbench.methods.control_noise import ControlEncoder

PATCH = 2
"""Side of the squares of latent pixels of which each is one token."""


def draw_controlled(
    backbone: Backbone,
    module: ControlModule,
    sampler: SamplerSettings,
    requests: Sequence[Request],
    *,
    pictures: Tensor,
    noise: Tensor,
    generators: list[torch.Generator],
    options: Mapping[str, Any],
) -> Tensor:
    """Latents `[B, C, h, w]` that the pipeline draws; it is called with encoded prompts and with the noise.

    Args:
        pictures: the control pictures `[B, channels, H, W]`, in the module's range.
        noise: `[B, C, h, w]` standard normal.
        generators: one a picture, of whatever the pipeline draws itself.
        options: further arguments of the call.
    """
    kind, latent = module.kind, (noise.shape[-2], noise.shape[-1])
    prompts = [request.prompt for request in requests]
    conditions = backbone.conditions(prompts, sampler.guidance_scale, choose_negatives(requests, sampler))
    scheduler = make_scheduler(
        sampler.scheduler, backbone, sampler.steps, latent, spacing=sampler.timestep_spacing
    )
    parts: dict[str, Any] = {kind.slot: module.network}
    if kind.encoded:
        # The encoded control picture is sampled from the generators.
        parts["vae"] = ControlEncoder(backbone.vae, backbone.dtype, generators)
    pipeline = make_diffusers_pipeline(backbone, kind.pipeline, scheduler, parts, options=kind.options)
    start = noise.to(backbone.device, torch.float32 if kind.whole else backbone.dtype)
    drawn: Tensor = pipeline(
        height=pictures.shape[-2],
        width=pictures.shape[-1],
        num_inference_steps=sampler.steps,
        latents=pack_latents(start, PATCH) if kind.packed else start,
        generator=generators,
        output_type="latent",
        **{kind.picture: pictures.to(backbone.device, backbone.dtype), kind.guidance: sampler.guidance_scale},
        **_name_texts(kind, conditions, backbone.dtype),
        **kind.call,
        **options,
    ).images
    return unpack_tokens(drawn, latent[0] // PATCH, latent[1] // PATCH, PATCH) if kind.packed else drawn


def _name_texts(
    kind: ControlKind, conditions: tuple[Conditioning, Conditioning | None], dtype: torch.dtype
) -> dict[str, Any]:
    """The embeddings of both halves as arguments of the pipeline's call."""
    conditional, empty = conditions
    named = _name_half(kind, conditional.to(dtype))
    if empty is not None:
        negative = _name_half(kind, empty.to(dtype))
        named |= {f"negative_{argument}": value for argument, value in negative.items()}
    return named


def _name_half(kind: ControlKind, half: Conditioning) -> dict[str, Any]:
    """The embeddings of one half; as lists of `[tokens, D]` where the pipeline takes no mask."""
    if not kind.ragged:
        return {argument: half[name] for name, argument in kind.texts.items()}
    counts = count_tokens(half["mask"])
    return {
        argument: [row[:count] for row, count in zip(half[name], counts, strict=True)]
        for name, argument in kind.texts.items()
    }


def list_options(
    name: str, module: ControlModule, *, scale: float, mode: int | None, start: float, end: float
) -> dict[str, Any]:
    """The settings of a control module as arguments of its pipeline's call.

    Args:
        name: what to call the module in an error.

    Raises:
        LepbenchError: the pipeline takes no such setting, or the mode is missing or none of the module's.
    """
    kind = module.kind
    settings = (
        ("scale", kind.scale, scale, 1.0),
        ("start", kind.start, start, 0.0),
        ("end", kind.end, end, 1.0),
    )
    for key, argument, value, usual in settings:
        if argument is None and value != usual:
            raise LepbenchError(f"{kind.pipeline} takes no {key}", f"leave {key} out for {name}")
    _require_mode(name, module, mode)
    given = {argument: float(value) for _, argument, value, _ in settings if argument is not None}
    return given | ({} if kind.mode is None or mode is None else {kind.mode: mode})


def _require_mode(name: str, module: ControlModule, mode: int | None) -> None:
    modes = None if module.kind.modes is None else module.config.get(module.kind.modes)
    if modes is None and mode is not None:
        raise LepbenchError(f"{name} is of one kind of control, and mode {mode} is given", "leave mode out")
    if modes is not None and (mode is None or mode >= modes):
        raise LepbenchError(
            f"{name} is of {modes} kinds of control, and mode is {mode}",
            f"give the mode of the sketch's kind, 0 to {modes - 1}; its model card lists them",
        )
