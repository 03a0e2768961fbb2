"""Latents as a pipeline's denoiser reads them: how its VAE's codes are sized, scaled and shifted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor


class Autoencoder:
    """Codes smaller than the picture by a power of two, times the config's `scaling_factor`.

    Args:
        shifted: whether the pipeline subtracts the config's `shift_factor` beforehand.
    """

    def __init__(self, shifted: bool = False) -> None:
        self.shifted = shifted

    def factor(self, config: Mapping[str, Any]) -> int:
        """Pixels per latent along a side."""
        return int(2 ** (len(config["block_out_channels"]) - 1))

    def channels(self, config: Mapping[str, Any]) -> int:
        """Channels of the latents."""
        return int(config["latent_channels"])

    def encode(self, vae: Any, pixels: Tensor) -> Tensor:
        """The code `[B, C, h, w]` of pixels `[B, 3, H, W]` in [-1, 1]: the mode of the posterior."""
        encoded = vae.encode(pixels)
        # An AutoencoderTiny has none.
        code: Tensor = encoded.latent_dist.mode() if hasattr(encoded, "latent_dist") else encoded.latents
        return code

    def decode(self, vae: Any, code: Tensor) -> Tensor:
        """Pixels `[B, 3, H, W]` around [-1, 1] of a code `[B, C, h, w]`, in the graph if one is recorded."""
        pixels: Tensor = vae.decode(code).sample
        return pixels

    def normalise(self, vae: Any, code: Tensor) -> Tensor:
        """Latents `[B, C, h, w]`, as the denoiser reads them, of a code."""
        latents: Tensor = (code - self._shift(vae)) * vae.config.scaling_factor
        return latents

    def denormalise(self, vae: Any, latents: Tensor) -> Tensor:
        """The code of latents: the reverse of `normalise`."""
        code: Tensor = latents / vae.config.scaling_factor + self._shift(vae)
        return code

    def _shift(self, vae: Any) -> float:
        return float(vae.config.get("shift_factor") or 0.0) if self.shifted else 0.0
