"""Sampling that starts from a picture: part of the steps is left out, and noise is added in its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lepbench.backbones.backbone import Backbone
from lepbench.detectors.sobel import blur, gaussian
from lepbench.errors import LepbenchError


@dataclass(frozen=True)
class Start:
    """A picture that sampling starts from (Meng et al., "SDEdit", 2022).

    Attributes:
        latents: `[B, C, h, w]`, encoded pictures.
        strength: the share of the steps that is done, in (0, 1]; the picture is noised as before the first.
    """

    latents: Tensor
    strength: float

    def skip_steps(self, backbone: Backbone, scheduler: Any, steps: int) -> int:
        """The index of the first timestep that is done, at which the scheduler is set to begin."""
        first = count_skipped(steps, self.strength, backbone.family.flow) * int(scheduler.order)
        if hasattr(scheduler, "set_begin_index"):
            scheduler.set_begin_index(first)
        return first

    def add_noise(self, scheduler: Any, noise: Tensor, first: int) -> Tensor:
        """The noised picture at the timestep of index `first`, as the scheduler steps from it."""
        timesteps = scheduler.timesteps[first : first + 1].repeat(len(noise))
        clean = self.latents.to(noise)
        if hasattr(scheduler, "scale_noise"):
            noised: Tensor = scheduler.scale_noise(clean, timesteps, noise)
        else:
            noised = scheduler.add_noise(clean, noise, timesteps)
        return noised


def count_skipped(steps: int, strength: float, flow: bool) -> int:
    """The number of steps that are left out at a strength, rounded as in the pipelines of diffusers.

    Raises:
        LepbenchError: all of them are.
    """
    skipped = int(steps - steps * strength) if flow else steps - int(steps * strength)
    if skipped >= steps:
        raise LepbenchError(
            f"strength {strength} of {steps} steps leaves none to do",
            f"give a strength of at least 1 / {steps}",
        )
    return skipped


def paint_drawing(strokes: Tensor, sigma: float) -> Tensor:
    """Black strokes on white, float32 `[B, 3, H, W]` in [0, 1].

    Args:
        strokes: bool `[B, H, W]`.
        sigma: of a Gaussian blur, px; 0 for none.
    """
    ink = strokes.unsqueeze(1).to(torch.float32)
    soft = blur(ink, gaussian(sigma)) if sigma > 0 else ink
    return (1 - soft).clamp(0, 1).expand(-1, 3, -1, -1).contiguous()
