"""What a method is: prompts, sketches and seeds in, pictures out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from lepbench.backbones import Backbone
from lepbench.config import Config
from lepbench.guidance import SamplerSettings, SketchGuidance, sample
from lepbench.registry import Registry
from lepbench.seeds import generator


class Method(Protocol):
    """A way to draw a picture of a prompt along a sketch."""

    @property
    def weights(self) -> dict[str, str]:
        """SHA-256 of every weight file beside the backbone's, by name."""

    def draw(self, prompts: Sequence[str], sketches: Tensor, seeds: Sequence[int]) -> Tensor:
        """Draw one picture a prompt.

        Args:
            prompts: B captions.
            sketches: bool [B, H, W], true on a stroke; the pictures have this size.
            seeds: B seeds; a picture depends on its own prompt, sketch and seed alone.

        Returns:
            float [B, 3, H, W] in [0, 1].
        """


class MethodConfig(Config, ABC):
    """Base of the methods' configurations. A subclass narrows `name` to its own and adds its settings."""

    name: str

    @abstractmethod
    def build(self, backbone: Backbone, sampler: SamplerSettings) -> Method:
        """Load what the method needs.

        Raises:
            LepbenchError: a file is missing, or does not fit the backbone.
        """


METHODS: Registry[type[MethodConfig]] = Registry("method")


def draw_pictures(
    backbone: Backbone,
    sampler: SamplerSettings,
    prompts: Sequence[str],
    seeds: Sequence[int],
    size: tuple[int, int],
    guidance: SketchGuidance | None = None,
) -> Tensor:
    """Pictures of `size` (height, width), float32 [B, 3, H, W] in [0, 1], each from its own seed's noise."""
    shape = backbone.latent_shape(size)
    generators = [generator(seed) for seed in seeds]
    noise = torch.stack([torch.randn(shape, generator=g) for g in generators])
    drawn = sample(backbone, prompts, noise, sampler, guidance, generators)
    return backbone.decode_latents(drawn.latents)
