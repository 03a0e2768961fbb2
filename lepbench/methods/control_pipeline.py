"""A control pipeline of diffusers, made of a backbone's components, and its call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lepbench.backbones import Backbone
from lepbench.backbones.conditioning import Conditioning
from lepbench.backbones.transformer import fold_tokens
from lepbench.errors import LepbenchError
from lepbench.guidance import SamplerSettings
from lepbench.guidance.schedulers import make_scheduler
from lepbench.methods.base import Request, choose_negatives
from lepbench.methods.control_kinds import ControlKind
from lepbench.methods.control_module import ControlModule
from lepbench.methods.control_noise import ControlEncoder
from lepbench.quiet import silence_libraries

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
    scheduler = make_scheduler(sampler.scheduler, backbone, sampler.steps, latent)
    pipeline = make_pipeline(backbone, module, scheduler, generators)
    start = noise.to(backbone.device, backbone.dtype)
    drawn: Tensor = pipeline(
        height=pictures.shape[-2],
        width=pictures.shape[-1],
        num_inference_steps=sampler.steps,
        latents=pack_latents(start) if kind.packed else start,
        generator=generators,
        output_type="latent",
        **{kind.picture: pictures.to(backbone.device, backbone.dtype), kind.guidance: sampler.guidance_scale},
        **_name_texts(kind, conditions, backbone.dtype),
        **options,
    ).images
    return unpack_latents(drawn, latent) if kind.packed else drawn


def make_pipeline(
    backbone: Backbone, module: ControlModule, scheduler: Any, generators: list[torch.Generator]
) -> Any:
    """The pipeline of a backbone's components and a control module; nothing is loaded or copied.

    Args:
        generators: one a picture; an encoded control picture is sampled from them.
    """
    import diffusers

    kind, family = module.kind, backbone.family
    optional = dict.fromkeys(family.optional)
    encoder = ControlEncoder(backbone.vae, backbone.dtype, generators) if kind.encoded else backbone.vae
    components = {
        family.denoiser: backbone.denoiser,
        "vae": encoder,
        "scheduler": scheduler,
        **optional,
        **backbone.text.encoders,
        **backbone.text.tokenizers,
        kind.slot: module.network,
    }
    # Some pipelines fill a layer with random numbers before they copy its weights.
    with silence_libraries(), torch.random.fork_rng(devices=[]):
        pipeline = getattr(diffusers, kind.pipeline)(**components, **kind.options)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _name_texts(
    kind: ControlKind, conditions: tuple[Conditioning, Conditioning | None], dtype: torch.dtype
) -> dict[str, Tensor]:
    """The embeddings of both halves as arguments of the pipeline's call."""
    conditional, empty = (None if half is None else half.to(dtype) for half in conditions)
    assert conditional is not None
    named = {argument: conditional[name] for name, argument in kind.texts.items()}
    if empty is not None:
        named |= {f"negative_{argument}": empty[name] for name, argument in kind.texts.items()}
    return named


def pack_latents(latents: Tensor) -> Tensor:
    """Latents `[B, C, h, w]` as tokens `[B, h w / 4, 4 C]`, row by row."""
    return F.pixel_unshuffle(latents, PATCH).flatten(2).transpose(1, 2)


def unpack_latents(tokens: Tensor, latent: tuple[int, int]) -> Tensor:
    """The latents `[B, C, h, w]` of which tokens were made."""
    return F.pixel_shuffle(fold_tokens(tokens, latent[0] // PATCH, latent[1] // PATCH), PATCH)


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
