"""The pipelines of diffusers in which an encoder of sketches controls a backbone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from lepbench.backbones import Backbone
from lepbench.backbones.diffusers_pipeline import NO_CHECKER, make_diffusers_pipeline
from lepbench.backbones.load import load_component
from lepbench.files import read_json
from lepbench.guidance import SamplerSettings
from lepbench.guidance.schedulers import make_scheduler
from lepbench.mini.triplets import draw_control

PIPELINES = {
    "ControlNetModel": ("StableDiffusionControlNetPipeline", "controlnet"),
    "T2IAdapter": ("StableDiffusionAdapterPipeline", "adapter"),
}
"""The pipeline that reads an encoder of sketches, and its component, by the encoder's class."""


def load_encoder(folder: Path) -> nn.Module:
    """The encoder that `lepbench mini train` wrote, in float32, frozen and in evaluation mode.

    Raises:
        LepbenchError: a file is missing or damaged.
    """
    kind = read_json(folder / "config.json", "the folder holds no encoder")["_class_name"]
    return load_component(folder, f"diffusers.{kind}", torch.float32).eval().requires_grad_(False)


@torch.no_grad()
def draw_with_encoder(
    backbone: Backbone,
    encoder: nn.Module | None,
    captions: Sequence[str],
    strokes: Tensor,
    noise: Tensor,
    sampler: SamplerSettings,
) -> Tensor:
    """Pictures float32 [B, 3, H, W] in [0, 1], of the sketches' size.

    Args:
        encoder: None for samples without the sketch.
        strokes: bool [B, H, W], true on a stroke.
        noise: standard normal [B, C, h, w], where the samples start.
    """
    scheduler = make_scheduler(sampler.scheduler, backbone, sampler.steps)
    name, parts = "StableDiffusionPipeline", {}
    if encoder is not None:
        name, slot = PIPELINES[type(encoder).__name__]
        parts = {slot: encoder}
    pipeline = make_diffusers_pipeline(backbone, name, scheduler, parts, options=NO_CHECKER)
    latents = pipeline(
        list(captions),
        height=strokes.shape[-2],
        width=strokes.shape[-1],
        num_inference_steps=sampler.steps,
        guidance_scale=sampler.guidance_scale,
        latents=noise.to(backbone.device),
        output_type="latent",
        **({} if encoder is None else {"image": draw_control(strokes).to(backbone.device)}),
    ).images
    return backbone.decode_latents(latents)
