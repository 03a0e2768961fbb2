"""Encoding of control pictures as pipelines do it, with each picture's own random numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

CODES = ("latent", "latents")
"""What VAEs without a distribution call their latents."""


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

    def __getattr__(self, name: str) -> Any:
        """Whatever else a pipeline asks of the VAE, such as its config."""
        return getattr(self.vae, name)

    def encode(self, pictures: Tensor) -> SimpleNamespace:
        """What the VAE returns for `pictures [n B, 3, H, W]`: a distribution of latents, or latents."""
        encoded = self.vae.encode(pictures.to(self.vae.dtype))
        found: dict[str, Any] = {
            name: getattr(encoded, name).to(self.dtype) for name in CODES if hasattr(encoded, name)
        }
        if hasattr(encoded, "latent_dist"):
            normal = encoded.latent_dist
            found["latent_dist"] = _OwnPosterior(normal.mean, normal.std, self.dtype, self.generators)
        return SimpleNamespace(**found)


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

    def mode(self) -> Tensor:
        """The likeliest latents."""
        return self.mean.to(self.dtype)
