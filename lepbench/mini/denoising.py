"""The loss of a network that predicts the noise in a latent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Predict = Callable[[Tensor, Tensor], Tensor]
"""Noised latents [B, C, h, w] and timesteps int64 [B] to the predicted noise [B, C, h, w]."""


def denoising_loss(
    predict: Predict,
    schedule: Any,
    clean: Tensor,
    snr_cap: float,
    rng: torch.Generator,
    times: Tensor | None = None,
) -> dict[str, Tensor]:
    """Squared error of the predicted noise, weighted by min(SNR, cap) / SNR (Hang et al. 2023, eq. 7).

    Args:
        predict: called with latents and timesteps on the device of `clean`.
        schedule: a scheduler of diffusers.
        clean: float [B, C, h, w] scaled latents.
        snr_cap: gamma of the weighting.
        rng: of the timesteps, unless they are given, and then of the noise.
        times: int64 [B] timesteps of the training schedule; None for uniform ones.

    Returns:
        `loss`, and `mse` without the weights, both scalar.
    """
    place = clean.device
    if times is None:
        times = torch.randint(schedule.config.num_train_timesteps, (len(clean),), generator=rng)
    noise = torch.randn(clean.shape, generator=rng).to(place)
    times = times.to(place)
    noisy = schedule.add_noise(clean, noise, times)
    alpha = schedule.alphas_cumprod.to(place)[times]
    snr = alpha / (1 - alpha)
    weight = snr.clamp(max=snr_cap) / snr
    error = (predict(noisy, times).float() - noise).square().mean((1, 2, 3))
    return {"loss": (weight * error).mean(), "mse": error.mean()}
