"""Base class of pipeline families: properties and pure functions of one pipeline class, no weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from lepbench.backbones.conditioning import Conditioning
from lepbench.registry import Registry

ComponentConfig = Mapping[str, Any]
"""A component's config, as diffusers writes it to `config.json`."""

Size = tuple[int, int]
"""Height and width."""


@dataclass(frozen=True, eq=False)
class TextParts:
    """Tokenizers and text encoders of a pipeline.

    Attributes:
        tokenizers, encoders: by their folders' names; an optional one may be missing.
        index: the pipeline's `model_index.json`.
        denoiser: the denoiser's config.
        device: of the encoders.
    """

    tokenizers: Mapping[str, Any]
    encoders: Mapping[str, Any]
    index: ComponentConfig
    denoiser: ComponentConfig
    device: torch.device

    def tokens(self, tokenizer: str, prompts: Sequence[str], length: int) -> Any:
        """Token ids and mask `[B, length]`: padded, or truncated with the end token kept."""
        batch = self.tokenizers[tokenizer](
            list(prompts), padding="max_length", max_length=length, truncation=True, return_tensors="pt"
        )
        return batch.to(self.device)


class Family(ABC):
    """One pipeline class of diffusers.

    Attributes:
        name: short, for tables.
        denoiser: folder of the network that denoises.
        components: folder -> class, the denoiser, the VAE and the text encoders.
        tokenizers: folder -> class.
        optional: folders a pipeline may leave out.
        flow: whether `z_t = (1 - s) z + s eps` with `s = t / T_train` (rectified flow) instead of a schedule
            of variances.
        member: index of the image tokens in a tapped block's output tuple.
    """

    name: ClassVar[str]
    denoiser: ClassVar[str]
    components: ClassVar[Mapping[str, str]]
    tokenizers: ClassVar[Mapping[str, str]]
    optional: ClassVar[frozenset[str]] = frozenset()
    flow: ClassVar[bool] = False
    member: ClassVar[int] = 0

    @abstractmethod
    def positions(self, config: ComponentConfig) -> tuple[str, ...]:
        """The tapped positions of a denoiser of this config, in the order they are concatenated.

        Raises:
            LepbenchError: no positions are known for it.
        """

    @abstractmethod
    def encode(self, text: TextParts, prompts: Sequence[str]) -> Conditioning:
        """Encode captions for the denoiser."""

    @abstractmethod
    def run(
        self,
        denoiser: nn.Module,
        latents: Tensor,
        timesteps: Tensor,
        conditioning: Conditioning,
        pixels: Size,
    ) -> Tensor:
        """One pass: the prediction `[B, C, h, w]` for latents of that shape and timesteps `[B]`.

        Args:
            pixels: image size of the latents.
        """

    @abstractmethod
    def blank(self, config: ComponentConfig) -> Conditioning:
        """Placeholder conditioning of one sample, with the right shapes."""

    def uncaptioned(self, text: TextParts) -> Conditioning:
        """The unconditional embeddings for classifier-free guidance, one sample."""
        return self.encode(text, [""])

    def conditions(
        self, text: TextParts, prompts: Sequence[str], scale: float
    ) -> tuple[Conditioning, Conditioning | None]:
        """Conditional and unconditional embeddings for this guidance scale; the latter None at scale 1."""
        conditioning = self.encode(text, prompts)
        return conditioning, self.uncaptioned(text).expand(len(conditioning)) if scale > 1 else None

    def schedule(self, scheduler: Any, steps: int, latent: Size) -> dict[str, Any]:
        """Arguments of the scheduler's `set_timesteps` for latents of that size."""
        return {"num_inference_steps": steps}

    def fold(self, output: Any, latent: Size, config: ComponentConfig) -> Tensor:
        """The output of a tapped module as a map `[B, channels, height, width]`."""
        tensor: Tensor = output[self.member] if isinstance(output, tuple) else output
        return tensor

    @abstractmethod
    def size_multiple(self, config: ComponentConfig) -> int:
        """Both sides of a latent must be multiples of this number of latent pixels."""

    def most(self, config: ComponentConfig) -> int | None:
        """Maximum side in latent pixels; None if there is no limit."""
        return None

    def latent_channels(self, config: ComponentConfig) -> int:
        """Channels of the latents."""
        return int(config["in_channels"])

    def latent_side(self, config: ComponentConfig) -> int:
        """The side of the latents the model was trained on."""
        return int(config["sample_size"])


FAMILIES: Registry[Family] = Registry("pipeline class")
"""Families by the `_class_name` of `model_index.json`."""
