"""Encoding of control pictures as pipelines do it, with each picture's own random numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class ControlEncoder:
    """A VAE that samples what it encodes from given generators, whatever its caller passes.

    Pipelines sample the latents of a control picture, some of them from torch's global generator: a picture
    would depend on the batch and on what was drawn before. They are sampled here as the pipeline samples them
    for one picture alone. The VAE computes in its own precision, which may be another than the denoiser's.

    Attributes:
        vae: the backbone's.
        dtype: of the denoiser, and of the latents.
        generators: one a picture; a batch repeated for classifier-free guidance draws as often from each.
    """

    vae: Any
    dtype: torch.dtype
    generators: Sequence[torch.Generator]

    @property
    def config(self) -> Any:
        """The VAE's."""
        return self.vae.config

    def encode(self, pictures: Tensor) -> EncodedPictures:
        """The distribution of the latents of `pictures [n B, 3, H, W]`."""
        encoded = self.vae.encode(pictures.to(self.vae.dtype)).latent_dist
        return EncodedPictures(_OwnPosterior(encoded.mean, encoded.std, self.dtype, self.generators))


@dataclass(frozen=True)
class EncodedPictures:
    """What a VAE's `encode` returns."""

    latent_dist: _OwnPosterior


@dataclass(frozen=True)
class _OwnPosterior:
    """Normal distributions of latents `[n B, C, h, w]`, sampled picture by picture."""

    mean: Tensor
    std: Tensor
    dtype: torch.dtype
    generators: Sequence[torch.Generator]

    def sample(self, generator: object = None) -> Tensor:
        """One sample of each, from the picture's own generator."""
        copies = len(self.mean) // len(self.generators)
        shape = (copies, *self.mean.shape[1:])
        drawn = torch.stack([torch.randn(shape, generator=own) for own in self.generators], dim=1)
        return (self.mean + self.std * drawn.flatten(0, 1).to(self.mean)).to(self.dtype)
