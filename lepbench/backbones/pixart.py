"""PixArt-Sigma and PixArt-Alpha: a diffusion transformer that reads T5 with the padding masked out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from lepbench.backbones.conditioning import Conditioning
from lepbench.backbones.family import FAMILIES, ComponentConfig, Size, TextParts
from lepbench.backbones.transformer import TransformerFamily


class PixArt(TransformerFamily):
    """Predicts noise and a variance; the variance is ignored."""

    name = "pixart"
    components: ClassVar = {
        "transformer": "diffusers.PixArtTransformer2DModel",
        "vae": "diffusers.AutoencoderKL",
        "text_encoder": "transformers.T5EncoderModel",
    }
    tokenizers: ClassVar = {"tokenizer": "transformers.T5Tokenizer"}
    usual_side = 128

    def __init__(self, length: int) -> None:
        self.length = length

    def encode(self, text: TextParts, prompts: Sequence[str]) -> Conditioning:
        tokens = text.tokens("tokenizer", [self.normalise_prompt(prompt) for prompt in prompts], self.length)
        states = text.encoders["text_encoder"](tokens.input_ids, attention_mask=tokens.attention_mask)[0]
        return Conditioning({"embeddings": states.float(), "mask": tokens.attention_mask.float()})

    def normalise_prompt(self, prompt: str) -> str:
        return prompt.lower().strip()

    def token_limits(self, text: TextParts) -> dict[str, int]:
        return {"tokenizer": self.length}

    def text_widths(self, configs: Mapping[str, ComponentConfig]) -> dict[str, int]:
        return {"embeddings": configs["text_encoder"]["d_model"]}

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
            encoder_hidden_states=conditioning["embeddings"],
            encoder_attention_mask=conditioning["mask"],
            timestep=timesteps,
            added_cond_kwargs=_size(denoiser, latents, pixels),
            return_dict=False,
        )[0]
        return output[:, : latents.shape[1]]

    def blank(self, config: ComponentConfig) -> Conditioning:
        embeddings = torch.zeros(1, 1, config["caption_channels"])
        return Conditioning({"embeddings": embeddings, "mask": torch.ones(1, 1)})


def _size(denoiser: nn.Module, latents: Tensor, pixels: Size) -> dict[str, Tensor | None]:
    """Size and shape of the picture, for a model that takes them (Alpha at 1024 px)."""
    if not denoiser.use_additional_conditions:
        return {"resolution": None, "aspect_ratio": None}
    count, (height, width) = len(latents), pixels
    return {
        "resolution": latents.new_tensor([[height, width]]).expand(count, -1),
        "aspect_ratio": latents.new_tensor([[height / width]]).expand(count, -1),
    }


FAMILIES.register("PixArtSigmaPipeline")(PixArt(length=300))
FAMILIES.register("PixArtAlphaPipeline")(PixArt(length=120))
