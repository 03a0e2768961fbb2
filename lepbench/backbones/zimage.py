"""Z-Image: rectified flow in one sequence of image and text tokens; reads Qwen3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from lepbench.backbones.autoencoder import Autoencoder
from lepbench.backbones.chat import ChatFamily, align_tokens, count_tokens, write_chat
from lepbench.backbones.conditioning import Conditioning
from lepbench.backbones.family import FAMILIES, ComponentConfig, Size, TextParts
from lepbench.backbones.transformer import (
    TRAIN_TIMESTEPS,
    fold_tokens,
    spread_taps,
)

STATES = -2
"""The hidden states that are read: those that the last layer reads."""


class ZImage(ChatFamily):
    """A guidance scale of 0 is no guidance; the distilled Turbo is given it."""

    name = "z-image"
    components: ClassVar = {
        "transformer": "diffusers.ZImageTransformer2DModel",
        "vae": "diffusers.AutoencoderKL",
        "text_encoder": "transformers.Qwen3Model",
    }
    autoencoder = Autoencoder(shifted=True)
    unguided = 0.0
    flow = True
    even_sigmas = True
    usual_side = 128
    length = 512

    def positions(self, config: ComponentConfig) -> tuple[str, ...]:
        return spread_taps([f"layers[{i}]" for i in range(config["n_layers"])])

    def write_message(self, text: TextParts, prompt: str) -> str:
        return write_chat(text, prompt, thinking=True)

    def encode(self, text: TextParts, prompts: Sequence[str]) -> Conditioning:
        states, mask = self.read_states(text, prompts, padding="max_length")
        return align_tokens(states[STATES], mask, skip=0, length=self.length)

    def text_widths(self, configs: Mapping[str, ComponentConfig]) -> dict[str, int]:
        return {"embeddings": configs["text_encoder"]["hidden_size"]}

    def guide(self, conditional: Tensor, unconditional: Tensor, scale: float) -> Tensor:
        return conditional + scale * (conditional - unconditional)

    def run(
        self,
        denoiser: nn.Module,
        latents: Tensor,
        timesteps: Tensor,
        conditioning: Conditioning,
        pixels: Size,
    ) -> Tensor:
        counts = count_tokens(conditioning["mask"])
        output: list[Tensor] = denoiser(
            # One frame each.
            list(latents.unsqueeze(2)),
            (TRAIN_TIMESTEPS - timesteps) / TRAIN_TIMESTEPS,
            [row[:count] for row, count in zip(conditioning["embeddings"], counts, strict=True)],
            return_dict=False,
        )[0]
        # It predicts the velocity from noise to picture.
        return -torch.stack(output).squeeze(2)

    def fold(self, output: Any, latent: Size, config: ComponentConfig) -> Tensor:
        """Tokens `[B, image + text, channels]` as a map of image tokens, `[B, channels, h / 2, w / 2]`."""
        height, width = latent[0] // self.patch, latent[1] // self.patch
        return fold_tokens(output[:, : height * width], height, width)

    def blank(self, config: ComponentConfig) -> Conditioning:
        embeddings = torch.zeros(1, 1, config["cap_feat_dim"])
        return Conditioning({"embeddings": embeddings, "mask": torch.ones(1, 1)})

    def most(self, config: ComponentConfig) -> int:
        return int(min(config["axes_lens"][1:])) * self.patch


FAMILIES.register("ZImagePipeline")(ZImage())
