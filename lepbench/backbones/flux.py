"""Flux: rectified flow on latents packed 2 x 2; CLIP pooled embedding and T5 hidden states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from lepbench.backbones.autoencoder import Autoencoder
from lepbench.backbones.conditioning import Conditioning
from lepbench.backbones.family import FAMILIES, ComponentConfig, Size, TextParts
from lepbench.backbones.transformer import (
    TRAIN_TIMESTEPS,
    TransformerFamily,
    pack_latents,
    spread_taps,
    unpack_tokens,
)

T5_LENGTH = 512

USUAL_GUIDANCE = 3.5
"""Guidance input of a guidance-distilled model if no scale is chosen, as in predictor training."""


class Flux(TransformerFamily):
    """Guidance is distilled: its scale is an input of the model (dev) or unused (schnell)."""

    name = "flux"
    components: ClassVar = {
        "transformer": "diffusers.FluxTransformer2DModel",
        "vae": "diffusers.AutoencoderKL",
        "text_encoder": "transformers.CLIPTextModel",
        "text_encoder_2": "transformers.T5EncoderModel",
    }
    tokenizers: ClassVar = {
        "tokenizer": "transformers.CLIPTokenizer",
        "tokenizer_2": "transformers.T5Tokenizer",
    }
    flow = True
    even_sigmas = True
    multi_vector = True
    autoencoder = Autoencoder(shifted=True)
    usual_side = 128

    def positions(self, config: ComponentConfig) -> tuple[str, ...]:
        """Taps spread over the joint blocks and the following single blocks as one sequence."""
        joint = [f"transformer_blocks[{i}]" for i in range(config["num_layers"])]
        single = [f"single_transformer_blocks[{i}]" for i in range(config["num_single_layers"])]
        return spread_taps([*joint, *single])

    def encode(self, text: TextParts, prompts: Sequence[str]) -> Conditioning:
        ids = {
            name: text.tokens(name, prompts, length).input_ids
            for name, length in self.token_limits(text).items()
        }
        pooled = text.encoders["text_encoder"](ids["tokenizer"]).pooler_output
        states = text.encoders["text_encoder_2"](ids["tokenizer_2"])[0]
        return Conditioning({"embeddings": states.float(), "pooled": pooled.float()})

    def token_limits(self, text: TextParts) -> dict[str, int]:
        return {**super().token_limits(text), "tokenizer_2": T5_LENGTH}

    def text_widths(self, configs: Mapping[str, ComponentConfig]) -> dict[str, int]:
        clip, t5 = configs["text_encoder"], configs["text_encoder_2"]
        return {"embeddings": t5["d_model"], "pooled": clip["hidden_size"]}

    def takes_scale(self, config: ComponentConfig, index: ComponentConfig) -> bool:
        return True

    def conditions(
        self, text: TextParts, prompts: Sequence[str], scale: float
    ) -> tuple[Conditioning, Conditioning | None]:
        conditioning = self.encode(text, prompts)
        return conditioning.with_tensor(
            "guidance", torch.full((len(conditioning),), scale, device=text.device)
        ), None

    def run(
        self,
        denoiser: nn.Module,
        latents: Tensor,
        timesteps: Tensor,
        conditioning: Conditioning,
        pixels: Size,
    ) -> Tensor:
        guidance = None
        if denoiser.config["guidance_embeds"]:  # type: ignore[index]
            usual = latents.new_full((len(latents),), USUAL_GUIDANCE)
            guidance = conditioning.tensors.get("guidance", usual)
        height, width = latents.shape[-2] // self.patch, latents.shape[-1] // self.patch
        tokens: Tensor = denoiser(
            hidden_states=pack_latents(latents, self.patch),
            timestep=timesteps.to(latents.dtype) / TRAIN_TIMESTEPS,
            guidance=guidance,
            pooled_projections=conditioning["pooled"],
            encoder_hidden_states=conditioning["embeddings"],
            txt_ids=latents.new_zeros(conditioning["embeddings"].shape[1], 3),
            img_ids=_places(height, width).to(latents),
            return_dict=False,
        )[0]
        return unpack_tokens(tokens, height, width, self.patch)

    def blank(self, config: ComponentConfig) -> Conditioning:
        return Conditioning(
            {
                "embeddings": torch.zeros(1, 1, config["joint_attention_dim"]),
                "pooled": torch.zeros(1, config["pooled_projection_dim"]),
            }
        )

    def latent_channels(self, config: ComponentConfig) -> int:
        return int(config["in_channels"]) // self.patch**2


def _places(height: int, width: int) -> Tensor:
    """Row and column of every image token, `[height * width, 3]`; the first number is always 0."""
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([torch.zeros_like(rows), rows, columns], dim=-1).flatten(0, 1)


FAMILIES.register("FluxPipeline")(Flux())
