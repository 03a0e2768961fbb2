"""Stable Diffusion XL: two CLIP encoders, a pooled embedding, and the picture's size as an input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from lepbench.backbones.conditioning import Conditioning
from lepbench.backbones.family import FAMILIES, ComponentConfig, Size, TextParts
from lepbench.backbones.sd import MIDDLE, TapLayout, UNetFamily, read_guidance, read_text_width

# LDM's numbers of the paper's layers exist in this U-Net too (input blocks 2, 4, 8, middle block 0 to 2,
# output blocks 2, 4, 8) and play the same parts: full, half and quarter resolution going down, the middle,
# and coming up one block with its upsampler, one attention between resamplings, and one layer at full
# resolution.
SDXL = TapLayout(
    "sdxl",
    ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    2,
    (
        "down_blocks[0].resnets[1]",
        "down_blocks[1].attentions[0]",
        "down_blocks[2].attentions[1]",
        *MIDDLE,
        "up_blocks[0]",
        "up_blocks[1].attentions[1]",
        "up_blocks[2].resnets[2]",
    ),
)


def encode_two_clips(
    text: TextParts, prompts: Sequence[str], limits: Mapping[str, int]
) -> tuple[Tensor, list[Tensor]]:
    """Penultimate hidden states of the CLIP encoders present, concatenated, and the first output of each.

    Args:
        limits: number of tokens by tokenizer.
    """
    states, pooled = [], []
    for number in ("", "_2"):
        encoder = text.encoders.get(f"text_encoder{number}")
        if encoder is None:
            continue
        name = f"tokenizer{number}"
        ids = text.tokens(name, prompts, limits[name]).input_ids
        output = encoder(ids, output_hidden_states=True)
        states.append(output.hidden_states[-2].float())
        pooled.append(output[0].float())
    return torch.cat(states, dim=-1), pooled


class StableDiffusionXL(UNetFamily):
    """Penultimate hidden states of both encoders, concatenated; the second one's pooled embedding."""

    name = "sdxl"
    components: ClassVar = {
        "unet": "diffusers.UNet2DConditionModel",
        "vae": "diffusers.AutoencoderKL",
        "text_encoder": "transformers.CLIPTextModel",
        "text_encoder_2": "transformers.CLIPTextModelWithProjection",
    }
    tokenizers: ClassVar = {
        "tokenizer": "transformers.CLIPTokenizer",
        "tokenizer_2": "transformers.CLIPTokenizer",
    }
    optional = frozenset({"text_encoder", "tokenizer"})
    layouts = (SDXL,)
    usual_side = 128

    def encode(self, text: TextParts, prompts: Sequence[str]) -> Conditioning:
        states, pooled = encode_two_clips(text, prompts, self.token_limits(text))
        return Conditioning({"embeddings": states, "pooled": pooled[-1]})

    def text_widths(self, configs: Mapping[str, ComponentConfig]) -> dict[str, int]:
        encoders = [configs[part] for part in ("text_encoder", "text_encoder_2") if part in configs]
        states = sum(encoder["hidden_size"] for encoder in encoders)
        return {"embeddings": states, "pooled": encoders[-1]["projection_dim"]}

    def uncaptioned(self, text: TextParts) -> Conditioning:
        empty = self.encode(text, [""])
        if not text.index.get("force_zeros_for_empty_prompt", True):
            return empty
        return Conditioning({name: torch.zeros_like(tensor) for name, tensor in empty.tensors.items()})

    def run(
        self,
        denoiser: nn.Module,
        latents: Tensor,
        timesteps: Tensor,
        conditioning: Conditioning,
        pixels: Size,
    ) -> Tensor:
        # Original size, crop corner, target size: an uncropped image at its own size.
        sizes = torch.tensor([[*pixels, 0, 0, *pixels]], device=latents.device, dtype=latents.dtype)
        output: Tensor = denoiser(
            latents,
            timesteps,
            conditioning["embeddings"],
            added_cond_kwargs={
                "text_embeds": conditioning["pooled"],
                "time_ids": sizes.expand(len(latents), -1),
            },
            timestep_cond=read_guidance(denoiser, latents, conditioning),
            return_dict=False,
        )[0]
        return output

    def blank(self, config: ComponentConfig) -> Conditioning:
        pooled = config["projection_class_embeddings_input_dim"] - 6 * config["addition_time_embed_dim"]
        embeddings = torch.zeros(1, 1, read_text_width(config))
        return Conditioning({"embeddings": embeddings, "pooled": torch.zeros(1, pooled)})


FAMILIES.register("StableDiffusionXLPipeline")(StableDiffusionXL())
