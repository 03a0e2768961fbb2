"""Control modules with random weights for the tiny pipelines, in folders laid out as released."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import diffusers
import torch
from tiny_pipelines import BUILDERS

HINTS = (4, 8, 8)
"""Widths of the convolutions that read a control picture: a fourth of its side, as the tiny VAE has it."""


@dataclass(frozen=True)
class TinyControl:
    """A control module of one kind.

    Attributes:
        backbone: the tiny pipeline that it controls.
        make: it, for that pipeline.
        pipeline: the class of diffusers in which it does.
        settings: what its configuration must say.
        slot: the pipeline's component that it is.
        picture: the argument that takes the control picture.
        call: further arguments of the pipeline's call.
    """

    backbone: str
    make: Callable[[Any], torch.nn.Module]
    pipeline: str
    settings: Mapping[str, Any]
    slot: str = "controlnet"
    picture: str = "image"
    call: Mapping[str, Any] = field(default_factory=dict)


def make_controlnet(pipeline: Any) -> torch.nn.Module:
    options = {"conditioning_embedding_out_channels": HINTS, "load_weights_from_unet": False}
    return diffusers.ControlNetModel.from_unet(pipeline.unet, **options)


def make_adapter(pipeline: Any) -> torch.nn.Module:
    return diffusers.T2IAdapter(
        in_channels=1,
        channels=list(pipeline.unet.config.block_out_channels),
        num_res_blocks=1,
        downscale_factor=4,
        adapter_type="full_adapter",
    )


def make_adapter_xl(pipeline: Any) -> torch.nn.Module:
    channels = list(pipeline.unet.config.block_out_channels)
    return diffusers.T2IAdapter(
        in_channels=3,
        channels=[*channels, channels[-1]],
        num_res_blocks=1,
        downscale_factor=8,
        adapter_type="full_adapter_xl",
    )


PICTURE = {"polarity": "white-on-black", "channels": 3, "range": (0.0, 1.0)}
CONTROLS = {
    "controlnet-sd": TinyControl(
        "sd-v",
        make_controlnet,
        "StableDiffusionControlNetPipeline",
        {**PICTURE, "scale": 0.7, "start": 0.1},
        call={"controlnet_conditioning_scale": 0.7, "control_guidance_start": 0.1},
    ),
    "controlnet-lcm": TinyControl(
        "lcm", make_controlnet, "StableDiffusionControlNetPipeline", {**PICTURE, "polarity": "black-on-white"}
    ),
    "controlnet-sdxl": TinyControl(
        "sdxl",
        make_controlnet,
        "StableDiffusionXLControlNetPipeline",
        {**PICTURE, "scale": 0.5, "end": 0.6},
        call={"controlnet_conditioning_scale": 0.5, "control_guidance_end": 0.6},
    ),
    "adapter-sd": TinyControl(
        "sd-v",
        make_adapter,
        "StableDiffusionAdapterPipeline",
        {**PICTURE, "channels": 1, "scale": 0.8},
        slot="adapter",
        call={"adapter_conditioning_scale": 0.8},
    ),
    "adapter-sdxl": TinyControl(
        "sdxl",
        make_adapter_xl,
        "StableDiffusionXLAdapterPipeline",
        {**PICTURE, "scale": 0.9, "end": 0.7},
        slot="adapter",
        call={"adapter_conditioning_scale": 0.9, "adapter_conditioning_factor": 0.7},
    ),
}


def make_control(name: str) -> torch.nn.Module:
    """The control module called `name`: its layers that begin at zero have random weights, too."""
    control = CONTROLS[name]
    with torch.random.fork_rng():
        torch.manual_seed(2)
        network = control.make(BUILDERS[control.backbone]())
        for parameter in network.parameters():
            if not parameter.any():
                torch.nn.init.normal_(parameter)
    return network.requires_grad_(False).eval()


def save_control(name: str, folder: Path) -> Path:
    """The control module called `name`, saved into `folder`."""
    make_control(name).save_pretrained(folder, safe_serialization=True)  # type: ignore[operator]
    return folder
