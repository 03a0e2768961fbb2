"""Pictures to latents and back, in batches that the VAE has memory for."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from lepbench.backbones.autoencoder import Autoencoder

AT_ONCE = 8
"""Maximum images per VAE call: larger batches are no faster, and would change the last bits."""
PIXELS_AT_ONCE = AT_ONCE * 512**2
"""Maximum pixels per VAE call, unless a single image has more: bounds the memory."""


def choose_vae_batch(pixels: int) -> int:
    """Number of images with that many pixels per VAE call."""
    return min(AT_ONCE, max(1, PIXELS_AT_ONCE // pixels))


def encode_batches(autoencoder: Autoencoder, vae: Any, pictures: Tensor) -> Tensor:
    """Latents `[B, C, h, w]`, in the VAE's precision, of pictures `[B, 3, H, W]` in [-1, 1]."""
    pieces = torch.split(pictures, choose_vae_batch(pictures.shape[-2] * pictures.shape[-1]))
    return autoencoder.normalise(vae, torch.cat([autoencoder.encode(vae, piece) for piece in pieces]))


def decode_batches(autoencoder: Autoencoder, vae: Any, latents: Tensor, device: torch.device) -> Tensor:
    """float32 pictures `[B, 3, H, W]` around [-1, 1] of latents, in the graph if one is recorded."""
    code = autoencoder.denormalise(vae, latents).to(device, vae.dtype)
    pixels = latents.shape[-2] * latents.shape[-1] * autoencoder.factor(vae.config) ** 2
    pieces = torch.split(code, choose_vae_batch(pixels))
    return torch.cat([autoencoder.decode(vae, piece).float() for piece in pieces])
