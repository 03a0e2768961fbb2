"""Stable Diffusion 1.x and 2.x, and the embedded model of their kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import torch
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


class UNetFamily(Family):
    """Pipelines with a UNet2DConditionModel, whose features are spatial maps."""

    denoiser = "unet"
    layouts: tuple[TapLayout, ...]

    def positions(self, config: ComponentConfig) -> tuple[str, ...]:
        blocks, layers = tuple(config["down_block_types"]), config["layers_per_block"]
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

    def encode(self, text: TextParts, prompts: Sequence[str]) -> Conditioning:
        encoder = text.encoders["text_encoder"]
        most = text.tokenizers["tokenizer"].model_max_length
        tokens = text.tokens("tokenizer", prompts, min(most, encoder.config.max_position_embeddings))
        return Conditioning({"embeddings": encoder(tokens.input_ids)[0].float()})

    def run(
        self,
        denoiser: nn.Module,
        latents: Tensor,
        timesteps: Tensor,
        conditioning: Conditioning,
        pixels: Size,
    ) -> Tensor:
        output: Tensor = denoiser(latents, timesteps, conditioning["embeddings"], return_dict=False)[0]
        return output

    def blank(self, config: ComponentConfig) -> Conditioning:
        return Conditioning({"embeddings": torch.zeros(1, 1, config["cross_attention_dim"])})


FAMILIES.register("StableDiffusionPipeline")(StableDiffusion())
