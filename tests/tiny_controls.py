"""Control modules with random weights for the tiny pipelines, in folders laid out as released."""

from __future__ import annotations

import inspect
import warnings
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


def make_union(pipeline: Any) -> torch.nn.Module:
    """With as small a transformer beside its convolutions as their widths allow."""
    large = diffusers.ControlNetUnionModel.from_unet(pipeline.unet, load_weights_from_unet=False)
    width = pipeline.unet.config.block_out_channels[0]
    return make_alike(
        diffusers.ControlNetUnionModel,
        large,
        num_trans_channel=width,
        num_proj_channel=width,
        num_trans_head=2,
        num_control_type=3,
        conditioning_embedding_out_channels=HINTS,
    )


def make_alike(kind: Any, network: Any, **settings: Any) -> torch.nn.Module:
    """A network of a kind with the config of another, as far as it has the same keys, and these settings."""
    taken = inspect.signature(kind).parameters
    config = {key: value for key, value in network.config.items() if key in taken}
    made: torch.nn.Module = kind(**{**config, **settings})
    return made


def make_sd3_controlnet(pipeline: Any) -> torch.nn.Module:
    options = {"num_layers": 1, "force_zeros_for_pooled_projection": False}
    return make_alike(diffusers.SD3ControlNetModel, pipeline.transformer, **options)


def make_textless_sd3_controlnet(pipeline: Any) -> torch.nn.Module:
    """Of the kind of the 8b ones: it reads no text, and has the transformer's places."""
    options = {"num_layers": 1, "joint_attention_dim": None, "use_pos_embed": False}
    return make_alike(diffusers.SD3ControlNetModel, pipeline.transformer, **options)


def make_flux_controlnet(pipeline: Any, modes: int | None = None) -> torch.nn.Module:
    options = {"num_layers": 1, "num_single_layers": 1, "num_mode": modes}
    with warnings.catch_warnings():
        # Diffusers deprecates a class of its own that this model uses.
        warnings.simplefilter("ignore", FutureWarning)
        return make_alike(diffusers.FluxControlNetModel, pipeline.transformer, **options)


def make_flux_control(pipeline: Any) -> torch.nn.Module:
    options = {"in_channels": 32, "out_channels": 16}
    return make_alike(diffusers.FluxTransformer2DModel, pipeline.transformer, **options)


PICTURE = {"polarity": "white-on-black", "channels": 3, "range": (0.0, 1.0)}
ENCODED = {**PICTURE, "range": (-1.0, 1.0)}
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
    "union": TinyControl(
        "sdxl",
        make_union,
        "StableDiffusionXLControlNetUnionPipeline",
        {**PICTURE, "mode": 2, "scale": 0.8},
        picture="control_image",
        call={"control_mode": [2], "controlnet_conditioning_scale": 0.8},
    ),
    "controlnet-sd3": TinyControl(
        "sd3",
        make_sd3_controlnet,
        "StableDiffusion3ControlNetPipeline",
        {**ENCODED, "scale": 0.7},
        picture="control_image",
        call={"controlnet_conditioning_scale": 0.7},
    ),
    "textless-sd3": TinyControl(
        "sd3",
        make_textless_sd3_controlnet,
        "StableDiffusion3ControlNetPipeline",
        {**ENCODED, "range": (0.5, 128.0)},
        picture="control_image",
    ),
    "controlnet-flux": TinyControl(
        "flux-dev",
        make_flux_controlnet,
        "FluxControlNetPipeline",
        {**ENCODED, "scale": 0.6},
        picture="control_image",
        call={"controlnet_conditioning_scale": 0.6},
    ),
    "union-flux": TinyControl(
        "flux-dev",
        lambda pipeline: make_flux_controlnet(pipeline, modes=4),
        "FluxControlNetPipeline",
        {**ENCODED, "mode": 3, "end": 0.6},
        picture="control_image",
        call={"control_mode": 3, "control_guidance_end": 0.6},
    ),
    "flux-control": TinyControl(
        "flux-dev",
        make_flux_control,
        "FluxControlPipeline",
        ENCODED,
        slot="transformer",
        picture="control_image",
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
