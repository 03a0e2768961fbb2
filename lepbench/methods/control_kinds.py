"""The control pipelines of diffusers as a table: the call of each, and what its module must fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lepbench.backbones.diffusers_pipeline import NO_CHECKER
from lepbench.backbones.family import ComponentConfig
from lepbench.errors import LepbenchError
from lepbench.registry import Registry


@dataclass(frozen=True)
class ControlKind:
    """A control pipeline of diffusers.

    Attributes:
        pipeline: its class in diffusers.
        slot: the pipeline's component that the module is.
        picture: the argument of its call that takes the control picture.
        scale, start, end: the arguments that take the module's scale, and the shares of the steps between
            which it is in effect; None where there is none.
        mode: the argument that takes the kind of control, for modules of several kinds.
        modes: the key of the module's config with the number of its kinds; None there: it has one.
        guidance: the argument that takes the guidance scale.
        texts: by the name of an embedding of the backbone the argument that takes it; that of the
            unconditional half begins with `negative_`.
        channels: the key of the module's config with the channels of the control picture; three where it has
            none, or where the VAE encodes the picture.
        encoded: whether the VAE encodes the control picture.
        packed: whether latents are passed as tokens of 2 x 2.
        ragged: whether embeddings are passed as a list, without padding.
        whole: whether latents are kept in float32, whatever the denoiser's precision is.
        shifted: whether timesteps may be shifted by the picture's size.
        fits: by a key of the module's config the key of the denoiser's that has the same value; of lists the
            common length counts, and what is None is not read.
        takes: by a key of the module's config the values that are read here.
        layouts: by the denoiser's config the values of `adapter_type` that are read here; None for modules
            that are no adapters.
        latents: how many latents beside each other the module reads; 0 if it reads none.
        reduction: pixels of the control picture per latent along a side, by the module's config; None where
            the VAE reduces it.
        options: further arguments of the pipeline's class.
        call: further arguments of its call.
    """

    pipeline: str
    slot: str = "controlnet"
    picture: str = "image"
    scale: str | None = "controlnet_conditioning_scale"
    start: str | None = "control_guidance_start"
    end: str | None = "control_guidance_end"
    mode: str | None = None
    modes: str | None = None
    guidance: str = "guidance_scale"
    texts: Mapping[str, str] = field(default_factory=lambda: {"embeddings": "prompt_embeds"})
    channels: str | None = None
    encoded: bool = False
    packed: bool = False
    ragged: bool = False
    whole: bool = False
    shifted: bool = True
    fits: Mapping[str, str] = field(default_factory=dict)
    takes: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    layouts: Callable[[ComponentConfig], tuple[str, ...]] | None = None
    latents: int = 1
    reduction: Callable[[ComponentConfig], int] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    call: Mapping[str, Any] = field(default_factory=dict)


CONTROLS: Registry[ControlKind] = Registry("control")
"""By the class of the control module and the family of backbones, as `ControlNetModel/sdxl`."""


def choose_kind(module: str, family: str) -> ControlKind:
    """The kind of pipeline in which a control module of a class controls a family of backbones.

    Raises:
        LepbenchError: there is none; the message says what is controlled by such a module.
    """
    name = f"{module}/{family}"
    if name in CONTROLS:
        return CONTROLS.get(name)
    pairs = [known.split("/") for known in CONTROLS]
    families = [of for known, of in pairs if known == module]
    if not families:
        modules = ", ".join(sorted({known for known, _ in pairs}))
        raise LepbenchError(f"no pipeline is controlled by {module}", f"use one of: {modules}")
    raise LepbenchError(
        f"a {module} controls backbones of the family {', '.join(families)}, and this one is of {family}",
        "choose a backbone and a control module that belong together",
    )


def _reduce_by_convolutions(config: ComponentConfig) -> int:
    return int(2 ** (len(config["conditioning_embedding_out_channels"]) - 1))


def _reduce_by_unshuffling(config: ComponentConfig) -> int:
    factor = int(config["downscale_factor"])
    # The maps of such an adapter join the U-Net behind its first resampling.
    return factor // 2 if config["adapter_type"] == "full_adapter_xl" else factor


def _choose_layouts(denoiser: ComponentConfig) -> tuple[str, ...]:
    """The kinds of adapter whose maps have the sizes at which a U-Net adds them.

    An adapter's first map is added behind the whole first block where that has no attention, as in SDXL and
    in mini, and before its resampling otherwise.
    """
    resampled = denoiser["down_block_types"][0] == "DownBlock2D"
    return ("full_adapter_xl",) if resampled else ("full_adapter", "light_adapter")


SAME = {
    key: key
    for key in (
        "block_out_channels",
        "layers_per_block",
        "cross_attention_dim",
        "addition_embed_type",
        "projection_class_embeddings_input_dim",
    )
}
"""What a copy of a U-Net's first half has in common with it."""
TEXTS = {key: key for key in ("joint_attention_dim", "pooled_projection_dim")}
"""What transformers that read the same texts have in common."""
TOKENS = {**TEXTS, **{key: key for key in ("num_attention_heads", "attention_head_dim")}}
"""What a copy of a transformer's first blocks has in common with it."""
WITH_POOLED = {"embeddings": "prompt_embeds", "pooled": "pooled_prompt_embeds"}
NO_WATERMARK = {"add_watermarker": False}

CONTROLS.register("ControlNetModel/sd")(
    ControlKind(
        "StableDiffusionControlNetPipeline",
        channels="conditioning_channels",
        fits=SAME,
        reduction=_reduce_by_convolutions,
        options=NO_CHECKER,
    )
)
CONTROLS.register("ControlNetModel/sdxl")(
    ControlKind(
        "StableDiffusionXLControlNetPipeline",
        texts=WITH_POOLED,
        channels="conditioning_channels",
        fits=SAME,
        reduction=_reduce_by_convolutions,
        options=NO_WATERMARK,
    )
)
CONTROLS.register("T2IAdapter/sd")(
    ControlKind(
        "StableDiffusionAdapterPipeline",
        slot="adapter",
        scale="adapter_conditioning_scale",
        start=None,
        end=None,
        channels="in_channels",
        fits={"channels": "block_out_channels"},
        layouts=_choose_layouts,
        latents=0,
        reduction=_reduce_by_unshuffling,
        options=NO_CHECKER,
    )
)
CONTROLS.register("T2IAdapter/sdxl")(
    ControlKind(
        "StableDiffusionXLAdapterPipeline",
        slot="adapter",
        scale="adapter_conditioning_scale",
        start=None,
        end="adapter_conditioning_factor",
        texts=WITH_POOLED,
        channels="in_channels",
        fits={"channels": "block_out_channels"},
        layouts=_choose_layouts,
        latents=0,
        reduction=_reduce_by_unshuffling,
    )
)
CONTROLS.register("ControlNetUnionModel/sdxl")(
    ControlKind(
        "StableDiffusionXLControlNetUnionPipeline",
        picture="control_image",
        mode="control_mode",
        modes="num_control_type",
        texts=WITH_POOLED,
        channels="conditioning_channels",
        fits=SAME,
        reduction=_reduce_by_convolutions,
        options=NO_WATERMARK,
    )
)
CONTROLS.register("SD3ControlNetModel/sd3")(
    ControlKind(
        "StableDiffusion3ControlNetPipeline",
        picture="control_image",
        texts=WITH_POOLED,
        encoded=True,
        shifted=False,
        fits=TOKENS,
        takes={"extra_conditioning_channels": (0,)},
    )
)
CONTROLS.register("FluxControlNetModel/flux")(
    ControlKind(
        "FluxControlNetPipeline",
        picture="control_image",
        mode="control_mode",
        modes="num_mode",
        texts=WITH_POOLED,
        encoded=True,
        packed=True,
        fits=TOKENS,
    )
)
# A transformer that reads the encoded control picture beside the latents, and takes the backbone's place.
CONTROLS.register("FluxTransformer2DModel/flux")(
    ControlKind(
        "FluxControlPipeline",
        slot="transformer",
        picture="control_image",
        scale=None,
        start=None,
        end=None,
        texts=WITH_POOLED,
        encoded=True,
        packed=True,
        fits=TEXTS,
        latents=2,
    )
)
CONTROLS.register("QwenImageControlNetModel/qwen-image")(
    ControlKind(
        "QwenImageControlNetPipeline",
        picture="control_image",
        guidance="true_cfg_scale",
        texts={"embeddings": "prompt_embeds", "mask": "prompt_embeds_mask"},
        encoded=True,
        packed=True,
        fits={key: key for key in ("joint_attention_dim", "num_attention_heads", "attention_head_dim")},
        takes={"extra_condition_channels": (0,)},
    )
)
CONTROLS.register("SanaControlNetModel/sana")(
    ControlKind(
        "SanaControlNetPipeline",
        picture="control_image",
        start=None,
        end=None,
        texts={"embeddings": "prompt_embeds", "mask": "prompt_attention_mask"},
        encoded=True,
        whole=True,
        shifted=False,
        fits={key: key for key in ("caption_channels", "num_attention_heads", "attention_head_dim")},
        call={"use_resolution_binning": False, "negative_prompt": None},
    )
)
CONTROLS.register("ZImageControlNetModel/z-image")(
    ControlKind(
        "ZImageControlNetPipeline",
        picture="control_image",
        start=None,
        end=None,
        encoded=True,
        ragged=True,
        whole=True,
        fits={key: key for key in ("dim", "n_heads", "n_kv_heads", "n_refiner_layers")},
        latents=0,
    )
)
