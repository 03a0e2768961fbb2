"""FLUX.2 klein: rectified flow on patches of latents, normalised together; reads three layers of Qwen3."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lepbench.backbones.autoencoder import Autoencoder
from lepbench.backbones.chat import ChatFamily, write_chat
from lepbench.backbones.conditioning import Conditioning
from lepbench.backbones.family import FAMILIES, ComponentConfig, Size, TextParts
from lepbench.backbones.transformer import (
    TRAIN_TIMESTEPS,
    pack_latents,
    set_sigmas,
    spread_taps,
    unpack_tokens,
)

LAYERS = (9, 18, 27)
"""The layers of the language model whose output is read."""


class PatchAutoencoder(Autoencoder):
    """An AutoencoderKLFlux2: 2 x 2 codes are the channels of one latent, normalised by running statistics."""

    def factor(self, config: Mapping[str, Any]) -> int:
        return super().factor(config) * int(config["patch_size"][0])

    def channels(self, config: Mapping[str, Any]) -> int:
        return super().channels(config) * int(math.prod(config["patch_size"]))

    def normalise(self, vae: Any, code: Tensor) -> Tensor:
        mean, deviation = _read_statistics(vae, code)
        return (F.pixel_unshuffle(code, vae.config.patch_size[0]) - mean) / deviation

    def denormalise(self, vae: Any, latents: Tensor) -> Tensor:
        mean, deviation = _read_statistics(vae, latents)
        return F.pixel_shuffle(latents * deviation + mean, vae.config.patch_size[0])


def _read_statistics(vae: Any, like: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of the channels of patches, `[1, C, 1, 1]` each."""
    mean, variance = (part[None, :, None, None] for part in (vae.bn.running_mean, vae.bn.running_var))
    return mean.to(like), torch.sqrt(variance + vae.config.batch_norm_eps).to(like)


class Flux2Klein(ChatFamily):
    """The distilled ones have no unconditional pass, and ignore the guidance scale."""

    name = "flux2-klein"
    components: ClassVar = {
        "transformer": "diffusers.Flux2Transformer2DModel",
        "vae": "diffusers.AutoencoderKLFlux2",
        "text_encoder": "transformers.Qwen3ForCausalLM",
    }
    autoencoder = PatchAutoencoder()
    flow = True
    patch = 1
    usual_side = 64
    length = 512

    def positions(self, config: ComponentConfig) -> tuple[str, ...]:
        """Taps spread over the joint blocks and the following single blocks as one sequence."""
        joint = [f"transformer_blocks[{i}]" for i in range(config["num_layers"])]
        single = [f"single_transformer_blocks[{i}]" for i in range(config["num_single_layers"])]
        return spread_taps([*joint, *single])

    def write_message(self, text: TextParts, prompt: str) -> str:
        return write_chat(text, prompt, thinking=False)

    def encode(self, text: TextParts, prompts: Sequence[str]) -> Conditioning:
        states, _ = self.read_states(text, prompts, padding="max_length", logits_to_keep=1)
        return Conditioning({"embeddings": torch.cat([states[layer] for layer in LAYERS], dim=-1).float()})

    def text_widths(self, configs: Mapping[str, ComponentConfig]) -> dict[str, int]:
        return {"embeddings": len(LAYERS) * configs["text_encoder"]["hidden_size"]}

    def takes_scale(self, config: ComponentConfig, index: ComponentConfig) -> bool:
        return bool(index.get("is_distilled"))

    def conditions(
        self, text: TextParts, prompts: Sequence[str], scale: float
    ) -> tuple[Conditioning, Conditioning | None]:
        distilled = self.takes_scale(text.denoiser, text.index)
        return super().conditions(text, prompts, self.unguided if distilled else scale)

    def run(
        self,
        denoiser: nn.Module,
        latents: Tensor,
        timesteps: Tensor,
        conditioning: Conditioning,
        pixels: Size,
    ) -> Tensor:
        height, width = latents.shape[-2:]
        embeddings = conditioning["embeddings"]
        tokens: Tensor = denoiser(
            hidden_states=pack_latents(latents, self.patch),
            timestep=timesteps.to(latents.dtype) / TRAIN_TIMESTEPS,
            guidance=None,
            encoder_hidden_states=embeddings,
            txt_ids=_list_places(1, 1, embeddings.shape[1], latents.device),
            img_ids=_list_places(height, width, 1, latents.device),
            return_dict=False,
        )[0]
        return unpack_tokens(tokens, height, width, self.patch)

    def blank(self, config: ComponentConfig) -> Conditioning:
        return Conditioning({"embeddings": torch.zeros(1, 1, config["joint_attention_dim"])})

    def schedule(self, scheduler: Any, steps: int, latent: Size) -> dict[str, Any]:
        from diffusers.pipelines.flux2.pipeline_flux2 import compute_empirical_mu

        tokens = latent[0] * latent[1]
        arguments = set_sigmas(scheduler, steps, tokens)
        # Dynamic shifting by the number of steps, too.
        return arguments | ({"mu": compute_empirical_mu(tokens, steps)} if "mu" in arguments else {})


def _list_places(height: int, width: int, words: int, device: torch.device) -> Tensor:
    """Picture (always 0), row, column and word of every token, `[height * width * words, 4]`."""
    axes = [torch.arange(count, device=device) for count in (1, height, width, words)]
    return torch.cartesian_prod(*axes)


FAMILIES.register("Flux2KleinPipeline")(Flux2Klein())
