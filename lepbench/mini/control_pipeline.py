"""The pipelines of diffusers in which an encoder of sketches controls a backbone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    ControlNetModel,
    StableDiffusionAdapterPipeline,
    StableDiffusionControlNetPipeline,
    StableDiffusionPipeline,
    T2IAdapter,
)
from torch import Tensor, nn

from lepbench.files import read_json
from lepbench.mini.triplets import draw_control


def load_encoder(folder: Path) -> nn.Module:
    """The encoder that `lepbench mini train` wrote, in float32, frozen and in evaluation mode.

    Raises:
        LepbenchError: the folder has no readable config.
    """
    config = read_json(folder / "config.json", "the folder holds no encoder")
    kind = T2IAdapter if config["_class_name"] == "T2IAdapter" else ControlNetModel
    encoder: nn.Module = kind.from_pretrained(folder, low_cpu_mem_usage=False)
    return encoder.eval().requires_grad_(False)


def make_pipeline(backbone: Path, encoder: nn.Module | None) -> Any:
    """A diffusers pipeline of the backbone's folder; without an encoder the one that reads no sketch."""
    plain = StableDiffusionPipeline.from_pretrained(backbone, low_cpu_mem_usage=False)
    parts = {name: part for name, part in plain.components.items() if name != "image_encoder"}
    if encoder is None:
        pipeline = plain
    elif isinstance(encoder, T2IAdapter):
        pipeline = StableDiffusionAdapterPipeline(**parts, adapter=encoder, requires_safety_checker=False)
    else:
        pipeline = StableDiffusionControlNetPipeline(
            **parts, controlnet=encoder, requires_safety_checker=False
        )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@torch.no_grad()
def draw_with_encoder(
    pipeline: Any,
    captions: Sequence[str],
    strokes: Tensor | None,
    noise: Tensor,
    steps: int = 50,
    guidance_scale: float = 4.0,
) -> Tensor:
    """Pictures float32 [B, 3, 64, 64] in [0, 1] by the pipeline's own scheduler.

    Args:
        strokes: bool [B, 64, 64], true on a stroke; None for a pipeline that reads no sketch.
        noise: standard normal [B, 4, 16, 16], where the samples start.
    """
    sketch = {} if strokes is None else {"image": draw_control(strokes)}
    pictures: Tensor = pipeline(
        list(captions),
        height=4 * noise.shape[-2],
        width=4 * noise.shape[-1],
        num_inference_steps=steps,
        guidance_scale=guidance_scale,
        latents=noise,
        output_type="pt",
        **sketch,
    ).images
    return pictures
