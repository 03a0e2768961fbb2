"""Sana: rectified flow with linear attention on latents 32 times smaller; reads Gemma 2."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from lepbench.backbones.autoencoder import Autoencoder
from lepbench.backbones.conditioning import Conditioning
from lepbench.backbones.family import FAMILIES, ComponentConfig, Size, TextParts
from lepbench.backbones.transformer import TransformerFamily

LENGTH = 300
"""Tokens of a caption that the transformer reads."""


class DeepCompression(Autoencoder):
    """An AutoencoderDC, whose code is no distribution."""

    def factor(self, config: Mapping[str, Any]) -> int:
        return int(2 ** (len(config["encoder_block_out_channels"]) - 1))

    def encode(self, vae: Any, pixels: Tensor) -> Tensor:
        code: Tensor = vae.encode(pixels).latent
        return code


class Sana(TransformerFamily):
    """Captions follow an instruction to the language model; negative prompts stand alone."""

    name = "sana"
    components: ClassVar = {
        "transformer": "diffusers.SanaTransformer2DModel",
        "vae": "diffusers.AutoencoderDC",
        "text_encoder": "transformers.Gemma2Model",
    }
    tokenizers: ClassVar = {"tokenizer": "transformers.GemmaTokenizer"}
    autoencoder = DeepCompression()
    flow = True
    patch = 1
    usual_side = 32

    def encode(self, text: TextParts, prompts: Sequence[str]) -> Conditioning:
        instruction = read_instruction()
        before = len(text.tokenizers["tokenizer"].encode(instruction))
        return self._encode(text, prompts, instruction, before + LENGTH - 2)

    def encode_negatives(self, text: TextParts, prompts: Sequence[str]) -> Conditioning:
        return self._encode(text, prompts, "", LENGTH)

    def _encode(self, text: TextParts, prompts: Sequence[str], instruction: str, length: int) -> Conditioning:
        """The first of `length` tokens and the last ones, `LENGTH` in all."""
        texts = [instruction + self.normalise_prompt(prompt) for prompt in prompts]
        tokens = text.tokens("tokenizer", texts, length, padding_side="right")
        states = text.encoders["text_encoder"](tokens.input_ids, attention_mask=tokens.attention_mask)[0]
        read = torch.tensor([0, *range(length - LENGTH + 1, length)], device=text.device)
        return Conditioning(
            {"embeddings": states[:, read].float(), "mask": tokens.attention_mask[:, read].float()}
        )

    def normalise_prompt(self, prompt: str) -> str:
        return prompt.lower().strip()

    def token_limits(self, text: TextParts) -> dict[str, int]:
        return {"tokenizer": LENGTH - 1}

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
            encoder_hidden_states=conditioning["embeddings"],
            encoder_attention_mask=conditioning["mask"],
            timestep=timesteps * denoiser.config["timestep_scale"],  # type: ignore[index]
            return_dict=False,
        )[0]
        return output[:, : latents.shape[1]]

    def blank(self, config: ComponentConfig) -> Conditioning:
        embeddings = torch.zeros(1, 1, config["caption_channels"])
        return Conditioning({"embeddings": embeddings, "mask": torch.ones(1, 1)})


def read_instruction() -> str:
    """The text that the pipeline puts before a caption, as the installed diffusers has it."""
    from diffusers import SanaPipeline

    lines = inspect.signature(SanaPipeline.__call__).parameters["complex_human_instruction"].default
    return "\n".join(lines)


FAMILIES.register("SanaPipeline")(Sana())
