"""Stable Diffusion 1.x and 2.x, and the embedded model of their kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lepbench.backbones.conditioning import Conditioning
from lepbench.backbones.family import FAMILIES, ComponentConfig, Family, Size, TextParts
from lepbench.errors import LepbenchError


class TapLayout(NamedTuple):
    """The tapped positions of one U-Net layout, identified by its blocks and layers per block."""

    name: str
    down_block_types: tuple[str, ...]
    layers_per_block: int
    positions: tuple[str, ...]


MIDDLE = ("mid_block.resnets[0]", "mid_block.attentions[0]", "mid_block.resnets[1]")

MINI = TapLayout(
    "mini",
    ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    1,
    (
        "down_blocks[0].resnets[-1]",
        "down_blocks[1].attentions[-1]",
        "down_blocks[2].attentions[-1]",
        *MIDDLE,
        "up_blocks[0]",
        "up_blocks[1].attentions[-1]",
        "up_blocks[2].resnets[-1]",
    ),
)

# LDM's input blocks 2, 4, 8, its middle block 0 to 2 and its output blocks 2, 4, 8. Blocks named whole are
# read after their upsampler, the others before any resampling. SD 2.x has the same layout.
SD1 = TapLayout(
    "sd1",
    ("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
    2,
    (
        "down_blocks[0].attentions[1]",
        "down_blocks[1].attentions[0]",
        "down_blocks[2].attentions[1]",
        *MIDDLE,
        "up_blocks[0]",
        "up_blocks[1].attentions[1]",
        "up_blocks[2]",
    ),
)


EARLY = tuple(f"0.{minor}." for minor in range(9))
"""How the versions of diffusers before 0.9 begin."""

USUAL_GUIDANCE = 8.5
"""Guidance scale of a guidance-distilled U-Net if none is chosen, as in predictor training: that of
diffusers' LatentConsistencyModelPipeline."""


class UNetFamily(Family):
    """Pipelines with a UNet2DConditionModel, whose features are spatial maps.

    A U-Net with `time_cond_proj_dim` is guidance-distilled (latent consistency models): the guidance scale is
    one of its inputs, and there is no unconditional pass.
    """

    denoiser = "unet"
    layouts: tuple[TapLayout, ...]
    multi_vector = True

    def positions(self, config: ComponentConfig) -> tuple[str, ...]:
        blocks, layers = tuple(config["down_block_types"]), config["layers_per_block"]
        if not isinstance(layers, int) and len(set(layers)) == 1:
            layers = layers[0]
        for layout in self.layouts:
            if (layout.down_block_types, layout.layers_per_block) == (blocks, layers):
                return layout.positions
        known = ", ".join(layout.name for layout in self.layouts)
        raise LepbenchError(
            f"no taps are known for a U-Net of {layers} layers in each of {', '.join(blocks)}",
            f"use a backbone laid out as one of: {known}",
        )

    def size_multiple(self, config: ComponentConfig) -> int:
        return int(2 ** (len(config["down_block_types"]) - 1))

    def takes_scale(self, config: ComponentConfig, index: ComponentConfig) -> bool:
        return config.get("time_cond_proj_dim") is not None

    def conditions(
        self, text: TextParts, prompts: Sequence[str], scale: float
    ) -> tuple[Conditioning, Conditioning | None]:
        width = text.denoiser.get("time_cond_proj_dim")
        if width is None:
            return super().conditions(text, prompts, scale)
        conditioning = self.encode(text, prompts)
        guidance = embed_guidance(scale, width, len(prompts)).to(text.device)
        return conditioning.with_tensor("guidance", guidance), None


def read_guidance(denoiser: nn.Module, latents: Tensor, conditioning: Conditioning) -> Tensor | None:
    """The embedded guidance scale `[B, time_cond_proj_dim]` of a U-Net that takes one, None otherwise."""
    width = denoiser.config.get("time_cond_proj_dim")  # type: ignore[operator,union-attr]
    if width is None:
        return None
    given = conditioning.tensors.get("guidance")
    return (embed_guidance(USUAL_GUIDANCE, width, len(latents)) if given is None else given).to(latents)


def embed_guidance(scale: float, width: int, count: int) -> Tensor:
    """A guidance scale as sines and cosines, float32 `[count, width]` on the CPU.

    `w = scale - 1` (Luo et al., "Latent Consistency Models", 2023, section 4.2). Angles reach thousands, so
    that the order of operations shows: it is that of diffusers' `get_guidance_scale_embedding`.
    """
    half = width // 2
    decay = torch.log(torch.tensor(10000.0)) / (half - 1)
    frequencies = torch.exp(torch.arange(half, dtype=torch.float32) * -decay)
    angles = torch.tensor(scale - 1.0) * 1000.0 * frequencies
    embedded = F.pad(torch.cat([angles.sin(), angles.cos()]), (0, width % 2))
    return embedded.expand(count, -1)


def read_text_width(config: ComponentConfig) -> int:
    """Width of the text embeddings that a U-Net reads."""
    width = config.get("encoder_hid_dim") or config["cross_attention_dim"]
    return int(width if isinstance(width, int) else width[0])


class StableDiffusion(UNetFamily):
    """One CLIP text encoder, its last hidden states."""

    name = "sd"
    components: ClassVar = {
        "unet": "diffusers.UNet2DConditionModel",
        "vae": "diffusers.AutoencoderKL",
        "text_encoder": "transformers.CLIPTextModel",
    }
    tokenizers: ClassVar = {"tokenizer": "transformers.CLIPTokenizer"}
    layouts = (MINI, SD1)

    def __init__(self, amended: Mapping[str, Any] | None = None) -> None:
        self.amended = amended or {}

    def amend_schedule(self, config: ComponentConfig) -> dict[str, Any]:
        return {**config, **{key: value for key, value in self.amended.items() if key in config}}

    def latent_size(self, config: ComponentConfig) -> Size | None:
        size = super().latent_size(config)
        # Configs of diffusers before 0.9 may say less than 512 px; the pipeline replaces that, too.
        early = str(config.get("_diffusers_version", "")).startswith(EARLY)
        return (64, 64) if early and self.amended and size is not None and max(size) < 64 else size

    def encode(self, text: TextParts, prompts: Sequence[str]) -> Conditioning:
        encoder = text.encoders["text_encoder"]
        tokens = text.tokens("tokenizer", prompts, self.token_limits(text)["tokenizer"])
        masked = getattr(encoder.config, "use_attention_mask", False)
        states = encoder(tokens.input_ids, attention_mask=tokens.attention_mask if masked else None)[0]
        return Conditioning({"embeddings": states.float()})

    def text_widths(self, configs: Mapping[str, ComponentConfig]) -> dict[str, int]:
        return {"embeddings": configs["text_encoder"]["hidden_size"]}

    def run(
        self,
        denoiser: nn.Module,
        latents: Tensor,
        timesteps: Tensor,
        conditioning: Conditioning,
        pixels: Size,
    ) -> Tensor:
        output: Tensor = denoiser(
            latents,
            timesteps,
            conditioning["embeddings"],
            timestep_cond=read_guidance(denoiser, latents, conditioning),
            return_dict=False,
        )[0]
        return output

    def blank(self, config: ComponentConfig) -> Conditioning:
        return Conditioning({"embeddings": torch.zeros(1, 1, read_text_width(config))})


# Early configs have the defaults of DDIM, which the pipeline replaces when it is loaded.
FAMILIES.register("StableDiffusionPipeline")(StableDiffusion({"steps_offset": 1, "clip_sample": False}))
FAMILIES.register("LatentConsistencyModelPipeline")(StableDiffusion())
