"""Qwen-Image: rectified flow on latents packed 2 x 2; reads Qwen2.5-VL, and has a video's VAE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lepbench.backbones.autoencoder import Autoencoder
from lepbench.backbones.chat import ChatFamily, align_tokens, count_tokens
from lepbench.backbones.conditioning import Conditioning
from lepbench.backbones.family import FAMILIES, ComponentConfig, Size, TextParts
from lepbench.backbones.transformer import TRAIN_TIMESTEPS, pack_latents, unpack_tokens

EMPTY = " "
"""The unconditional half's text: the model's authors give a space where nothing is to be kept out."""


class VideoAutoencoder(Autoencoder):
    """An AutoencoderKLQwenImage, for which a picture is one frame, with a mean and deviation per channel."""

    def factor(self, config: Mapping[str, Any]) -> int:
        return int(2 ** len(config["temperal_downsample"]))

    def channels(self, config: Mapping[str, Any]) -> int:
        return int(config["z_dim"])

    def encode(self, vae: Any, pixels: Tensor) -> Tensor:
        return super().encode(vae, pixels.unsqueeze(2)).squeeze(2)

    def decode(self, vae: Any, code: Tensor) -> Tensor:
        return super().decode(vae, code.unsqueeze(2)).squeeze(2)

    def normalise(self, vae: Any, code: Tensor) -> Tensor:
        mean, deviation = _read_statistics(vae, code)
        return (code - mean) / deviation

    def denormalise(self, vae: Any, latents: Tensor) -> Tensor:
        mean, deviation = _read_statistics(vae, latents)
        return latents * deviation + mean


def _read_statistics(vae: Any, like: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of the channels, `[1, C, 1, 1]` each."""
    names = ("latents_mean", "latents_std")
    mean, deviation = (like.new_tensor(vae.config[name])[None, :, None, None] for name in names)
    return mean, deviation


class QwenImage(ChatFamily):
    """A guided prediction has the length that the conditional one has in every patch."""

    name = "qwen-image"
    components: ClassVar = {
        "transformer": "diffusers.QwenImageTransformer2DModel",
        "vae": "diffusers.AutoencoderKLQwenImage",
        "text_encoder": "transformers.Qwen2_5_VLForConditionalGeneration",
    }
    autoencoder = VideoAutoencoder()
    scale_name = "true_cfg_scale"
    needs_negative = True
    keeps_tables = True
    flow = True
    even_sigmas = True
    usual_side = 128
    length = 512

    def count_skipped(self) -> int:
        return read_template()[1]

    def write_message(self, text: TextParts, prompt: str) -> str:
        return read_template()[0].format(prompt)

    def encode(self, text: TextParts, prompts: Sequence[str]) -> Conditioning:
        states, mask = self.read_states(text, prompts, padding="longest", logits_to_keep=1)
        return align_tokens(states[-1], mask, skip=self.count_skipped(), length=self.length)

    def uncaptioned(self, text: TextParts) -> Conditioning:
        return self.encode(text, [EMPTY])

    def text_widths(self, configs: Mapping[str, ComponentConfig]) -> dict[str, int]:
        config = configs["text_encoder"]
        # Earlier versions of transformers saved it outside.
        return {"embeddings": config.get("hidden_size") or config["text_config"]["hidden_size"]}

    def guide(self, conditional: Tensor, unconditional: Tensor, scale: float) -> Tensor:
        guided = super().guide(conditional, unconditional, scale)
        wanted, present = (pack_latents(part, self.patch).norm(dim=2) for part in (conditional, guided))
        ratio = (wanted / present).view(len(guided), 1, guided.shape[-2] // self.patch, -1)
        return guided * F.interpolate(ratio, scale_factor=float(self.patch))

    def run(
        self,
        denoiser: nn.Module,
        latents: Tensor,
        timesteps: Tensor,
        conditioning: Conditioning,
        pixels: Size,
    ) -> Tensor:
        height, width = latents.shape[-2] // self.patch, latents.shape[-1] // self.patch
        counts = count_tokens(conditioning["mask"])
        longest = max(counts)
        tokens: Tensor = denoiser(
            hidden_states=pack_latents(latents, self.patch),
            timestep=timesteps.to(latents.dtype) / TRAIN_TIMESTEPS,
            encoder_hidden_states=conditioning["embeddings"][:, :longest],
            # Without padding there is no mask, which some kernels of attention do not take.
            encoder_hidden_states_mask=None if min(counts) == longest else conditioning["mask"][:, :longest],
            img_shapes=[[(1, height, width)]] * len(latents),
            return_dict=False,
        )[0]
        return unpack_tokens(tokens, height, width, self.patch)

    def blank(self, config: ComponentConfig) -> Conditioning:
        embeddings = torch.zeros(1, 1, config["joint_attention_dim"])
        return Conditioning({"embeddings": embeddings, "mask": torch.ones(1, 1)})

    def latent_channels(self, config: ComponentConfig) -> int:
        return int(config["in_channels"]) // self.patch**2


@cache
def read_template() -> tuple[str, int]:
    """The message around a caption, `{}`, and how many of its first tokens are dropped, as in diffusers."""
    from diffusers import QwenImagePipeline

    parts = ("scheduler", "vae", "text_encoder", "tokenizer", "transformer")
    bare = QwenImagePipeline(**dict.fromkeys(parts))
    return bare.prompt_template_encode, bare.prompt_template_encode_start_idx


FAMILIES.register("QwenImagePipeline")(QwenImage())
