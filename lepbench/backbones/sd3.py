"""Stable Diffusion 3: rectified flow; two CLIP encoders and an optional T5."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lepbench.backbones.autoencoder import Autoencoder
from lepbench.backbones.conditioning import Conditioning
from lepbench.backbones.family import FAMILIES, ComponentConfig, Size, TextParts
from lepbench.backbones.sdxl import encode_two_clips
from lepbench.backbones.transformer import TransformerFamily, compute_resolution_shift

T5_LENGTH = 256


class StableDiffusion3(TransformerFamily):
    """The encoders' hidden states as one sequence; both CLIP pooled embeddings concatenated."""

    name = "sd3"
    components: ClassVar = {
        "transformer": "diffusers.SD3Transformer2DModel",
        "vae": "diffusers.AutoencoderKL",
        "text_encoder": "transformers.CLIPTextModelWithProjection",
        "text_encoder_2": "transformers.CLIPTextModelWithProjection",
        "text_encoder_3": "transformers.T5EncoderModel",
    }
    tokenizers: ClassVar = {
        "tokenizer": "transformers.CLIPTokenizer",
        "tokenizer_2": "transformers.CLIPTokenizer",
        "tokenizer_3": "transformers.T5Tokenizer",
    }
    optional = frozenset({"text_encoder_3", "tokenizer_3"})
    flow = True
    autoencoder = Autoencoder(shifted=True)
    usual_side = 128

    def encode(self, text: TextParts, prompts: Sequence[str]) -> Conditioning:
        clip, pooled = encode_two_clips(text, prompts, self.token_limits(text))
        return Conditioning(
            {"embeddings": _beside_t5(text, prompts, clip), "pooled": torch.cat(pooled, dim=-1)}
        )

    def token_limits(self, text: TextParts) -> dict[str, int]:
        limits = super().token_limits(text)
        return {**limits, "tokenizer_3": T5_LENGTH} if "tokenizer_3" in limits else limits

    def text_widths(self, configs: Mapping[str, ComponentConfig]) -> dict[str, int]:
        pooled = sum(configs[part]["projection_dim"] for part in ("text_encoder", "text_encoder_2"))
        t5 = configs.get("text_encoder_3")
        return {"pooled": pooled} | ({} if t5 is None else {"embeddings": t5["d_model"]})

    def run(
        self,
        denoiser: nn.Module,
        latents: Tensor,
        timesteps: Tensor,
        conditioning: Conditioning,
        pixels: Size,
    ) -> Tensor:
        read = (conditioning["embeddings"], conditioning["pooled"])
        output: Tensor = denoiser(latents, *read, timesteps, return_dict=False)[0]
        return output

    def blank(self, config: ComponentConfig) -> Conditioning:
        return Conditioning(
            {
                "embeddings": torch.zeros(1, 1, config["joint_attention_dim"]),
                "pooled": torch.zeros(1, config["pooled_projection_dim"]),
            }
        )

    def schedule(self, scheduler: Any, steps: int, latent: Size) -> dict[str, Any]:
        shift = compute_resolution_shift(scheduler, self.count_tokens(latent))
        return {"num_inference_steps": steps, **shift}

    def most(self, config: ComponentConfig) -> int:
        return int(config["pos_embed_max_size"]) * self.patch


def _beside_t5(text: TextParts, prompts: Sequence[str], clip: Tensor) -> Tensor:
    """CLIP hidden states, zero-padded to the transformer's width, then those of T5, or zeros without T5."""
    width = text.denoiser["joint_attention_dim"]
    if "text_encoder_3" in text.encoders:
        ids = text.tokens("tokenizer_3", prompts, T5_LENGTH).input_ids
        t5 = text.encoders["text_encoder_3"](ids)[0].float()
    else:
        t5 = clip.new_zeros(len(prompts), T5_LENGTH, width)
    return torch.cat([F.pad(clip, (0, width - clip.shape[-1])), t5], dim=1)


FAMILIES.register("StableDiffusion3Pipeline")(StableDiffusion3())
