"""The loss of a network that predicts the noise in a latent, or its velocity."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Predict = Callable[[Tensor, Tensor], Tensor]
"""Noised latents [B, C, h, w] and timesteps int64 [B] to what is predicted [B, C, h, w]."""


def denoising_loss(
    predict: Predict,
    schedule: Any,
    clean: Tensor,
    snr_cap: float,
    rng: torch.Generator,
    times: Tensor | None = None,
) -> dict[str, Tensor]:
    """Squared error of the prediction, weighted by the signal-to-noise ratio.

    For a network that predicts the noise the weight is min(SNR, cap) / SNR (Hang et al. 2023, eq. 7), which
    in terms of the clean latent is min(SNR, cap). For one that predicts v it is min(SNR + 1, cap + 1) /
    (SNR + 1), in those terms 1 + min(SNR, cap): what is drawn is decided where there is next to no signal,
    and there the first weight vanishes.

    Args:
        predict: called with latents and timesteps on the device of `clean`.
        schedule: a scheduler of diffusers, for `epsilon` or `v_prediction`.
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
    if schedule.config.prediction_type == "v_prediction":
        target, weight = schedule.get_velocity(clean, noise, times), (1 + snr.clamp(max=snr_cap)) / (1 + snr)
    else:
        target, weight = noise, snr.clamp(max=snr_cap) / snr
    error = (predict(noisy, times).float() - target).square().mean((1, 2, 3))
    return {"loss": (weight * error).mean(), "mse": error.mean()}
