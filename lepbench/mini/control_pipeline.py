"""The pipelines of diffusers in which an encoder of sketches controls a backbone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    StableDiffusionAdapterPipeline,
    StableDiffusionControlNetPipeline,
    StableDiffusionPipeline,
    T2IAdapter,
)
from torch import Tensor, nn

from lepbench.backbones import Backbone
from lepbench.backbones.load import load_component
from lepbench.files import read_json
from lepbench.guidance import SamplerSettings
from lepbench.guidance.schedulers import make_scheduler
from lepbench.mini.triplets import draw_control
from lepbench.quiet import silence_libraries


def load_encoder(folder: Path) -> nn.Module:
    """The encoder that `lepbench mini train` wrote, in float32, frozen and in evaluation mode.

    Raises:
        LepbenchError: a file is missing or damaged.
    """
    kind = read_json(folder / "config.json", "the folder holds no encoder")["_class_name"]
    return load_component(folder, f"diffusers.{kind}", torch.float32).eval().requires_grad_(False)


def make_pipeline(backbone: Backbone, encoder: nn.Module | None, scheduler: Any) -> Any:
    """A pipeline of the backbone's components; without an encoder the one that reads no sketch."""
    parts = {
        "unet": backbone.denoiser,
        "vae": backbone.vae,
        "scheduler": scheduler,
        **backbone.text.encoders,
        **backbone.text.tokenizers,
        **dict.fromkeys(("safety_checker", "feature_extractor")),
        "requires_safety_checker": False,
    }
    with silence_libraries():
        if encoder is None:
            pipeline = StableDiffusionPipeline(**parts)
        elif isinstance(encoder, T2IAdapter):
            pipeline = StableDiffusionAdapterPipeline(**parts, adapter=encoder)
        else:
            pipeline = StableDiffusionControlNetPipeline(**parts, controlnet=encoder)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


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
    pipeline = make_pipeline(backbone, encoder, scheduler)
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
