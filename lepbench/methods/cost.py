"""Floating point operations of a picture, by its parts."""

from __future__ import annotations

from typing import NamedTuple

import torch

from lepbench.backbones import Backbone
from lepbench.backbones.cost import Passes, count_flops

TERA = 1e12


class PictureFlops(NamedTuple):
    """Floating point operations of the parts of a picture.

    Attributes:
        plain: of a pass of the denoiser.
        steered: of a pass that is steered, with predictor or decoder, loss and backward pass.
        once: of the text encoders, the encoded sketch and the decoded picture.
    """

    plain: int
    steered: int
    once: int

    def per_picture(self, passes: Passes, pictures: int) -> float:
        """TFLOP a picture, where so many took these passes."""
        return self.of_passes(passes.plain / pictures, passes.steered / pictures)

    def of_passes(self, plain: float, steered: float) -> float:
        """TFLOP of a picture that takes so many passes on average."""
        return (plain * self.plain + steered * self.steered + self.once) / TERA


def count_coding_flops(backbone: Backbone, prompt: str, scale: float, size: tuple[int, int]) -> int:
    """Operations of encoding a prompt at a guidance scale and decoding a picture of `size`, px."""
    latents = torch.zeros(1, *backbone.latent_shape(size), device=backbone.device)
    encoding = count_flops(lambda: backbone.conditions([prompt], scale))
    return encoding + count_flops(lambda: backbone.decode_latents(latents))
