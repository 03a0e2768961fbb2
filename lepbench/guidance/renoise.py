"""Return to a noisier timestep by the forward process."""

from __future__ import annotations

import torch
from torch import Tensor

from lepbench.backbones.backbone import Backbone


def renoise_latents(backbone: Backbone, z: Tensor, now: Tensor, then: Tensor, noise: Tensor) -> Tensor:
    """`z [B, C, h, w]` at timestep `now`, as the denoiser reads it, with noise up to the earlier `then`.

    With `z_t = a_t x + s_t n` it is `(a_then / a_now) z + sqrt(s_then^2 - (a_then / a_now)^2 s_now^2) noise`:
    if z is distributed as the forward process at `now`, so is the result at `then`.

    Args:
        now, then: of the training schedule; `then` is no less than `now`.
        noise: standard normal, as `z`.
    """
    (a_now, s_now), (a_then, s_then) = _levels(backbone, now), _levels(backbone, then)
    kept = a_then / a_now
    added = (s_then**2 - (kept * s_now) ** 2).clamp_min(0).sqrt()
    return kept * z + added * noise.to(z)


def _levels(backbone: Backbone, timestep: Tensor) -> tuple[Tensor, Tensor]:
    """The factors of clean latent and noise at a timestep, `[1, 1, 1, 1]` each."""
    one = torch.ones(1, 1, 1, 1, device=backbone.device)
    timesteps = timestep.to(backbone.device).reshape(1)
    if not backbone.family.flow:
        timesteps = timesteps.round().long()
    return backbone.noised(one, 0 * one, timesteps), backbone.noised(0 * one, one, timesteps)
